"""Transformers engine: a `TransformersModel` in this process, of a base, chat or encoder-decoder checkpoint.

Opening reads the configuration and the tokenizer, checks that the weights are all there, and hashes them; they load at the first
`answer`. Requests are answered in batches: a wave of Choose requests is one walk over the tree of their tokens
(`transformers.tree`), Generate requests of like length are padded to one batch (`transformers.write`). Replies depend on their
company no further than floating-point sums do; `TransformersModel.batch_floor` measures how far that is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alignsuite.errors import ModelError, RequestError
from alignsuite.models.engines.framing import Asking, asking_by
from alignsuite.models.engines.transformers.adapter import Adapter, read_adapter
from alignsuite.models.engines.transformers.feed import Feed
from alignsuite.models.engines.transformers.files import Checkpoint, read_checkpoint
from alignsuite.models.engines.transformers.floor import BatchFloor, batch_floor
from alignsuite.models.engines.transformers.hub import Snapshot, fetch_snapshot
from alignsuite.models.engines.transformers.loaded import Choice, Loaded
from alignsuite.models.engines.transformers.text import TokenText, named_tokens, own_template, template_for
from alignsuite.models.engines.transformers.weights import (
    check_vocabulary,
    end_tokens,
    load,
    pick_device,
    pick_dtype,
    read_config,
    read_tokenizer,
    versions,
)
from alignsuite.models.engines.transformers.write import Job
from alignsuite.models.identity import fingerprint, folder_identity
from alignsuite.models.protocol import Choose, Form, Framing, ModelInfo, ModelSettings, Reply, Request, ways_of_asking
from alignsuite.models.thoughts import METHOD, mentions
from alignsuite.text.progress import Tell

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

_METHOD = "packed 2"  # goes up when the way of asking changes answers by more than the floating-point floor
_USUAL_CONTEXT = 4096
_WAVE = 64  # Choose requests in one walk; the path to the next wave is kept, so a longer one would share little more


@dataclass(frozen=True, slots=True)
class _Setup:
    """Loading options: how the weights are to be loaded."""

    checkpoint: Checkpoint
    adapter: Adapter | None
    device: str
    dtype: str
    trust_remote_code: bool
    threads: int | None
    thinking: int = 0


def open_target(target: str, name: str, form: Form, settings: ModelSettings) -> TransformersModel:
    """Checkpoint on the hub (`hf:ORG/NAME[@REV]`, whatever lies here) or in a folder (a path); see `Engine.open`."""
    return open_transformers(
        target.removeprefix("hf:") if target.startswith("hf:") else Path(target).expanduser(),
        name=name,
        form=form,
        cache=settings.cache,
        device=settings.device,
        adapter=settings.adapter,
        trust_remote_code=settings.trust_remote_code,
        allow_pickle=settings.allow_pickle,
        threads=settings.threads,
        context=settings.context,
        progress=settings.progress,
        template_arguments=settings.template_arguments,
        thinking_tokens=settings.thinking_tokens,
        framing=settings.framing,
    )


def open_transformers(
    place: str | Path,
    *,
    cache: Path,
    name: str | None = None,
    form: Form = "auto",
    device: str | None = None,
    adapter: str | None = None,
    trust_remote_code: bool = False,
    allow_pickle: bool = False,
    threads: int | None = None,
    context: int | None = None,
    progress: Tell | None = None,
    template_arguments: Mapping[str, object] | None = None,
    thinking_tokens: int = 0,
    framing: Framing | None = None,
) -> TransformersModel:
    """Checkpoint in a folder (a `Path`) or on the hub (a `str`: `ORG/NAME[@REV]`), its weights not loaded yet.

    `form` is `auto` (chat where the tokenizer has a template), `chat` or `raw`. `device` is `cpu`, `cuda`, `cuda:1` or `mps`, by
    default the best there is. `adapter` is the folder or hub name of a LoRA adapter. `context` is in tokens, by default the model's own.
    `cache` remembers the hashes of files. `template_arguments` go to the chat template; `thinking_tokens` is what a reply may take on top
    of its request's tokens. A `framing` takes the place of the tokenizer's template, or of how it is used.

    Raises:
        ModelError: a library, a file or the device is missing, something is broken, it does not fit the form, context, adapter or
            arguments, or it needs an option that lets it run code.
    """
    engine = versions(adapter=adapter is not None)
    chosen = pick_device(device)
    snapshot = None if isinstance(place, Path) else fetch_snapshot(place, code=trust_remote_code, pickles=allow_pickle)
    checkpoint = read_checkpoint(snapshot.folder if snapshot else Path(place), allow_pickle=allow_pickle)
    shown = name or (f"hf:{place}" if snapshot else str(place))
    config = read_config(checkpoint, trust_remote_code=trust_remote_code)
    tokenizer = read_tokenizer(checkpoint, trust_remote_code=trust_remote_code)
    rows = check_vocabulary(checkpoint, config, tokenizer)
    asking = _asking(tokenizer, checkpoint, shown, form, template_arguments or {}, framing)
    added, adapter_identity = _adapter(adapter, checkpoint, snapshot, allow_pickle, cache)
    setup = _Setup(
        checkpoint, added, chosen, pick_dtype(chosen, checkpoint), trust_remote_code, threads, thinking_tokens
    )
    weights = (
        f"{snapshot.repository}@{snapshot.commit}"
        if snapshot
        else folder_identity(checkpoint.folder, cache=cache, progress=progress)
    )
    length = _context(config, context, shown, pair=checkpoint.is_pair)
    text = TokenText(tokenizer, asking.template, pair=checkpoint.is_pair, name=shown, rows=rows)
    thinks = [METHOD] if mentions(asking.source) or text.marks else []
    info = ModelInfo(
        name=shown,
        fingerprint=fingerprint(
            weights,
            engine,
            chosen.partition(":")[0],
            setup.dtype,
            _METHOD,
            asking.source,
            adapter_identity,
            *thinks,
            *ways_of_asking(template_arguments or {}, {}, thinking_tokens),
        ),
        engine=engine,
        can_chat=asking.template is not None,
        can_choose=True,
        context_length=length,
        details={
            "architecture": checkpoint.architecture,
            "commit" if snapshot else "weights_sha256": snapshot.commit if snapshot else weights,
            "device": chosen,
            "dtype": setup.dtype,
            "adapter": str(adapter or ""),
            "adapter_identity": adapter_identity,
            **asking.details,
        },
    )
    return TransformersModel(info, setup, tokenizer, text, length)


class TransformersModel:
    """Transformers checkpoint that answers requests; made by `open_transformers`."""

    def __init__(
        self, info: ModelInfo, setup: _Setup, tokenizer: PreTrainedTokenizerBase, text: TokenText, context: int
    ) -> None:
        self.info = info
        self._setup, self._tokenizer, self._text, self._context = setup, tokenizer, text, context
        self._loaded: Loaded | None = None
        self._closed = threading.Event()

    def answer(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply | RequestError]]:
        """Replies in batches of what has arrived, the oldest request's kind first.

        A batch's replies come as soon as it is done.

        Raises:
            ModelError: the weights don't load, or the model was closed while it was answering. What the iterator of requests
                raises is raised after the replies to all it had given.
        """
        self._closed.clear()
        width = 2 * (self._loaded.rows.size if self._loaded else 32 if self._setup.device == "cpu" else 128)
        feed = Feed(requests, max(width, _WAVE))
        waiting: list[Job | Choice] = []
        try:
            while True:
                for request in feed.pull(wait=not waiting):
                    ready = self._ready(request)
                    if isinstance(ready, RequestError):
                        yield request, ready
                        feed.done()
                    else:
                        waiting.append(ready)
                if not waiting and feed.ended:
                    break
                if waiting:
                    for result in self._batch(waiting):
                        yield result
                        feed.done()
            feed.raise_failure()
        finally:
            feed.close()

    def close(self) -> None:
        """Free the weights and end an answer that is under way; a later `answer` would load them again."""
        self._closed.set()
        if self._loaded is not None:
            from alignsuite.models.engines.transformers.memory import free_what_is_unused

            self._loaded = None
            free_what_is_unused()

    def batch_floor(self, requests: Sequence[Request] | None = None) -> BatchFloor:
        """Batch effect: how much replies depend on what they are batched with; see `BatchFloor`. Loads the weights."""

        def forget() -> None:
            self._weights().forget()

        return batch_floor(self.answer, forget, requests)

    def _ready(self, request: Request) -> Job | Choice | RequestError:
        """Tokenized request, or the `RequestError` that says why it can't be asked."""
        try:
            if isinstance(request, Choose):
                found = self._text.split(request)
                self._check_length(len(found.prompt), max(map(len, found.options)))
                return Choice(request, found)
            if request.max_tokens < 1:
                raise RequestError("unsupported", f"max_tokens is {request.max_tokens}; one token or more was wanted")
            tokens = self._text.prompt(request.prompt)
            job = Job(request, tokens, self._setup.thinking)
            self._check_length(len(tokens), job.limit)
            return job
        except RequestError as error:
            return error

    def _batch(self, waiting: list[Job | Choice]) -> Iterator[tuple[Request, Reply | RequestError]]:
        """Replies of one batch with the oldest request in it, which is taken off the list."""
        loaded = self._weights()
        if isinstance(waiting[0], Choice):
            choices = [one for one in waiting if isinstance(one, Choice)][:_WAVE]
            taken: Sequence[Job | Choice] = choices
            replies = loaded.choose(choices)
        else:
            jobs = length_batch([one for one in waiting if isinstance(one, Job)], loaded.rows.size, padded=loaded.pads)
            taken, replies = jobs, loaded.generate(jobs)
        gone = set(map(id, taken))
        waiting[:] = [one for one in waiting if id(one) not in gone]
        return iter([(one.request, reply) for one, reply in zip(taken, replies, strict=True)])

    def _weights(self) -> Loaded:
        if self._loaded is None:
            setup = self._setup
            if setup.threads is not None:
                import torch

                torch.set_num_threads(setup.threads)
            model = load(
                setup.checkpoint,
                setup.adapter,
                device=setup.device,
                dtype=setup.dtype,
                trust_remote_code=setup.trust_remote_code,
            )
            self._loaded = Loaded(model, self._text, end_tokens(model, self._tokenizer), stopped=self._raise_if_closed)
        return self._loaded

    def _raise_if_closed(self) -> None:
        if self._closed.is_set():
            raise ModelError("the model was closed while requests were under way; open it again to ask on")

    def _check_length(self, prompt: int, more: int) -> None:
        """An encoder and its decoder each have the whole context to themselves."""
        pair = self._setup.checkpoint.is_pair
        if max(prompt, more) > self._context if pair else prompt + more > self._context:
            raise RequestError(
                "context_too_long",
                f"the prompt's {prompt} tokens and {more} more for the reply are over the context of {self._context}; "
                f"shorten it, or {'lower --align-thinking-tokens' if self._setup.thinking else 'use a model with a longer context'}",
            )


