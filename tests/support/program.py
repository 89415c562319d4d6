"""A program that a test starts, kills and starts again; what it prints goes to its log."""

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

WAIT_S = 20  # for the end of a process that was told to end


class Program:
    """One program on its own files; each start is a new process."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it, by default without a word."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(WAIT_S)
            self._process = None

    def _launch(
        self,
        *argv: str | Path,
        env: Mapping[str, str] | None = None,
        in_own_session: bool = False,
    ) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                start_new_session=in_own_session,
            )
