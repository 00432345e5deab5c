"""llama.cpp engine: a `LlamaCppModel` from a GGUF file, answered in this process.

Prompts reach the engine as token ids that are made here, so that it is known what the model saw: the chat template is
rendered in Python, special tokens are read from the template and never from a user's text, and the begin token stands
there once. Replies are the same whatever was asked before (see `llamacpp.server`), so a store filled in another order
holds the same replies.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path

from alignsuite.errors import ModelError, RequestError
from alignsuite.models.embedded import obtain
from alignsuite.models.engines.chat_template import ChatTemplate, SpecialText, refuse_arguments
from alignsuite.models.engines.framing import Asking, asking_by
from alignsuite.models.engines.llamacpp.gguf import GgufHeader, read_header
from alignsuite.models.engines.llamacpp.server import SETUP, LlamaServer
from alignsuite.models.engines.option_tree import OptionTokens, check_options, log_likelihoods, split_options
from alignsuite.models.engines.spellings import Spellings, added_up
from alignsuite.models.hub import fetch_gguf
from alignsuite.models.identity import fingerprint, pieces_identity
from alignsuite.models.protocol import (
    Choose,
    Chosen,
    Finish,
    Form,
    Framing,
    Generate,
    Generated,
    Message,
    ModelInfo,
    ModelSettings,
    Prompt,
    Reply,
    Request,
    request_key,
    ways_of_asking,
)
from alignsuite.models.thoughts import METHOD, kept_specials, mentions
from alignsuite.text.progress import Tell

_USUAL_CONTEXT = 4096
_FINISHES: Mapping[str, Finish] = {"stop": "stop", "length": "length"}  # another word is no reply
_SEEDS = 2**32 - 1  # the largest value means "any seed" to llama.cpp


def open_target(target: str, name: str, form: Form, settings: ModelSettings) -> LlamaCppModel:
    """GGUF model of `embedded:NAME`, `gguf:ORG/NAME/FILE[@REV]` or a path; see `Engine.open`."""
    return LlamaCppModel(
        _file(target, name, settings),
        cache=settings.cache,
        name=name,
        form=form,
        context=settings.context,
        threads=settings.threads,
        progress=settings.progress,
        template_arguments=settings.template_arguments,
        thinking_tokens=settings.thinking_tokens,
        framing=settings.framing,
    )


def _file(target: str, name: str, settings: ModelSettings) -> Path:
    """Path of the target's GGUF file, fetched if it is not here yet."""
    scheme, _, rest = target.partition(":")
    if scheme == "embedded":
        if rest != "smollm2-135m":
            raise ModelError(f"--model={name}: the only embedded model is `smollm2-135m`")
        return obtain(settings.cache, progress=settings.progress)
    return fetch_gguf(rest) if scheme == "gguf" else Path(target).expanduser()