def length_batch(jobs: Sequence[Job], size: int, *, padded: bool = True) -> list[Job]:
    """Batch that holds the oldest job and those nearest to it in length.

    Of equal length only, if the model reads padding.
    """
    oldest = jobs[0]
    if not padded:
        return [job for job in jobs if len(job.prompt) == len(oldest.prompt)][:size]
    by_length = sorted(jobs, key=lambda job: len(job.prompt))
    place = next(index for index, job in enumerate(by_length) if job is oldest)
    first = max(0, min(place - size // 2, len(jobs) - size))
    return by_length[first : first + size]


def _asking(
    tokenizer: PreTrainedTokenizerBase,
    checkpoint: Checkpoint,
    name: str,
    form: Form,
    arguments: Mapping[str, object],
    framing: Framing | None,
) -> Asking:
    """How to ask: by a framing, else by the tokenizer's own template, else in raw text."""
    if framing is not None:
        return asking_by(framing, own_template(tokenizer, checkpoint.folder), arguments, named_tokens(tokenizer))
    template = template_for(tokenizer, form, name, arguments, folder=checkpoint.folder)
    return Asking(template, (own_template(tokenizer, checkpoint.folder) or "") if template else "")


def _adapter(
    named: str | None, base: Checkpoint, snapshot: Snapshot | None, allow_pickle: bool, cache: Path
) -> tuple[Adapter | None, str]:
    """Adapter and its identity; it may be a folder, or a name on the hub."""
    if named is None:
        return None, ""
    folder, commit = Path(named).expanduser(), ""
    if not folder.is_dir():
        fetched = fetch_snapshot(
            named.removeprefix("hf:"), pickles=allow_pickle, wanted="--align-adapter=FOLDER or ORG/NAME[@REVISION]"
        )
        folder, commit = fetched.folder, f"{fetched.repository}@{fetched.commit}"
    adapter = read_adapter(folder, base, base_name=snapshot.repository if snapshot else None, allow_pickle=allow_pickle)
    return adapter, commit or folder_identity(folder, cache=cache)


def _context(config: PreTrainedConfig, asked: int | None, name: str, *, pair: bool) -> int:
    """Context length in tokens: the model's own, or less where that was asked for."""
    text = config.get_text_config()
    relative = getattr(text, "relative_attention_num_buckets", None) is not None
    found = None if relative else getattr(text, "max_position_embeddings", None)
    own = found if isinstance(found, int) and found > 0 else None
    if asked is None:
        return own or _USUAL_CONTEXT
    if asked < 16 or (own and asked > own):
        raise ModelError(f"{name}: a context of {asked} tokens does not fit; 16 to {own or 'any number'} were wanted")
    return asked
