"""Templates of prompt sets: names, a few filters and conditions; nothing that computes, repeats, calls or reads.

Prompt sets come in by pull request and are rendered before anybody reads them. So a template is looked at before it runs: what is
not on the list is refused, and what is on it takes time and memory in proportion to the text.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alignsuite.models.engines.chat_template import BROKEN

LONGEST = 200_000
"""Characters of a rendered text; more is no prompt."""

_FILTERS = frozenset({"capitalize", "default", "lower", "replace", "title", "trim", "upper"})
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Filter, nodes.If, nodes.CondExpr, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Test, nodes.Keyword,
)  # fmt: skip
_HELP = f"wanted `{{{{ name }}}}`, a condition, or a filter of {', '.join(sorted(_FILTERS))}"

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined, keep_trailing_newline=False, autoescape=False
)


class TemplateFault(Exception):  # noqa: N818 - what is wrong with a template, for whoever names file and line
    """A template that can't be rendered; `name` is the name that it asked for in vain, where that is why."""

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


def fill(source: str, names: Mapping[str, object]) -> str:
    """Rendered text of a template, blank space at both ends cut off.

    Raises:
        TemplateFault: it is no template, or one that does more than is allowed; a name is unknown, or the text is over `LONGEST`.
    """
    length, parts = 0, []
    try:
        for part in _compiled(source).generate(dict(names)):
            length += len(part)
            if length > LONGEST:
                raise TemplateFault(f"its text is longer than {LONGEST} characters")
            parts.append(part)
    except jinja2.UndefinedError as error:
        name = str(error).partition("'")[2].partition("'")[0]
        raise TemplateFault(str(error), name=name or str(error)) from None
    except (jinja2.TemplateError, ArithmeticError, TypeError, ValueError) as error:
        raise TemplateFault(f"not a template: {type(error).__name__}: {str(error)[:200]}") from error
    return "".join(parts).strip()


@functools.cache
def _compiled(source: str) -> jinja2.Template:
    try:
        _check(_ENVIRONMENT.parse(source))
        return _ENVIRONMENT.from_string(source)
    except BROKEN as error:
        raise TemplateFault(f"not a template: {str(error)[:200] or type(error).__name__}") from error


def _check(tree: nodes.Node) -> None:
    """Refuse what could compute, repeat, call or read."""
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            raise TemplateFault(f"`{_word(node)}` is not allowed in a prompt set; {_HELP}")
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            raise TemplateFault(f"the filter `{node.name}` is not allowed in a prompt set; {_HELP}")


def _replaced(text: object, old: object, new: object) -> str:
    """Text with every `old` replaced, unless that would be longer than any prompt."""
    whole, gone, put = str(text), str(old), str(new)
    if len(whole) + whole.count(gone) * len(put) > LONGEST:
        raise TemplateFault(f"its text is longer than {LONGEST} characters")
    return whole.replace(gone, put)


def _word(node: nodes.Node) -> str:
    operator = getattr(node, "operator", None)
    return str(operator) if operator else type(node).__name__.lower()


_ENVIRONMENT.filters["replace"] = _replaced
