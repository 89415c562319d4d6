"""Lends files over HTTP to few readers at a time: what each lender of a child shares.

Leaves to them: who is let in, what may be asked for, and whether it is spoken of in the clear.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Full, Queue
from typing import Final

READERS_MAX: Final = 4
CHUNK_BYTES: Final = 256 << 10


class LendingServer(ThreadingHTTPServer):
    """A server of READERS_MAX readers.

    Args:
        where: address, of IPv4 or IPv6, and a port or 0.
        handler: of a request.
    """

    daemon_threads = True

    def __init__(self, where: tuple[str, int], handler: type["Lending"]) -> None:
        self.readers: Queue[None] = Queue(READERS_MAX)  # a place for each that is served
        if ":" in where[0]:
            self.address_family = socket.AF_INET6
        super().__init__(where, handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Leave who broke off."""


class Lending(BaseHTTPRequestHandler):
    """One connection of a reader."""

    protocol_version = "HTTP/1.1"
    server: LendingServer

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Take a reader's place while it is served; False: there is none, and it was told so."""
        try:
            self.server.readers.put_nowait(None)
        except Full:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            yield False
            return
        try:
            yield True
        finally:
            self.server.readers.get_nowait()

    def refuse(self, status: HTTPStatus) -> None:
        """Answer with a status alone."""
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_said: object) -> None:
        """Say nothing: each line would be a stranger's to make."""
