"""Token tree: prompts and options as one `Tree` over token ids, so that every shared part is computed once.

Twenty-seven statements under a hundred and twenty orders of five options are 3 240 prompts that share nearly all of their tokens. The tree
of their tokens is walked depth first in chunks; a mask lets each token see its own ancestors and nothing else, so one pass
scores tokens of many prompts, and after a chunk only the path to the next token has to be kept. Imports no engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alignsuite.models.engines.option_tree import OptionTokens


@dataclass(slots=True, eq=False)
class _Node:
    """Tree node: a token that the model reads. `looks` are the next tokens whose log-probability is wanted."""

    token: int
    index: int = -1
    children: dict[int, _Node] = field(default_factory=dict)
    looks: dict[int, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tree:
    """Token tree, depth first: a token's ancestors come before it, and its descendants right behind it.

    `looks[i]` are the next tokens wanted after token i. `steps[request][option]` are the (token read, next token) pairs whose
    log-probabilities sum to that option's. The first `warm` tokens are those that a cache already holds.
    """

    tokens: list[int]
    parents: list[int]
    depths: list[int]
    looks: list[list[int]]
    steps: list[list[list[tuple[int, int]]]]
    warm: int

    def mask(self, held: Sequence[int], start: int, end: int) -> NDArray[np.bool_]:
        """Attention mask of the chunk [start, end): what its tokens see, (end - start) × (held + the chunk).

        `held` are the ancestors of `start`, from the root down.
        """
        place = {node: position for position, node in enumerate(held)}
        seen = np.zeros((end - start, len(held) + end - start), dtype=np.bool_)
        for node in range(start, end):
            row, parent = node - start, self.parents[node]
            if parent >= start:
                seen[row] = seen[parent - start]
            elif parent >= 0:
                seen[row, : place[parent] + 1] = True
            seen[row, len(held) + row] = True
        return seen

    def path(self, node: int) -> list[int]:
        """Path to a token: its ancestors and itself, from the root down; empty for -1."""
        found = []
        while node >= 0:
            found.append(node)
            node = self.parents[node]
        return found[::-1]


def build_tree(found: Sequence[OptionTokens], warm: Sequence[int] = ()) -> Tree:
    """Token tree of prompts with their options.

    The branch that begins like `warm` comes first, so that what is cached is used.
    """
    root, walks = _Node(-1), []
    for split in found:
        stem = root
        for token in split.prompt:
            stem = stem.children.setdefault(token, _Node(token))
        walks.append([_walk(stem, option) for option in split.options])
    tree = Tree([], [], [], [], [], _prefer(root, warm))
    stack = [(child, -1, 0) for child in reversed(root.children.values())]
    while stack:
        node, parent, depth = stack.pop()
        node.index = len(tree.tokens)
        tree.tokens.append(node.token)
        tree.parents.append(parent)
        tree.depths.append(depth)
        tree.looks.append(list(node.looks))
        stack.extend((child, node.index, depth + 1) for child in reversed(node.children.values()))
    tree.steps.extend([[(node.index, token) for node, token in walk] for walk in each] for each in walks)
    return tree


def _walk(stem: _Node, option: Sequence[int]) -> list[tuple[_Node, int]]:
    """Scoring steps of one option: (node, next token) pairs; its last token is looked at and never read."""
    steps, node = [], stem
    for position, token in enumerate(option):
        if position:
            node = node.children.setdefault(option[position - 1], _Node(option[position - 1]))
        node.looks[token] = None
        steps.append((node, token))
    return steps


def _prefer(root: _Node, warm: Sequence[int]) -> int:
    """Count of cached tokens that need not be read again; moves the cached branch to the front.

    A token with looks is read again: its log-probabilities were not kept.
    """
    node, count, counting = root, 0, True
    for token in warm:
        child = node.children.get(token)
        if child is None:
            break
        node.children = {token: child, **node.children}
        counting = counting and not child.looks
        count += counting
        node = child
    return count
