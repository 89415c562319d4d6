"""Connects to where a process listens: whether anybody takes the connection.

That proves that its socket is there and its queue not full, no more: the kernel takes connections
for a program that hangs until then. One that has to answer is asked by a probe or a ping.
"""

import asyncio
import os
import socket
from typing import Final

from roost_agent.host.processes.definition import Definition
from roost_agent.host.processes.unasked import FORBIDDEN, OURS

RETRY_S: Final = 0.05  # a UNIX socket whose queue is full says so, and does not tell when it is not


class Connections:
    """Connects, for each process that is asked so.

    Attributes:
        faults: by process: why it cannot be asked at all; it is watched passively then.
    """

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}

    async def complaint(self, given: Definition) -> str | None:
        """Return why a process is not well; empty: a connection was taken; None: nobody may ask."""
        self.faults.pop(given.process, None)
        try:
            async with asyncio.timeout(given.timeout):
                await _connect(given.socket)
        except TimeoutError:
            return f"{given.socket}: no connection within {given.timeout} s"
        except OSError as err:
            why = f"{given.socket}: {os.strerror(err.errno) if err.errno else err}"
            if err.errno not in OURS | FORBIDDEN:
                return why
            self.faults[given.process] = f"{given.process}: cannot be asked: {why}"
            return None
        return ""


async def _connect(place: str) -> None:
    if place.startswith("/"):
        await _connect_unix(place)
        return
    host, _, port = place.rpartition(":")
    address = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (address, int(port)))


async def _connect_unix(place: str) -> None:
    """Connect; asyncio's own takes a full queue for a connection."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        while True:
            try:
                sock.connect(place)
            except BlockingIOError:
                await asyncio.sleep(RETRY_S)
            else:
                return
