"""A loopback OpenAI-compatible server that misbehaves on request.

It speaks real HTTP over a real socket, because what breaks against endpoints breaks there: half a body, a reset, a date
in `Retry-After`. A plan decides for each request whether it is answered well or what happens to it instead; everything
asked is kept in `asked`. Replies are functions of the request alone, so a run with faults must end with the replies of
one without.

    with OpenAIServer(plan=first_tries(1, refusal(503, "warming up"))) as server:
        ...  # server.url, server.asked, server.most_at_once

`python openai_server.py --latency 0.05` serves until stdin closes and prints its URL: for benchmarks, which want it in
a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import socket
import struct
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

LETTERS = {"A": -0.3, "B": -1.7, " C": -3.0, "The": -5.0, "D": -5.5} | {f"filler{n}": -7.0 - n / 10 for n in range(15)}


@dataclass(frozen=True)
class Asked:
    """One HTTP request as it came in: `number` counts all from 0, `attempt` how often this body had come before."""

    number: int
    attempt: int
    path: str
    body: dict[str, Any]
    headers: Mapping[str, str]
    at: float


@dataclass(frozen=True)
class Act:
    """What happens to a request instead of a good answer."""

    status: int = 200
    payload: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0.0
    way: str = "send"  # send, hang, reset, trickle, truncate
    spoil: Callable[[dict[str, Any]], None] | None = None  # does something to the good answer


Plan = Callable[[Asked], Act | None]
RESET = Act(way="reset")
HANG = Act(way="hang")
TRICKLE = Act(way="trickle")
TRUNCATED_BODY = Act(way="truncate")
TRUNCATED_JSON = Act(payload=b'{"choices": [{"index": 0, "message": {"role": "assis')
INVALID_JSON = Act(payload=b"<html><body><h1>It works!</h1></body></html>")
EMPTY_CHOICES = Act(payload=b'{"id": "x", "object": "chat.completion", "choices": []}')


def _drop_log_probs(answer: dict[str, Any]) -> None:
    for choice in answer["choices"]:
        choice["logprobs"] = None


def _shorten_log_probs(answer: dict[str, Any]) -> None:
    for choice in answer["choices"]:
        if choice["logprobs"] and "content" in choice["logprobs"]:
            del choice["logprobs"]["content"][0]["top_logprobs"][2:]
        elif choice["logprobs"]:
            for name, values in choice["logprobs"].items():
                choice["logprobs"][name] = (
                    [dict(list(top.items())[:2]) for top in values] if name == "top_logprobs" else values[:-1]
                )


def _withhold(answer: dict[str, Any]) -> None:
    for choice in answer["choices"]:
        choice["finish_reason"] = "content_filter"
        choice["logprobs"] = None


LOG_PROBS_MISSING = Act(spoil=_drop_log_probs)
LOG_PROBS_SHORT = Act(spoil=_shorten_log_probs)
CONTENT_FILTER = Act(spoil=_withhold)


def refusal(status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None) -> Act:
    """An error status with OpenAI's error body."""
    error = {"message": message, "type": "double_error", "param": None, "code": code}
    return Act(status, json.dumps({"error": error}).encode(), tuple((headers or {}).items()))


def says(payload: object, status: int = 200) -> Act:
    """This JSON, or these bytes, whatever was asked."""
    return Act(status, payload if isinstance(payload, bytes) else json.dumps(payload).encode())


def too_many(retry_after: str | None = None) -> Act:
    """A 429, with or without `Retry-After`."""
    return refusal(429, "Rate limit reached", headers={"Retry-After": retry_after} if retry_after is not None else None)


def slow(seconds: float) -> Act:
    """The good answer, late."""
    return Act(delay_s=seconds)


def always(act: Act) -> Plan:
    """Nothing works."""
    return lambda _: act


def first_tries(tries: int, act: Act) -> Plan:
    """Each body meets `act` that many times, then its answer."""
    return lambda asked: act if asked.attempt < tries else None


def in_turn(*acts: Act | None) -> Plan:
    """The first request overall meets the first act, and so on; then all goes well."""
    return lambda asked: acts[asked.number] if asked.number < len(acts) else None


