"""Guard's frame: an exchange to what the guard is asked, and its adapter's template to the engine's `Framing`.

A guard's fixed instruction is a chat template, so its own text may spell special tokens; the exchange comes in as messages, whose special
spellings every engine breaks up. Instruction texts of others are read from where `alignsuite judge pull` put them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from alignsuite.config import cache_folder
from alignsuite.errors import JudgeError, ModelError, RequestError
from alignsuite.judges.group_masking import PLACEHOLDER, hide
from alignsuite.judges.guards.spec import Spec
from alignsuite.judges.protocol import Exchange, exchange_of
from alignsuite.models.engines.chat_template import ChatTemplate
from alignsuite.models.protocol import Framing, Generated, Message, Role

NONCES = ("5190273846 quartz", "8264019537 walnut")
"""Words that stand for a prompt and a reply, to see whether both come through."""

_NAMES = (
    "{% set reply = messages[-1].content %}{% set turns = messages[:-1] %}"
    "{% set prompt %}{% for turn in turns %}{% if turns | length > 1 %}{{ turn.role | capitalize }}: {% endif %}{{ turn.content }}"
    '{% if not loop.last %}{{ "\\n\\n" }}{% endif %}{% endfor %}{% endset %}'
)
_USUAL = {"{prompt}": "prompt", "{response}": "reply"}


def fetched(spec: Spec, name: str) -> Path:
    """Where a published text of a guard lies once it was fetched; `name` is one of `Ask.published`."""
    return cache_folder() / "guards" / spec.id / f"{name}.txt"


def instruction(spec: Spec, name: str = "text") -> str:
    """Instruction text of a guard: its own, or the published one that was fetched.

    Raises:
        JudgeError: it was not fetched yet, or it is not the one that the adapter names.
    """
    if spec.ask.template == "inline" and name == "text":
        return spec.ask.text
    path = spec.folder / spec.ask.file if spec.ask.file and name == "text" else fetched(spec, name)
    wanted = spec.ask if name == "text" else spec.ask.published[name]
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise JudgeError(
            f"the guard `{spec.id}` is asked with a text that its makers published ({wanted.source or wanted.hub}) and that is not here: "
            f"`alignsuite judge pull {spec.id}` fetches it"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise JudgeError(f"{path}: the text that the guard `{spec.id}` is asked with can't be read ({error})") from None
    found = hashlib.sha256(text.encode()).hexdigest()
    if wanted.sha256 and found != wanted.sha256:
        raise JudgeError(
            f"{path}: its SHA-256 is {found}, wanted {wanted.sha256}: another text than the guard `{spec.id}` was trained with; "
            f"`alignsuite judge pull {spec.id}` fetches that one"
        )
    return text


def framing_of(spec: Spec) -> Framing:
    """Framing with which a guard's model is to be opened.

    Raises:
        JudgeError: a text is missing, or is not the right one.
    """
    ask, template, arguments = spec.ask, None, dict(spec.ask.variables)
    for name in ask.published:
        instruction(spec, name)
    if ask.becomes.startswith("variable "):
        arguments[ask.becomes.removeprefix("variable ")] = instruction(spec)
    elif ask.template != "own" and ask.becomes == "prompt":
        template = _jinja(instruction(spec), ask.placeholders, bos=ask.bos)
    shown = messages_of(spec, exchange_of(NONCES[0], Generated(NONCES[1])), NONCES[1])
    return Framing(template, arguments, ask.parts, ask.generation_prompt, shown, NONCES)


def texts_hash(spec: Spec) -> str:
    """Hash, in hex, of all texts that are not in the adapter itself; empty where there are none."""
    texts = [instruction(spec, name) for name in spec.ask.published] + ([instruction(spec)] if spec.ask.file else [])
    return hashlib.sha256("\0".join(texts).encode()).hexdigest() if texts else ""


def messages_of(spec: Spec, exchange: Exchange, reply: str) -> tuple[Message, ...]:
    """Messages that a guard's model gets for an exchange whose reply has this text, which may be a shortened one.

    Raises:
        JudgeError: a text is missing, or can't be rendered.
    """
    ask = spec.ask
    turns = [
        Message(turn.role, _plain(spec, turn.content, exchange)) for turn in exchange.turns if turn.role in ask.roles
    ]
    turns.append(Message("assistant", _plain(spec, reply, exchange)))
    if ask.becomes != "user":
        return tuple(turns)
    roles: dict[Role, tuple[str, Mapping[str, str] | None]] = {"user": (instruction(spec), ask.placeholders)}
    if ask.system is not None:
        roles = {"system": (instruction(spec, "system"), ask.system.placeholders), **roles}
    try:
        return tuple(Message(role, ChatTemplate(_jinja(*text)).render(turns)) for role, text in roles.items())
    except (ModelError, RequestError) as error:
        what = str(error).removeprefix("the model's chat template ").partition(";")[0]
        raise JudgeError(
            f"the text of the guard `{spec.id}` {what}; it is Jinja over `prompt`, `reply` and `turns`"
        ) from None


def pair_of(spec: Spec, exchange: Exchange) -> str | tuple[str, str]:
    """Text, or pair of texts, that a classifier gets."""
    assert isinstance(exchange.reply, Generated)
    reply = _plain(spec, exchange.reply.text, exchange)
    if spec.ask.template == "reply":
        return reply
    turns = [turn for turn in exchange.turns if turn.role in spec.ask.roles]
    if len(turns) == 1:
        return _plain(spec, turns[0].content, exchange), reply
    return "\n\n".join(f"{turn.role.capitalize()}: {_plain(spec, turn.content, exchange)}" for turn in turns), reply


def joined(spec: Spec, prompt: str, reply: str) -> str:
    """Pair as the one text that an inline frame makes of it."""
    return ChatTemplate(_jinja(spec.ask.text, None)).render([Message("user", prompt), Message("assistant", reply)])


def shortened(text: str, characters: int) -> str:
    """Text with its middle left out: three quarters of the characters from its beginning, one from its end."""
    if len(text) <= characters:
        return text
    tail = characters // 4
    return f"{text[: characters - tail]} {PLACEHOLDER} {text[-tail:]}"


def _plain(spec: Spec, text: str, exchange: Exchange) -> str:
    """Text as it may be sent: no halves of surrogate pairs, and no words that tell the group where those are masked."""
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return hide(text, exchange.masked) if spec.ask.masked and exchange.masked else text


def _jinja(text: str, placeholders: Mapping[str, str] | None, *, bos: bool = False) -> str:
    """Template over messages from a published text: literally, but for its placeholders."""
    beginning = "{{ bos_token }}" if bos else '{{ "" }}'  # an expression: Jinja strips the line's end behind a block
    if placeholders is None and ("{{" in text or "{%" in text):
        return _NAMES + beginning + text + '{{ "" }}'  # without which Jinja drops the last line's end
    places = _USUAL if placeholders is None else placeholders
    pieces = re.split("(" + "|".join(map(re.escape, places)) + ")", text) if places else [text]
    return (
        _NAMES
        + beginning
        + "".join(f"{{{{ {places[one]} }}}}" if one in places else _literal(one) for one in pieces if one)
    )


def _literal(text: str) -> str:
    escaped = text.encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return f'{{{{ "{escaped}" }}}}'
