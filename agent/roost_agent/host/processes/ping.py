"""Pings processes over UDP on loopback, as StarlingX's libamon answers it.

``NAME 12345678 SEQ`` goes to the port of the process, ``NAME edcba987 SEQ`` comes back on 2200.
Nothing proves who answered: who may run programs on the node can speak for a process that hangs.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"
PORT: Final = 2_200  # where libamon sends its answers
ASK: Final = 0x12345678
ANSWER: Final = 0xEDCBA987
ANSWER_BYTES_MAX: Final = 256


class Pings(asyncio.DatagramProtocol):
    """The socket.

    Args:
        answered: called with name and number of an answer.
    """

    def __init__(self, answered: Callable[[str, int], None]) -> None:
        self.fault = ""
        self._answered = answered
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self, port: int = PORT) -> None:
        """Listen for answers; where that is not possible, ``fault`` says why."""
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: self, local_addr=(HOST, port)
            )
        except OSError as err:
            self.fault = f"no ping, active processes are watched passively: port {port}: {err}"
            log.warning("processes: %s", self.fault)

    def close(self) -> None:
        """Listen no more."""
        if self._transport is not None:
            self._transport.close()

    @property
    def is_open(self) -> bool:
        """Whether pings can go out."""
        return self._transport is not None

    def send(self, name: str, port: int, seq: int) -> None:
        """Send a ping; one that is lost counts as not answered."""
        if self._transport is not None:
            self._transport.sendto(f"{name} {ASK:x} {seq}".encode(), (HOST, port))

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        """Take an answer; what is none is dropped."""
        del addr
        words = data[:ANSWER_BYTES_MAX].rstrip(b"\0\n").decode("ascii", "replace").split()
        if len(words) == 3 and words[1].lower() == f"{ANSWER:x}" and words[2].isdecimal():  # noqa: PLR2004 - its words
            self._answered(words[0], int(words[2]))

    def error_received(self, exc: Exception) -> None:
        """Nobody listens on a port: the ping counts as not answered."""
        log.debug("processes: a ping: %s", exc)