class LlamaCppModel:
    """GGUF model: a checkpoint file that llama.cpp answers for.

    Opening reads the header and hashes the file (0.1 s for 100 MB, once); weights load at the first `answer`. `form` is
    `auto` (chat where the file has a template), `chat` or `raw`. `context` is in tokens, by default the model's own or
    4096, whichever is less; `threads` is by default every processor this process may use. `template_arguments` go to the
    chat template; `thinking_tokens` is what a reply may take on top of its request's tokens, and the usual context grows by it.
    A `framing` takes the place of the file's template, or of how it is used.

    Raises:
        ModelError: the file is broken, the engine is missing, the form, context or an argument does not fit the file.
    """

    info: ModelInfo

    def __init__(
        self,
        path: Path,
        *,
        cache: Path,
        name: str | None = None,
        form: Form = "auto",
        context: int | None = None,
        threads: int | None = None,
        progress: Tell | None = None,
        template_arguments: Mapping[str, object] | None = None,
        thinking_tokens: int = 0,
        framing: Framing | None = None,
    ) -> None:
        self._header = read_header(path)
        self._server: LlamaServer | None = None
        self._spellings: Spellings | None = None
        self._threads = threads or _processors()
        self._thinking = thinking_tokens
        self._context = _context(self._header, context, thinking_tokens)
        asking = _asking(self._header, form, template_arguments or {}, framing)
        self._template = asking.template
        self._kept = kept_specials(self._header.special_tokens)
        self._special = SpecialText(self._header.special_tokens)
        weights = pieces_identity(_pieces(self._header), cache=cache, progress=progress)
        engine = f"xllamacpp {_version()}"
        self.info = ModelInfo(
            name=name or str(path),
            fingerprint=fingerprint(
                weights,
                engine,
                SETUP,
                asking.source,
                *([METHOD] if mentions(asking.source) or self._kept else []),
                *ways_of_asking(template_arguments or {}, {}, thinking_tokens),
            ),
            engine=engine,
            can_chat=self._template is not None,
            can_choose=True,
            context_length=self._context,
            details={
                "weights_sha256": weights,
                "architecture": self._header.architecture,
                "title": self._header.name or "",
                **asking.details,
            },
        )

    def answer(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply | RequestError]]:
        """Replies one after another, in the order asked; requests that share a prefix should stand together.

        Raises:
            ModelError: the weights don't load.
        """
        for request in requests:
            server = self._loaded()
            start = time.perf_counter()
            try:
                reply: Reply | RequestError = self._reply(server, request, start)
            except RequestError as error:
                reply = error
            yield request, reply

    def close(self) -> None:
        """Free the weights; a later `answer` would load them again."""
        if self._server is not None:
            self._server.close()
            self._server = self._spellings = None

    def _loaded(self) -> LlamaServer:
        if self._server is None:
            path, vocabulary = self._header.path, self._header.vocab_size
            if vocabulary is None:
                raise ModelError(
                    f"{path}: the file holds no vocabulary; convert the model again together with its tokenizer"
                )
            self._server = LlamaServer(path, context=self._context, threads=self._threads, vocabulary=vocabulary)
        return self._server

    def _reply(self, server: LlamaServer, request: Request, start: float) -> Reply:
        if isinstance(request, Choose):
            return self._choose(server, request, start)
        return self._generate(server, request, start)

    def _generate(self, server: LlamaServer, request: Generate, start: float) -> Generated:
        if request.max_tokens < 1:
            raise RequestError("unsupported", f"max_tokens is {request.max_tokens}; one token or more was wanted")
        tokens = self._tokens(server, request.prompt)
        limit = request.max_tokens + self._thinking
        self._check_length(len(tokens), limit)
        answer = server.complete(tokens, {**_decoding(request), "max_tokens": limit, **self._specials()})
        try:
            choice, usage = answer["choices"][0], answer["usage"]
            return Generated(
                text=self._opening(request.prompt) + str(choice["text"]),
                finish=_FINISHES[choice["finish_reason"]],
                prompt_tokens=len(tokens),
                completion_tokens=int(usage["completion_tokens"]),
                seconds=time.perf_counter() - start,
            )
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise RequestError("bad_answer", f"llama.cpp's answer holds no text ({error!r})") from error

    def _specials(self) -> dict[str, object]:
        """Option that leaves the special tokens in a text that mark thoughts; llama.cpp drops them else."""
        return {"preserved_tokens": self._kept} if self._kept else {}

    def _opening(self, prompt: Prompt) -> str:
        """Mark that opens the thought in the prompt already, and belongs to what was thought."""
        return "" if self._template is None or isinstance(prompt, str) else self._template.opening(prompt)

    def _choose(self, server: LlamaServer, request: Choose, start: float) -> Chosen:
        found = self._split(server, request)
        self._check_length(len(found.prompt), max(map(len, found.options)))

        def look(prefix: list[int], wanted: Set[int]) -> dict[int, float]:
            return server.next_token(prefix, wanted, behind=len(prefix) > len(found.prompt))

        log_probs = tuple(min(0.0, value) for value in added_up(found, log_likelihoods(found, look)))
        return Chosen(
            log_probs=log_probs,
            exact=float("-inf") not in log_probs,
            prompt_tokens=len(found.prompt),
            completion_tokens=sum(len(found.options[place]) for place in found.own),
            seconds=time.perf_counter() - start,
        )

    def _split(self, server: LlamaServer, request: Choose) -> OptionTokens:
        prompt = self._tokens(server, request.prompt)
        found = split_options(prompt, [self._tokens(server, request.prompt, option) for option in request.options])
        check_options(found, request.options)
        if isinstance(request.prompt, str) or any(
            self._special.cut(option, "|") != option for option in request.options
        ):
            return found
        if self._spellings is None:
            self._spellings = Spellings(lambda texts: [server.tokenize(text, special=True) for text in texts])
        return self._spellings.add(found, self._pieces_of(request.prompt, "")[-1], request.options)

    def _tokens(self, server: LlamaServer, prompt: str | tuple[Message, ...], option: str = "") -> list[int]:
        """Token ids of the prompt with an option behind it, as the model will see them."""
        if isinstance(prompt, str):
            tokens = server.start + server.tokenize(prompt + option, special=False)
        else:
            pieces = self._pieces_of(prompt, option)
            tokens = server.start + [
                token for piece in pieces if piece for token in server.tokenize(piece, special=True)
            ]
        if not tokens:
            raise RequestError("unsupported", "the prompt is empty; this model needs one token or more to go on from")
        return tokens

    def _pieces_of(self, prompt: tuple[Message, ...], option: str) -> list[str]:
        if self._template is None:
            raise RequestError(
                "unsupported",
                f"{self.info.name} is asked without a chat template, so it takes no conversation; send raw text",
            )
        mark = self._special.mark_for(option, *(message.content for message in prompt))
        safe = [Message(message.role, self._special.cut(message.content, mark)) for message in prompt]
        text = self._template.render(safe)
        if self._server is not None and self._server.start:  # the tokenizer's own begin tokens stand there already
            text = text.removeprefix(self._header.named_tokens["bos_token"])
        return (text + self._special.cut(option, mark)).split(mark)

    def _check_length(self, prompt: int, more: int) -> None:
        if prompt + more > self._context:
            raise RequestError(
                "context_too_long",
                f"the prompt's {prompt} tokens and {more} more for the reply are over the context of {self._context}; "
                f"shorten it, or {'lower --align-thinking-tokens' if self._thinking else 'open the model with a longer context'}",
            )


