"""Tokenization: text to token ids and back, as a checkpoint's own tokenizer and chat template have it.

The template is rendered here (see `chat_template`), and users' text never becomes a special token: raw text is tokenized with those
switched off, and in a conversation such spellings are cut apart before the template's own are read.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alignsuite.errors import ModelError, RequestError
from alignsuite.models.engines.chat_template import ChatTemplate, SpecialText, refuse_arguments
from alignsuite.models.engines.option_tree import OptionTokens, check_options, split_options
from alignsuite.models.engines.spellings import Spellings
from alignsuite.models.engines.transformers.files import read_json
from alignsuite.models.protocol import Choose, Message, Prompt
from alignsuite.models.thoughts import kept_specials

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_PROCESSORS = "chat_template.json"
_BEHIND = 4  # tokens of the prompt that are decoded with the answer, for the space between them


class TokenText:
    """Tokenizer with its chat template; `template` is None for a model that is asked in raw text.

    `rows` is how many tokens the model knows, where the tokenizer may know more.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        template: ChatTemplate | None,
        *,
        pair: bool,
        name: str,
        rows: int | None = None,
    ) -> None:
        self._rows = rows
        self._tokenizer, self._template, self._pair, self._name = tokenizer, template, pair, name
        self._special = SpecialText(special_texts(tokenizer))
        dropped = {place: str(token) for place, token in tokenizer.added_tokens_decoder.items() if token.special}
        kept = kept_specials(dropped.values())
        self.marks = {place: text for place, text in dropped.items() if text in kept}
        self._before, self._behind = self._frame()
        self._spellings = Spellings(lambda texts: self._ids(texts, special=True))

    def prompt(self, prompt: Prompt) -> list[int]:
        """Token ids of a prompt, as the model will see them.

        Raises:
            RequestError: `unsupported`: it is empty, or a conversation and there is no template.
        """
        return self._joined(prompt, [""])[0]

    def split(self, request: Choose) -> OptionTokens:
        """Token ids of the prompt and of each option; see `option_tree.split_options`.

        Behind a conversation every spelling of an option counts (see `spellings`). A decoder of its own sees the option alone.

        Raises:
            RequestError: `unsupported`: options that are the same to this model, or add nothing to the prompt.
        """
        if self._pair:
            found = OptionTokens(self.prompt(request.prompt), self._ids(list(request.options), special=False))
        else:
            found = split_options(*self._together(request))
        check_options(found, request.options)
        if isinstance(request.prompt, str) or self._pair or any(map(self._spells_special, request.options)):
            return found
        return self._spellings.add(found, self._pieces(request.prompt, "")[-1], request.options)

    def _together(self, request: Choose) -> tuple[list[int], list[list[int]]]:
        prompt, *joined = self._joined(request.prompt, ["", *request.options])
        return prompt, joined

    def _spells_special(self, option: str) -> bool:
        return self._special.cut(option, "|") != option

    def opening(self, prompt: Prompt) -> str:
        """Mark that opens a thought in the prompt already, and belongs to what is thought; empty where there is none."""
        return "" if self._template is None or isinstance(prompt, str) else self._template.opening(prompt)

    def answer(self, prompt: Sequence[int], tokens: Sequence[int]) -> str:
        """Generated text of the tokens behind a prompt; a leading space that was written is kept.

        Special tokens are left out, but for those that mark a thought.
        """
        marked = next((place for place, token in enumerate(tokens) if token in self.marks), len(tokens))
        return self._behind_prompt(prompt, tokens[:marked]) + self._marked(tokens[marked:])

    def _behind_prompt(self, prompt: Sequence[int], tokens: Sequence[int]) -> str:
        if self._pair:
            return self.decode(tokens)
        tail = list(prompt[-_BEHIND:])
        before, whole = self.decode(tail), self.decode([*tail, *tokens])
        return whole[len(before) :] if whole.startswith(before) else self.decode(tokens)

    def _marked(self, tokens: Sequence[int]) -> str:
        """Decoded text of some tokens, with the marks of thoughts among them."""
        groups = itertools.groupby(tokens, lambda token: self.marks.get(token, ""))
        return "".join(mark * len(list(some)) if mark else self.decode(list(some)) for mark, some in groups)

    def decode(self, tokens: Sequence[int]) -> str:
        """Decoded text of some tokens, without special ones."""
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _joined(self, prompt: Prompt, options: list[str]) -> list[list[int]]:
        """Token ids of the prompt with each option behind it."""
        if isinstance(prompt, str):
            bare = self._ids([prompt + option for option in options], special=False)
            found = [[*self._before, *ids, *self._behind] for ids in bare]
        else:
            found = [self._conversation(prompt, option) for option in options]
        highest = max((max(ids, default=0) for ids in found), default=0)
        if self._rows is not None and highest >= self._rows:
            raise RequestError(
                "unsupported",
                f"the prompt holds `{self._tokenizer.convert_ids_to_tokens(highest)}`, token {highest} of the tokenizer, and the model's "
                f"embedding has {self._rows} rows; the chat template writes a token that the model does not know",
            )
        if not all(found):
            raise RequestError("unsupported", "the prompt is empty; this model needs one token or more to go on from")
        return found

    def _conversation(self, prompt: tuple[Message, ...], option: str) -> list[int]:
        pieces = self._pieces(prompt, option)
        ids = [token for piece in self._ids([piece for piece in pieces if piece], special=True) for token in piece]
        return [*ids, *self._behind]

    def _pieces(self, prompt: tuple[Message, ...], option: str) -> list[str]:
        if self._template is None:
            raise RequestError(
                "unsupported",
                f"{self._name} is asked without a chat template, so it takes no conversation; send raw text",
            )
        mark = self._special.mark_for(option, *(message.content for message in prompt))
        safe = [Message(message.role, self._special.cut(message.content, mark)) for message in prompt]
        return (self._template.render(safe) + self._special.cut(option, mark)).split(mark)

    def _ids(self, texts: list[str], *, special: bool) -> list[list[int]]:
        if not texts:
            return []
        found = self._tokenizer(
            texts,
            add_special_tokens=False,
            split_special_tokens=not special,
            return_attention_mask=False,
            verbose=False,
        )
        return [list(ids) for ids in found["input_ids"]]

    def _frame(self) -> tuple[list[int], list[int]]:
        """Special tokens that the tokenizer puts before a text and behind it.

        Behind it only for an encoder, since an end token ends what a decoder would go on with.
        """
        bare, whole = (
            list(self._tokenizer("a", add_special_tokens=added, return_attention_mask=False)["input_ids"])
            for added in (False, True)
        )
        for start in range(len(whole) - len(bare) + 1):
            if whole[start : start + len(bare)] == bare:
                return whole[:start], whole[start + len(bare) :] if self._pair else []
        return [], []


