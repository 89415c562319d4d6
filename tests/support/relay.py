"""A way to a broker that can fall silent: a relay on loopback, stopped while it is to be cut.

Whoever speaks through it is not told: connections stay, and nothing comes or goes.
``relay.py PORT TARGET``, where TARGET is another port of loopback or a socket file, until killed.
"""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from program import Program

CHUNK_BYTES = 1 << 16


class Relay(Program):
    """One such way.

    Args:
        log: what it prints.
        port: of loopback, where it listens.
        target: a port of loopback, or a socket file.
        within: words of a command that it runs in, such as a network namespace's.
    """

    def __init__(self, log: Path, port: int, target: int | Path, *, within: tuple = ()) -> None:
        super().__init__(log)
        self._words = (*within, sys.executable, __file__, str(port), str(target))

    def start(self) -> None:
        """Run; it takes a moment until it listens."""
        self._launch(*self._words, in_own_session=True)  # a stopped one must end no other's group

    def cut(self) -> None:
        """Carry nothing any more, and say nothing of it."""
        os.kill(self.pid, signal.SIGSTOP)

    def mend(self) -> None:
        """Go on."""
        os.kill(self.pid, signal.SIGCONT)


async def _pump(reader, writer):
    with suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _relay(port, target):
    async def carry(reader, writer):
        with suppress(OSError):
            if target.isdigit():
                inner, outer = await asyncio.open_connection("127.0.0.1", int(target))
            else:
                inner, outer = await asyncio.open_unix_connection(target)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, outer))
                group.create_task(_pump(inner, writer))

    server = await asyncio.start_server(carry, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_relay(int(sys.argv[1]), sys.argv[2]))
