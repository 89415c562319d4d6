"""Starts roost-guard as a process of its own, with or without a watchdog that is a FIFO.

Run as a file it is the guard with that watchdog: a FIFO in which every feed and the magic close
can be read. It bites nobody; only the kernel's device can.
"""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    from roost_agent.guard import program
    from roost_agent.guard.__main__ import options

    class Fifo:
        """Takes feeds; says that it bites within what it was asked for."""

        def __init__(self, path):
            self.descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

        def set_timeout(self, seconds):
            return seconds

        def identity(self):
            return "fifo"

        def feed(self):
            os.write(self.descriptor, b".")

        def close(self, *, stop):
            os.write(self.descriptor, b"V" if stop else b"")
            os.close(self.descriptor)

    sys.exit(program.run(options(sys.argv[1:]), Fifo))

import asyncio

from program import Program
from waiting import wait_until

from roost_agent.ha.guard_client import GuardClient, GuardGoneError
from roost_agent.ports import SystemClock

CLOCK = SystemClock()


class Guard(Program):
    """One guard on a folder; each start is a new process on the same state."""

    def __init__(self, folder, root, *options, fifo=None, inside=()):
        super().__init__(folder / "guard.log")
        self.socket = str(folder / "guard.sock")
        self.state_file = folder / "guard.state"
        self.root = root
        self.options = (
            *("--socket", self.socket, "--state", str(self.state_file)),
            *("--cgroup-root", str(root), *options),
            *(("--watchdog", str(fifo)) if fifo else ()),
        )
        how = (__file__,) if fifo else ("-m", "roost_agent.guard")
        self._how = (*inside, sys.executable, *how)  # inside: such as a network namespace

    def start(self):
        """Start it and wait until it answers."""
        # Compiled as an installed guard is: what compiling takes stays in its memory.
        env = os.environ | {"PYTHONPYCACHEPREFIX": str(self.log.parent / "compiled")}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        self._launch(*self._how, *self.options, env=env)
        return wait_until(self.state, "the guard answers")

    def state(self):
        """What it says of itself; None while it does not answer."""
        try:
            return self.ask(lambda client: client.state())
        except GuardGoneError:
            return None

    def ask(self, request):
        """The answer of one request, on a connection of its own."""

        async def asked():
            client = GuardClient(self.socket, CLOCK)
            try:
                return await request(client)
            finally:
                client.close()

        return asyncio.run(asked())

    def arm(self, lease="main", epoch=5, deadlines=(2_000, 3_000, 4_000), **options):
        """Arm a hold; deadlines are ms from now, None: sticky."""
        now_ms = CLOCK.boot_ms()
        times = deadlines and tuple(now_ms + each for each in deadlines)
        self.ask(lambda client: client.arm(lease, epoch, times, **options))
        return times

    def logged(self):
        """All that it wrote."""
        return Path(self.log).read_text()