def _decoding(request: Generate) -> dict[str, object]:
    """Decoding options of a request: greedy at temperature 0.

    Above it, plain sampling at that temperature from the whole distribution, seeded by the request.
    """
    options: dict[str, object] = {
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stop": list(request.stop),
    }
    if request.temperature > 0:
        seed = int(request_key(request)[:16], 16) % _SEEDS
        options |= {"seed": seed, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "samplers": ["temperature"]}
    return options


def _asking(header: GgufHeader, form: Form, arguments: Mapping[str, object], framing: Framing | None) -> Asking:
    """How to ask: by a framing, else by the file's own template, else in raw text."""
    if framing is not None:
        return asking_by(framing, header.chat_template, arguments, header.named_tokens)
    template = _template(header, form, arguments)
    return Asking(template, (header.chat_template or "") if template else "")


def _template(header: GgufHeader, form: Form, arguments: Mapping[str, object]) -> ChatTemplate | None:
    if form == "raw":
        refuse_arguments(str(header.path), arguments)
        return None
    if header.chat_template is None and header.named_templates:
        names = ", ".join(f"`{name}`" for name in header.named_templates)
        raise ModelError(
            f"{header.path}: holds the chat templates {names}, and none for plain conversations, so it is not known how to ask; convert "
            "it with one, or ask in raw text (--stage=pretraining)"
        )
    if header.chat_template is None:
        if form == "auto":
            refuse_arguments(str(header.path), arguments)
            return None
        raise ModelError(
            f"{header.path}: holds no chat template, so it can't be asked as a chat model; ask it raw, or convert it with one"
        )
    try:
        return ChatTemplate(header.chat_template, tokens=header.named_tokens, arguments=arguments)
    except ModelError as error:
        raise ModelError(f"{header.path}: {error}") from error


def _context(header: GgufHeader, asked: int | None, thinking: int) -> int:
    own, usual = header.context_length, _USUAL_CONTEXT + thinking
    if asked is None:
        return min(own or usual, usual)
    if asked < 16 or (own and asked > own):
        raise ModelError(
            f"{header.path}: a context of {asked} tokens does not fit; 16 to {own or 'any number'} were wanted"
        )
    return asked


def _pieces(header: GgufHeader) -> list[Path]:
    """Paths of all files of split weights; llama.cpp finds the others by the first one's name."""
    if header.pieces == 1:
        return [header.path]
    named = re.fullmatch(r"(.*)-00001-of-(\d{5})\.gguf", header.path.name)
    if not named or int(named[2]) != header.pieces:
        first = f"NAME-00001-of-{header.pieces:05}.gguf"
        raise ModelError(
            f"{header.path}: is one of {header.pieces} pieces; name the first of them, which must be called {first}"
        )
    files = [
        header.path.with_name(f"{named[1]}-{index:05}-of-{named[2]}.gguf") for index in range(1, header.pieces + 1)
    ]
    for file in files:
        if not file.is_file():
            raise ModelError(
                f"{file}: there is no such file; it is one of the {header.pieces} pieces of {header.path.name}"
            )
    return files


def _version() -> str:
    try:
        return importlib.metadata.version("xllamacpp")
    except importlib.metadata.PackageNotFoundError:
        raise ModelError(
            "GGUF models run in llama.cpp, which is not installed: pip install 'alignsuite[llamacpp]'"
        ) from None


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