def seeded(seed: int, share: float, acts: Sequence[Act], worst: int = 3) -> Plan:
    """A `share` of tries fails, each body at most `worst` times; which ones depends on body and seed, not on time."""

    def plan(asked: Asked) -> Act | None:
        rng = random.Random(f"{seed} {json.dumps(asked.body, sort_keys=True)} {asked.attempt}")
        return rng.choice(acts) if asked.attempt < worst and rng.random() < share else None

    return plan


def in_bursts(seed: int, acts: Sequence[Act], *, every: int, length: int) -> Plan:
    """Of each `every` requests in a row, `length` fail, all in the same way; the ways come in a seeded order."""
    order = list(acts)
    random.Random(seed).shuffle(order)

    def plan(asked: Asked) -> Act | None:
        burst, place = divmod(asked.number, every)
        return order[burst % len(order)] if every - length <= place else None

    return plan


@dataclass
class OpenAIServer:
    """The double. Fields are its talents; `plan` its moods.

    `top` is the next-token distribution that log-probabilities show, `max_top` the longest list it allows (None: the
    fields are ignored), `echo` one of `yes`, `refuse`, `ignore`; `bos` a token that it puts before every echoed prompt.
    """

    plan: Plan | None = None
    model: str = "double-1"
    key: str | None = None
    latency_s: float = 0.0
    top: Mapping[str, float] = field(default_factory=lambda: dict(LETTERS))
    max_top: int | None = 20
    echo: str = "refuse"
    bos: str | None = None
    new_names: bool = False  # insists on max_completion_tokens
    content_shape: bool = False  # /completions shows log-probabilities in the shape of chat (llama-server)
    port: int = 0
    speak: Callable[[str], str] = "You said: {}".format
    asked: list[Asked] = field(default_factory=list)
    answered: dict[str, list[float]] = field(
        default_factory=dict
    )  # seconds that whole good answers took, by path and body
    most_at_once: int = 0

    def __enter__(self) -> OpenAIServer:
        self._seen: Counter[str] = Counter()
        self._open: set[asyncio.StreamWriter] = set()
        self._now = 0
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), name="openai-double")
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def bodies(self, path: str = "") -> list[dict[str, Any]]:
        """Bodies of the requests whose path ends so, in order of arrival."""
        return [asked.body for asked in self.asked if asked.path.endswith(path)]

    async def _serve(self, started: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, backlog=512)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        server.close()
        talks = asyncio.all_tasks() - {asyncio.current_task()}
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = self._note(head[0].split(" ")[1], json.loads(raw) if raw else {}, headers)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            act = (self.plan and self.plan(asked)) or Act()
            await asyncio.sleep(self.latency_s + act.delay_s)
            return await self._do(act, asked, writer)
        finally:
            self._now -= 1

    def _note(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Asked:
        identity = path + json.dumps(body)
        asked = Asked(len(self.asked), self._seen[identity], path, body, headers, time.monotonic())
        self._seen[identity] += 1
        self.asked.append(asked)
        return asked

    async def _do(self, act: Act, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        if act.way == "hang":
            await asyncio.sleep(3600)
        if act.way == "reset":
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        status, payload = (act.status, act.payload) if act.payload is not None else self.answer(asked)
        if act.spoil is not None and status == 200:
            answer = json.loads(payload)
            act.spoil(answer)
            payload = json.dumps(answer).encode()
        headers = {"Content-Type": "application/json", **dict(act.headers)}
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()] + [f"Content-Length: {len(payload)}", "", ""]
        writer.write("\r\n".join(lines).encode("latin-1"))
        if act.way == "truncate":
            writer.write(payload[: len(payload) // 2])
            return False
        if act.way == "trickle":
            for byte in payload:
                writer.write(bytes([byte]))
                await writer.drain()  # raises once the client has had enough
                await asyncio.sleep(0.05)
            return True
        writer.write(payload)
        await writer.drain()
        if act.payload is None and act.spoil is None and status == 200:
            taken = time.monotonic() - asked.at
            self.answered.setdefault(asked.path + json.dumps(asked.body), []).append(taken)
        return True

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        """Status and body of the good answer, or of the honest refusal."""
        if self.key is not None and asked.headers.get("authorization") != f"Bearer {self.key}":
            return _error(401, "Incorrect API key provided", "invalid_api_key")
        if asked.path == "/v1/models":
            return _json({"object": "list", "data": [{"id": self.model, "object": "model"}]})
        if asked.path not in ("/v1/chat/completions", "/v1/completions"):
            return _json({"detail": "Not Found"}, 404)
        body = asked.body
        if body.get("model") != self.model:
            return _error(404, f"The model `{body.get('model')}` does not exist.", "model_not_found")
        if self.new_names and "max_tokens" in body:
            wanted = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return _error(400, wanted, "unsupported_parameter")
        return self._chat(body) if asked.path.endswith("chat/completions") else self._complete(body)

    def _chat(self, body: dict[str, Any]) -> tuple[int, bytes]:
        message = {"role": "assistant", "content": self.speak(body["messages"][-1]["content"])}
        choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        if body.get("logprobs") and self.max_top is not None:
            if body["top_logprobs"] > self.max_top:
                return _error(400, f"Invalid value for 'top_logprobs': must be less than or equal to {self.max_top}.")
            choice["logprobs"] = self._shown(body["top_logprobs"])
            message["content"] = max(self.top, key=lambda token: self.top[token])
        return _json({"object": "chat.completion", "choices": [choice], "usage": _usage(str(body["messages"]))})

    def _complete(self, body: dict[str, Any]) -> tuple[int, bytes]:
        prompts = [body["prompt"]] if isinstance(body["prompt"], str) else body["prompt"]
        if body.get("echo") and self.echo == "refuse":
            return _error(400, "echo is not supported by this server")
        if body.get("logprobs") is not None and self.max_top is not None and body["logprobs"] > self.max_top:
            return _error(400, f"logprobs must be at most {self.max_top}")
        echoes = bool(body.get("echo")) and self.echo == "yes"
        choices = [self._echoed(n, p) if echoes else self._continued(n, p, body) for n, p in enumerate(prompts)]
        return _json({"object": "text_completion", "choices": choices, "usage": _usage(" ".join(prompts))})

    def _echoed(self, index: int, prompt: str) -> dict[str, Any]:
        tokens = ([self.bos] if self.bos else []) + tokens_of(prompt)
        values = [None] + [log_prob("".join(tokens[:n]), tokens[n]) for n in range(1, len(tokens))]
        shown = {"tokens": tokens, "token_logprobs": values, "top_logprobs": [], "text_offset": [0] * len(tokens)}
        return {"index": index, "text": prompt, "finish_reason": "length", "logprobs": shown}

    def _continued(self, index: int, prompt: str, body: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] | None = None
        if body.get("logprobs") is not None and self.max_top is not None:
            top = dict(list(self.top.items())[: body["logprobs"]])
            best = next(iter(top))
            shown = {
                "tokens": [best],
                "token_logprobs": [top[best]],
                "top_logprobs": [top],
                "text_offset": [len(prompt)],
            }
            shown = self._shown(body["logprobs"]) if self.content_shape else shown
        return {"index": index, "text": f" after {prompt}", "finish_reason": "length", "logprobs": shown}

    def _shown(self, count: int) -> dict[str, Any]:
        top = [{"token": token, "logprob": value, "bytes": None} for token, value in self.top.items()][:count]
        return {"content": [{**top[0], "top_logprobs": top}]}


def tokens_of(text: str) -> list[str]:
    """Words, each with the space before it."""
    return re.findall(r"\s?\S+|\s", text)


def log_prob(before: str, token: str) -> float:
    """The double's log-probability of a token after a text: arbitrary, fixed, below −1."""
    return -1.0 - zlib.crc32(f"{before}|{token}".encode()) % 1000 / 250


def _usage(text: str) -> dict[str, int]:
    words = len(text.split())
    return {"prompt_tokens": words, "completion_tokens": 3, "total_tokens": words + 3}


def _json(payload: object, status: int = 200) -> tuple[int, bytes]:
    return status, json.dumps(payload).encode()


def _error(status: int, message: str, code: str | None = None) -> tuple[int, bytes]:
    return _json({"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}, status)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    with OpenAIServer(latency_s=parser.parse_args().latency) as served:
        print(served.url, flush=True)
        sys.stdin.read()
