"""The tree of tokens: every shared token is read once, and each sees its own ancestors only. No engine is needed for that."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from alignsuite.models.engines.option_tree import OptionTokens
from alignsuite.models.engines.transformers.tree import Tree, build_tree

TOKENS = st.lists(st.integers(0, 3), min_size=1, max_size=6)
REQUESTS = st.lists(
    st.builds(OptionTokens, TOKENS, st.lists(TOKENS, min_size=2, max_size=4, unique_by=tuple)), min_size=1, max_size=6
)


def tokens_of(tree: Tree, path: list[int]) -> list[int]:
    """The token ids along a path."""
    return [tree.tokens[node] for node in path]


def test_a_shared_beginning_is_read_once() -> None:
    """Two prompts of five tokens that part at the last one are six tokens to read, not ten."""
    tree = build_tree([OptionTokens([1, 2, 3, 4, 5], [[8], [9]]), OptionTokens([1, 2, 3, 4, 6], [[8], [9]])])
    assert tree.tokens == [1, 2, 3, 4, 5, 6]
    assert tree.parents == [-1, 0, 1, 2, 3, 3]
    assert tree.looks == [[], [], [], [], [8, 9], [8, 9]]


def test_the_last_token_of_an_option_is_looked_at_and_not_read() -> None:
    """Nothing comes after it, so its own next-token distribution is nobody's business."""
    tree = build_tree([OptionTokens([1], [[2, 3], [2, 4], [5]])])
    assert tree.tokens == [1, 2]
    assert tree.steps == [[[(0, 2), (1, 3)], [(0, 2), (1, 4)], [(0, 5)]]]


@given(REQUESTS, st.lists(st.integers(0, 3), max_size=8))
@settings(max_examples=150, deadline=None)
def test_the_steps_of_every_option_spell_prompt_and_option(requests: list[OptionTokens], warm: list[int]) -> None:
    """Whatever is shared or cached: the context of each step is exactly the tokens before it."""
    tree = build_tree(requests, warm)
    for request, options in zip(requests, tree.steps, strict=True):
        for option, steps in zip(request.options, options, strict=True):
            assert [token for _, token in steps] == option
            for position, (node, _) in enumerate(steps):
                assert tokens_of(tree, tree.path(node)) == request.prompt + option[:position]


@given(REQUESTS, st.lists(st.integers(0, 3), max_size=8))
@settings(max_examples=150, deadline=None)
def test_warm_tokens_are_a_path_whose_looks_were_not_wanted(requests: list[OptionTokens], warm: list[int]) -> None:
    """What is cached is used as far as no log-probability is needed from it, and the next token hangs on its end."""
    tree = build_tree(requests, warm)
    assert tree.tokens[: tree.warm] == warm[: tree.warm]
    assert tree.parents[: tree.warm + 1] == list(range(-1, tree.warm))[: tree.warm + 1]
    assert not any(tree.looks[: tree.warm])


@given(REQUESTS, st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_a_token_sees_its_ancestors_and_itself_in_any_chunk(requests: list[OptionTokens], size: int) -> None:
    """The mask over what is held and the chunk picks out the path from the root, wherever chunks begin."""
    tree, start = build_tree(requests), 0
    while start < len(tree.tokens):
        end = min(start + size, len(tree.tokens))
        held = tree.path(tree.parents[start])
        keys = [*held, *range(start, end)]
        for node, row in zip(range(start, end), tree.mask(held, start, end), strict=True):
            assert [key for key, seen in zip(keys, row, strict=True) if seen] == tree.path(node)
            assert tree.depths[node] == len(tree.path(node)) - 1
        start = end
