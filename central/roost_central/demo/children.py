"""The demo's processes: started, watched, started again when they end, ended with the demo.

A child that keeps ending at once ends the demo, with the last lines of its log.
"""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from roost_central.ports import Clock

STOP_S = 8.0  # from SIGTERM to SIGKILL
QUICK_ENDS_MAX = 5  # so many ends within QUICK_S are a fault of the child, not of a curious user
QUICK_S = 20.0
LOG_TAIL_BYTES = 2000
LOG_BYTES_MAX = 64 << 20  # a demo left alone over a weekend must not fill the disk


@dataclass(frozen=True, slots=True)
class Command:
    """What to run.

    Attributes:
        again_s: seconds until it is started again once it ended; None ends the demo with it.
        end: the signal that asks it to end.
    """

    name: str
    argv: tuple[str, ...]
    again_s: float | None = 3.0
    env: dict[str, str] = field(default_factory=dict)
    end: signal.Signals = signal.SIGTERM


class ChildFailedError(Exception):
    """A child that cannot stay alive; the text holds the end of its log."""


class Child:
    """One process and its successors."""

    def __init__(self, command: Command, *, logs: Path, clock: Clock) -> None:
        self.command = command
        self.log = logs / f"{command.name}.log"
        self.pid_file = logs / f"{command.name}.pid"  # as a daemon writes it
        self._clock = clock
        self._process: asyncio.subprocess.Process | None = None
        self._ends: deque[int] = deque(maxlen=QUICK_ENDS_MAX)

    @property
    def pid(self) -> int | None:
        """The process that runs now."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def start(self) -> None:
        """Start the process, tied to this one."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.unlink()
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "roost_central.demo.tether", str(os.getpid()),
                *self.command.argv,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.command.env}, start_new_session=True,
            )  # fmt: skip
        self.pid_file.write_text(f"{self._process.pid}\n")

    async def ended(self) -> int:
        """Wait for the end of the process; negative for a signal."""
        if self._process is None:
            raise RuntimeError(f"{self.command.name} was not started")
        return await self._process.wait()

    async def keep(self, say: Callable[[str], None]) -> None:
        """Start the process again whenever it ends, until cancelled.

        Raises:
            ChildFailedError: it keeps ending at once, or may not be started again.
        """
        while True:
            code = await self.ended()
            cause = signal.Signals(-code).name if code < 0 else f"exit {code}"
            self._ends.append(self._clock.mono_ms())
            if self.command.again_s is None or self._ends_too_often():
                raise ChildFailedError(f"{self.command.name} ended ({cause}):\n{self.tail()}")
            wait_s = self.command.again_s
            say(f"{self.command.name} ended ({cause}); it is started again in {wait_s:g} s")
            await asyncio.sleep(wait_s)
            await self.start()
            say(f"{self.command.name} runs again as {self.pid}")

    async def stop(self) -> None:
        """End the process: its own signal, and SIGKILL for one that does not listen."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)  # a user may have stopped it to watch the fleet
            process.send_signal(self.command.end)
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def tail(self) -> str:
        """Return the end of the log."""
        with suppress(OSError), self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
            return log.read().decode("utf-8", "replace").strip()
        return "(no log)"

    def _ends_too_often(self) -> bool:
        full = len(self._ends) == QUICK_ENDS_MAX
        return full and self._ends[-1] - self._ends[0] < QUICK_S * 1000
