"""llama.cpp server in this process: one loaded model, spoken to in token ids.

Completions run in process through `xllamacpp`; it has no call for tokenizing, so that goes to the HTTP server which the
library opens on a loopback port anyway. That port would answer anybody on the machine: it is given a random key of its own
here (without the key it says 401 to all that matters), and its pages and slot listing are switched off.

The same request must get the same reply, bit by bit, whatever was asked before. llama.cpp's kernels give a token other
numbers when it is read alone than when it is read together with others (log-probabilities of unlikely tokens move by up to 0.3), so what is
read together is fixed here:

- One slot: a reply can't depend on what it was batched with. On two cores four slots were only a quarter faster.
- No flash attention: with it even long and short batches differ (by up to 0.5, and greedy replies to long prompts change).
- A prompt is read with at least two tokens at a time and shares its beginning with the prompt before it, but never with text
  that was generated or scored. Where that can't be kept, it is read afresh. Behind the prompt, one token is read at a time.
- Whether shared beginnings really change nothing on this processor is tried out when the weights are loaded; where they do,
  every prompt is read afresh (`shares` is False), which costs speed and nothing else.

Threads that wait for each other sleep instead of spinning, unless OMP_WAIT_POLICY says otherwise: on a machine that does
other work too (pytest-xdist beside the model), spinning is ten times slower.

Layers go to a GPU where the library finds one (its default); replies are then as reproducible as the GPU's kernels.
"""

from __future__ import annotations

import http.client
import importlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Set
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, cast

from alignsuite.errors import ModelError, RequestError
from alignsuite.models.engines.option_tree import shared_length

SETUP = "slots=1 flash=off prompt=batch spellings=1"
"""Part of the fingerprint: what above can move a number."""

_FEW = 1024
_BATCH = 512  # llama.cpp reads a prompt in pieces of so many tokens
_LOG_DELAY_S = 0.3  # its log is written by a thread of its own
_UNDERFLOWN = -1e30
_ROUNDING = 1e-3  # single precision: the sum over a vocabulary can be 1.0002
_LOOK: dict[str, object] = {"max_tokens": 1, "temperature": 0.0, "logprobs": _FEW}
_SAMPLE = "The river rose in the night, and by morning the old bridge was gone. Who would tell the miller, and how?"


class LlamaServer:
    """Loaded model: the weights in memory, behind llama.cpp's own server.

    Raises:
        ModelError: llama.cpp could not load the file, or the weights give no numbers.
    """

    def __init__(self, path: Path, *, context: int, threads: int, vocabulary: int) -> None:
        self._vocabulary = vocabulary
        self._key = secrets.token_urlsafe(32)
        self._server = _load(path, context, threads, self._key)
        self._connection: http.client.HTTPConnection | None = None
        self._read: list[int] = []  # the prompt that was read last, token by token
        self.shares = False
        try:
            self.start, sample = self._special_ends()
            self.shares = self._try_out(self.start + sample, path)
        except BaseException:  # Ctrl-C too: weights and port must not outlive the attempt
            self.close()
            raise

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Token ids of a text, without begin or end tokens; `special` reads spelled special tokens as such."""
        return self._tokens({"content": _encodable(text), "add_special": False, "parse_special": special})

    def complete(self, tokens: list[int], options: dict[str, object]) -> dict[str, Any]:
        """Completion of a prompt given as token ids: the server's answer.

        Raises:
            RequestError: the server refused or failed.
        """
        shared = shared_length(tokens, self._read)
        reuse = self.shares and _may_share(len(tokens), shared)
        answer = self._complete(tokens, options, reuse=reuse)
        if reuse and answer.get("timings", {}).get("cache_n") != shared:  # it went on into generated text
            answer = self._complete(tokens, options, reuse=False)
        self._read = tokens
        return answer

    def next_token(self, tokens: list[int], wanted: Set[int], *, behind: bool = False) -> dict[int, float]:
        """Next-token distribution: natural-log probabilities of at least the wanted tokens.

        `-inf` stands where a probability is too small for a float.

        Asks for the likeliest thousand, and only where one is missing for the whole vocabulary, which takes six times as long.
        `behind` says that all but the last token were just read: that one is read alone.

        Raises:
            RequestError: the server failed, or the numbers are none (NaN).
        """
        shown: dict[int, float] = {}
        for count in (_FEW, self._vocabulary):
            options = {**_LOOK, "logprobs": count}
            shown = _likeliest(
                self._complete(tokens, options, reuse=True) if behind else self.complete(tokens, options)
            )
            if wanted <= shown.keys():
                return shown
        missing = sorted(wanted - shown.keys())[:5]
        raise RequestError(
            "bad_answer", f"llama.cpp gave no probability for tokens {missing} of a vocabulary of {self._vocabulary}"
        )

    def close(self) -> None:
        """Free the weights and the port."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._server = None

    def _complete(self, tokens: list[int], options: dict[str, object], *, reuse: bool) -> dict[str, Any]:
        try:
            answer = self._server.handle_completions({"prompt": tokens, "cache_prompt": reuse, **options})
        except Exception as error:  # the binding raises what C++ threw: that request failed, and its reply is unread
            raise RequestError("server_error", f"llama.cpp failed: {error}") from error
        if not isinstance(answer, dict) or "error" in answer:
            _refused(answer)
        return cast(dict[str, Any], answer)

    def _try_out(self, tokens: list[int], path: Path) -> bool:
        """Whether a shared beginning changes nothing here, tried on the loaded weights.

        Weights that give NaN are told at once, not at the thousandth reply.
        """
        try:
            afresh = _likeliest(self._complete(tokens, _LOOK, reuse=False))
            for new in (2, len(tokens) // 2):
                other = [*tokens[:-new], *reversed(tokens[-new:])]
                self._complete(other, _LOOK, reuse=False)
                again = self._complete(tokens, _LOOK, reuse=True)
                if (
                    again.get("timings", {}).get("cache_n") != shared_length(tokens, other)
                    or _likeliest(again) != afresh
                ):
                    return False
        except RequestError as error:
            raise ModelError(f"{path}: loaded, but the first try gave no usable numbers: {error}") from error
        return True

    def _special_ends(self) -> tuple[list[int], list[int]]:
        """Begin tokens that this model's tokenizer puts before every text, and the tokens of some text to try it with."""
        whole = self._tokens({"content": _SAMPLE, "add_special": True, "parse_special": False})
        bare = self._tokens({"content": _SAMPLE, "add_special": False, "parse_special": False})
        for index in range(len(whole) - len(bare) + 1):
            if whole[index : index + len(bare)] == bare:
                return whole[:index], bare
        return [], bare

    def _tokens(self, body: dict[str, object]) -> list[int]:
        tokens = self._post("/tokenize", body).get("tokens")
        if not isinstance(tokens, list):
            raise RequestError("bad_answer", "llama.cpp's tokenizer gave no tokens")
        return [int(token) for token in tokens]

    def _post(self, path: str, body: dict[str, object]) -> dict[str, Any]:
        """Answer of the loopback port to a POST; tried again on a fresh connection, since the server drops idle ones."""
        data = json.dumps(body).encode("ascii")
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        problem: Exception | None = None
        for _ in range(2):
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    self._server.listening_address.removeprefix("http://"), timeout=600
                )
            try:
                self._connection.request("POST", path, data, headers)
                answer = json.loads(self._connection.getresponse().read())
            except (http.client.HTTPException, OSError, ValueError) as error:
                problem = error
                self._connection.close()
                self._connection = None
                continue
            if not isinstance(answer, dict) or "error" in answer:
                _refused(answer)
            return answer
        raise RequestError("connection", f"llama.cpp's own port did not answer {path}: {problem}")


