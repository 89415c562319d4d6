"""A site's way to the centre, where each node has a network of its own: through a socket file.

In a node's namespace a relay listens on loopback, where the agent's WAN path ends, and carries on
to the central broker's socket. Stopped, it is a WAN that is silent.
"""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from broker import Broker
from program import Program
from waiting import wait_until

PORT = 1883


class WanBroker(Broker):
    """The central broker: on loopback for the centre, on a file for the relays."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "wan.sock"
        super().__init__(folder, more=f"listener 0 {self.file}\n")

    def start(self):
        self.file.unlink(missing_ok=True)
        super().start()
        wait_until(self.file.exists, "the broker's file is there")


class Relay(Program):
    """One node's way to it."""

    def __init__(self, node, file: Path) -> None:
        super().__init__(node.folder / "relay.log")
        self._words = ("nsenter", f"--net=/run/netns/{node.space}", sys.executable, __file__, file)

    def start(self):
        self._launch(*self._words)

    def cut(self):
        """Carry nothing any more, and say nothing of it."""
        os.kill(self.pid, signal.SIGSTOP)

    def mend(self):
        """Go on."""
        os.kill(self.pid, signal.SIGCONT)


async def _pump(reader, writer):
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _relay(file):
    async def carry(reader, writer):
        with suppress(OSError):
            inner, outer = await asyncio.open_unix_connection(file)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, outer))
                group.create_task(_pump(inner, writer))

    server = await asyncio.start_server(carry, "127.0.0.1", PORT)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_relay(sys.argv[1]))
