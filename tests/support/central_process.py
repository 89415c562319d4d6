"""roost-central as its operators run it: a process on a data directory."""

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from waiting import free_port, wait_until


class CentralProcess:
    """One central; each start is a new process on the same data."""

    def __init__(self, folder: Path, *brokers: str, database: str | None = None) -> None:
        self.data_dir = folder / "central"
        self.log = folder / "central.log"
        self.port = free_port()
        self._config = folder / "central.toml"
        self._process: subprocess.Popen[bytes] | None = None
        self._config.write_text(
            f'data_dir = "{self.data_dir}"\nadmit = "loopback"\n'
            + (f'database = "{database}"\n' if database else "")
            + f"[http]\nport = {self.port}\n"
            + "".join(
                f'[[broker]]\nname = "b{n}"\nurl = "{url}"\n' for n, url in enumerate(brokers, 1)
            )
        )

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; it takes a moment until it listens."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "roost_central", "run", "--config", self._config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it, by default without a word."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(20)
            self._process = None

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def ready(self) -> None:
        """Return once it answers and hears its brokers."""
        wait_until(self._hears, f"central: {self.log}", seconds=60)

    def get(self, path: str) -> Any:
        """Ask the API."""
        return self._ask("GET", path)

    def post(self, path: str) -> Any:
        """Have the API do something."""
        return self._ask("POST", path)

    def _ask(self, method: str, path: str) -> Any:
        token = (self.data_dir / "admin.token").read_text().strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            headers={"Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            return json.load(answer)

    def _hears(self) -> bool:
        assert self.is_running(), self.log.read_text()[-2_000:]
        try:
            brokers = self.get("/api/v1/status")["brokers"]
        except OSError:
            return False
        return all(broker["state"] == "connected" for broker in brokers)