def _may_share(length: int, shared: int) -> bool:
    """Whether a prompt may share its cached prefix without changing a number.

    The tokens behind the shared ones must be read as in a prompt that shares nothing: none of them alone.
    """
    new = length - shared
    return shared > 0 and new > 1 and new % _BATCH != 1 and length % _BATCH != 1


def _likeliest(answer: dict[str, Any]) -> dict[int, float]:
    try:
        entries = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        shown = {int(entry["id"]): float(entry["logprob"]) for entry in entries}
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise RequestError(
            "bad_answer", "llama.cpp gave no log-probabilities (not a number?); are the weights damaged?"
        ) from error
    if not shown or any(value != value or value > _ROUNDING for value in shown.values()):
        raise RequestError(
            "bad_answer", "llama.cpp's log-probabilities are not numbers (NaN); are the weights damaged?"
        )
    return {token: float("-inf") if value < _UNDERFLOWN else min(value, 0.0) for token, value in shown.items()}


def _refused(answer: object) -> NoReturn:
    error = answer.get("error") if isinstance(answer, dict) else None
    fault = error if isinstance(error, dict) else {}
    kind = "context_too_long" if fault.get("type") == "exceed_context_size_error" else "server_error"
    raise RequestError(kind, f"llama.cpp refused the request: {fault.get('message', 'it gave no reason')}")


def _encodable(text: str) -> str:
    """Text that can be sent: half a surrogate pair is no character, and becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _load(path: Path, context: int, threads: int, key: str) -> Any:  # noqa: ANN401 - the library has no types
    xllamacpp = _library()
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = context
    parameters.n_parallel = 1
    parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    parameters.cache_ram_mib = 0
    parameters.n_ubatch = _BATCH
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.api_keys = [key]
    parameters.ui = parameters.endpoint_slots = parameters.endpoint_props = False
    parameters.verbosity = -1
    try:
        return xllamacpp.Server(parameters)
    except Exception as error:  # the binding raises what C++ threw: there is no model then
        parameters.verbosity = 1
        raise ModelError(f"{path}: llama.cpp can't load it: {_reason(xllamacpp, parameters) or error}") from error


def _library() -> Any:  # noqa: ANN401 - the library has no types
    """llama.cpp's binding, imported.

    OpenMP reads its waiting policy from the environment while it is loaded, and only then.
    """
    unset = "OMP_WAIT_POLICY" not in os.environ
    if unset:
        os.environ["OMP_WAIT_POLICY"] = "passive"
    try:
        return importlib.import_module("xllamacpp")
    except ImportError as error:
        raise ModelError(
            f"GGUF models run in llama.cpp, which can't be imported ({error}): pip install 'alignsuite[llamacpp]'"
        ) from None
    finally:
        if unset:
            del os.environ["OMP_WAIT_POLICY"]


def _reason(xllamacpp: Any, parameters: Any) -> str:  # noqa: ANN401 - the library has no types
    """Reason why loading failed, in llama.cpp's own words.

    It is tried once more with them caught, since the exception does not carry them.
    """
    with tempfile.TemporaryFile() as caught:
        saved = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            with suppress(Exception):  # it is raised already, without words; only the log is wanted here
                xllamacpp.Server(parameters)
            time.sleep(_LOG_DELAY_S)
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        caught.seek(0)
        lines = caught.read().decode("utf-8", "replace").splitlines()
    complaints = [line.partition(" E ")[2] or line for line in lines if " E " in line or "error" in line.lower()]
    return complaints[0][:300] if complaints else ""
