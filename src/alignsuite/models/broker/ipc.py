"""Inter-process channel: frames of JSON over a local socket, after mutual authentication by a shared secret.

A Unix domain socket in a folder that only its owner may enter, or TCP on 127.0.0.1 where there is none. The secret itself never crosses:
each side sends a number used once, and answers the other's with an HMAC-SHA-256 over both. Until then no frame above a few kilobytes is
read. A frame is its length in eight bytes and ASCII JSON (models write lone surrogates, for which UTF-8 has no place).

Whatever waits here wakes a few times a second, so that Ctrl-C is heard on every system.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import selectors
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_LOOK_UP_S = 0.5
_HANDSHAKE_S = 10.0
_MOST_BYTES = 1 << 30
_MOST_BYTES_OF_A_STRANGER = 4096
_LONGEST_PATH = 100  # of a socket: 104 bytes on macOS, 108 on Linux, with the closing zero


class ChannelClosed(Exception):  # noqa: N818 (what happened, in two words)
    """Broken connection: the other side is gone, or speaks another language, or does not know the secret."""


class Channel:
    """Connection to one process of this machine: one end of it, used by one thread at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        connection.settimeout(_LOOK_UP_S)

    def send(self, data: Json) -> None:
        """Send one frame.

        Raises:
            ChannelClosed: when the other side is gone.
        """
        frame = json.dumps(data).encode("ascii")
        rest = memoryview(len(frame).to_bytes(8, "big") + frame)
        while rest:
            try:
                rest = rest[self._connection.send(rest) :]
            except TimeoutError:
                continue
            except OSError as error:
                raise ChannelClosed(f"the other side is gone ({error.strerror})") from error

    def receive(self, *, most: int = _MOST_BYTES, within: float | None = None) -> Json:
        """Next frame: at most so many bytes, within so many seconds where a number is given.

        Raises:
            ChannelClosed: when the other side is gone, too slow, or sent what is no frame.
        """
        until = None if within is None else time.monotonic() + within
        length = int.from_bytes(self._read(8, until), "big")
        if length > most:
            raise ChannelClosed(f"a frame of {length} bytes was announced, and at most {most} are read")
        try:
            data = json.loads(self._read(length, until))
        except (ValueError, RecursionError) as error:
            raise ChannelClosed("a frame is not JSON") from error
        if not isinstance(data, dict):
            raise ChannelClosed(f"a frame holds {type(data).__name__}, wanted an object")
        return data

    def _read(self, count: int, until: float | None) -> bytearray:
        found = bytearray()
        while len(found) < count:
            try:
                portion = self._connection.recv(min(count - len(found), 1 << 20))
            except TimeoutError:
                if until is not None and time.monotonic() > until:
                    raise ChannelClosed("the other side says nothing") from None
                continue
            except OSError as error:
                raise ChannelClosed(f"the other side is gone ({error.strerror})") from error
            if not portion:
                raise ChannelClosed("the other side is gone")
            found += portion
        return found

    def is_waiting(self) -> bool:
        """Whether the other side is there and waits for an answer; False when it hung up, or talks out of turn."""
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._connection, selectors.EVENT_READ)
                return not selector.select(0)
        except (OSError, ValueError):  # closed on this side
            return False

    def close(self) -> None:
        """Hang up; whatever waits on this channel, in any thread, ends."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


class Listener:
    """Listening socket with an address and a secret, for those who were told both."""

    def __init__(self) -> None:
        self.secret = secrets.token_hex(32)
        self._folder: Path | None = None
        self._listener, self.address = self._open()
        self._listener.settimeout(_LOOK_UP_S)

    def _open(self) -> tuple[socket.socket, str]:
        if hasattr(socket, "AF_UNIX"):
            self._folder = Path(tempfile.mkdtemp(prefix="alignsuite-"))  # nobody else may enter it
            path = str(self._folder / "broker")
            if len(os.fsencode(path)) <= _LONGEST_PATH:
                listener = socket.socket(socket.AF_UNIX)
                listener.bind(path)
                listener.listen(64)
                return listener, f"unix:{path}"
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        return listener, f"tcp:{listener.getsockname()[1]}"

    def accept(self) -> Channel | None:
        """Next connection, not authenticated yet; None when nobody came for a moment.

        Raises:
            ChannelClosed: when it is closed.
        """
        try:
            return Channel(self._listener.accept()[0])
        except TimeoutError:
            return None
        except OSError as error:
            raise ChannelClosed("the listener is closed") from error

    def close(self) -> None:
        """Let nobody in any more, and take the folder away."""
        self._listener.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def authenticate(channel: Channel, secret: str) -> None:
    """Handshake of the server: let the caller prove that it knows the secret, then prove it too.

    Raises:
        ChannelClosed: when it doesn't.
    """
    ours = secrets.token_hex(16)
    channel.send({"once": ours})
    answer = channel.receive(most=_MOST_BYTES_OF_A_STRANGER, within=_HANDSHAKE_S)
    theirs = str(answer.get("once"))
    if not hmac.compare_digest(str(answer.get("proof")).encode(), _proof(secret, "worker", ours, theirs)):
        raise ChannelClosed("the caller does not know the secret")
    channel.send({"proof": _proof(secret, "broker", ours, theirs).decode()})


def connect(address: str, secret: str) -> Channel:
    """Connection to a listener of this machine, authenticated on both sides.

    Raises:
        ChannelClosed: when nobody listens there, or whoever does takes or gives no proof.
    """
    kind, _, place = address.partition(":")
    try:
        if kind == "unix":
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(place)
        else:
            connection = socket.create_connection(("127.0.0.1", int(place)), timeout=_HANDSHAKE_S)
    except OSError as error:
        raise ChannelClosed(f"nobody listens at {address} ({error.strerror})") from error
    channel = Channel(connection)
    try:
        theirs = str(channel.receive(most=_MOST_BYTES_OF_A_STRANGER, within=_HANDSHAKE_S).get("once"))
        ours = secrets.token_hex(16)
        channel.send({"once": ours, "proof": _proof(secret, "worker", theirs, ours).decode()})
        answer = channel.receive(most=_MOST_BYTES_OF_A_STRANGER, within=_HANDSHAKE_S)
        if not hmac.compare_digest(str(answer.get("proof")).encode(), _proof(secret, "broker", theirs, ours)):
            raise ChannelClosed(f"who listens at {address} does not know the secret")
    except BaseException:  # Ctrl-C too: the other side must not wait for a handshake that nobody ends
        channel.close()
        raise
    return channel


def _proof(secret: str, side: str, asked: str, answered: str) -> bytes:
    """HMAC over both numbers: what only somebody who knows the secret can say.

    It is not the same for both sides, so neither can be made to answer itself.
    """
    return hmac.new(secret.encode(), f"{side} {asked} {answered}".encode(), "sha256").hexdigest().encode()
