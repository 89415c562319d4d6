"""Connections that keep a server waiting: silent ones, and ones that say something byte by byte."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

BYTE_S = 0.5
OPENING_MAX = 100  # at once: the kernel's backlog is not what is tried here
AGAIN_S = 1.0
REQUEST = b"GET /api/v1/enrol/hello HTTP/1.1\r\nHost: " + b"x" * 4_000


class QuietPeers:
    """So many of each kind at one port; whoever is hung up on comes again.

    Args:
        silent: say nothing.
        slow: say a TLS ClientHello, a byte each BYTE_S.
        slow_requests: finish TLS, then say an HTTP request in the same way.
        tls: of those; ``name`` is whom they ask for.
    """

    def __init__(  # noqa: PLR0913 - how many of which kind
        self,
        port: int,
        *,
        silent: int,
        slow: int,
        slow_requests: int = 0,
        tls: ssl.SSLContext | None = None,
        name: str = "",
    ) -> None:
        self.standing = 0
        self.ended = 0
        self._port = port
        self._tls, self._name = tls, name
        self._says = [b""] * silent + [_client_hello()] * slow
        self._requests = slow_requests
        self._opening = asyncio.Semaphore(OPENING_MAX)

    @asynccontextmanager
    async def standing_for(self) -> AsyncIterator[None]:
        """Have them stand while the context lasts; begins once most have come."""
        wanted = len(self._says) + self._requests
        async with asyncio.TaskGroup() as tasks:
            held = [tasks.create_task(self._stand(words)) for words in self._says]
            held += [
                tasks.create_task(self._stand(REQUEST, self._tls)) for _ in range(self._requests)
            ]
            while self.standing + self.ended < wanted * 0.9:  # noqa: ASYNC110 - counted by many
                await asyncio.sleep(0.1)
            yield
            for task in held:
                task.cancel()

    async def _stand(self, words: bytes, tls: ssl.SSLContext | None = None) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._once(words, tls)
            self.ended += 1
            await asyncio.sleep(AGAIN_S)

    async def _once(self, words: bytes, tls: ssl.SSLContext | None) -> None:
        async with self._opening:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", self._port, ssl=tls, server_hostname=self._name if tls else None
            )
        self.standing += 1
        try:
            for byte in words:
                writer.write(bytes([byte]))
                await writer.drain()
                if reader.at_eof():
                    return
                await asyncio.sleep(BYTE_S)
            await reader.read()  # until it is hung up on
        finally:
            self.standing -= 1
            writer.transport.abort()


def _client_hello() -> bytes:
    """Return what a client says first, as OpenSSL says it."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="x").do_handshake()
    return outgoing.read()
