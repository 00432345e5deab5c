"""Loopback servers of tests: a handler of requests to the address of a server on this machine."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Start = Callable[[type[http.server.BaseHTTPRequestHandler]], str]


@contextmanager
def servers() -> Iterator[Start]:
    """Starts servers, which say nothing on the terminal and are closed at the end."""
    running: list[http.server.ThreadingHTTPServer] = []

    def start(handler: type[http.server.BaseHTTPRequestHandler]) -> str:
        quiet = type("Quiet", (handler,), {"log_message": lambda *_: None})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), quiet)
        running.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    try:
        yield start
    finally:
        for server in running:
            server.shutdown()
            server.server_close()