def special_texts(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Special tokens as text: the spellings that a tokenizer reads as one token, or that look like one."""
    added = tokenizer.added_tokens_decoder.values()
    return [str(token) for token in added if token.special or str(token)[:1] + str(token)[-1:] in ("<>", "[]")]


def own_template(tokenizer: PreTrainedTokenizerBase, folder: Path | None = None) -> str | None:
    """Chat template of the tokenizer, its source; of several the one named `default`.

    A checkpoint for pictures and text may hold it in `chat_template.json`, where only its processor looks.

    Raises:
        ModelError: there are several, and none is called `default`.
    """
    found = getattr(tokenizer, "chat_template", None)
    if not found and folder is not None and (folder / _PROCESSORS).is_file():
        found = read_json(folder / _PROCESSORS, wanted="a processor's chat template").get("chat_template")
    if isinstance(found, dict) and found and "default" not in found:
        names = ", ".join(f"`{name}`" for name in sorted(found))
        raise ModelError(
            f"{folder or tokenizer.name_or_path}: its tokenizer holds the chat templates {names}, and none called `default`, so it is not "
            "known how to ask; save the one for plain conversations as `chat_template.jinja` beside the tokenizer, or ask in raw text "
            "(--stage=pretraining)"
        )
    if isinstance(found, dict):
        found = found.get("default")
    return str(found) if found else None


def template_for(
    tokenizer: PreTrainedTokenizerBase,
    form: str,
    name: str,
    arguments: Mapping[str, object],
    *,
    folder: Path | None = None,
) -> ChatTemplate | None:
    """Chat template to ask with, None for raw text.

    Raises:
        ModelError: the form is `chat` and there is no template, it is broken, one of several that is not named, or it does not take the
            arguments.
    """
    if form == "raw":
        refuse_arguments(name, arguments)
        return None
    source = own_template(tokenizer, folder)
    if source is None and form == "auto":
        refuse_arguments(name, arguments)
        return None
    if source is None:
        raise ModelError(
            f"{name}: its tokenizer holds no chat template, so it can't be asked as a chat model; ask it raw "
            "(--stage=pretraining), or put the template it was trained with into `chat_template.jinja` beside its tokenizer"
        )
    try:
        return ChatTemplate(source, tokens=named_tokens(tokenizer), arguments=arguments)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from error


def named_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[str, object]:
    """Special tokens by the names that templates use: the tokenizer's whole map, and those without a name in a list."""
    more = getattr(tokenizer, "extra_special_tokens", None) or getattr(tokenizer, "additional_special_tokens", None)
    rest = [str(token) for token in more or ()]
    return {"additional_special_tokens": rest, "extra_special_tokens": rest, **tokenizer.special_tokens_map}
