"""roost-central as its operators run it: a process on a data directory."""

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

from loopback_ports import free_port
from program import Program
from waiting import wait_until


class CentralProcess(Program):
    """One central; each start is a new process on the same data."""

    def __init__(self, folder: Path, *brokers: str, database: str | None = None) -> None:
        self.data_dir = folder / "central"
        super().__init__(folder / "central.log")
        self.port = free_port()
        self.config = folder / "central.toml"
        self.config.write_text(
            f'data_dir = "{self.data_dir}"\nadmit = "loopback"\n'
            + (f'database = "{database}"\n' if database else "")
            + f"[http]\nport = {self.port}\n"
            + "".join(
                f'[[broker]]\nname = "b{n}"\nurl = "{url}"\n' for n, url in enumerate(brokers, 1)
            )
        )

    def configure(self, text: str) -> None:
        """Add to its configuration; from the next start on."""
        with self.config.open("a") as config:
            config.write(text)

    def start(self) -> None:
        """Start it; it takes a moment until it listens."""
        self._launch(sys.executable, "-m", "roost_central", "run", "--config", self.config)

    def ready(self) -> None:
        """Return once it answers and hears its brokers."""
        wait_until(self._hears, f"central: {self.log}", seconds=60)

    def get(self, path: str) -> Any:
        """Ask the API."""
        return self._ask("GET", path)

    def post(self, path: str, body: object = None) -> Any:
        """Have the API do something."""
        return self._ask("POST", path, None if body is None else json.dumps(body).encode())

    def post_lines(self, path: str, lines: bytes) -> Any:
        """Have the API do something with lines of JSON."""
        return self._ask("POST", path, lines, media="application/x-ndjson")

    @property
    def url(self) -> str:
        """Where API and dashboard are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """The admin token."""
        return (self.data_dir / "admin.token").read_text().strip()

    def _ask(
        self, method: str, path: str, body: bytes | None = None, *, media: str = "application/json"
    ) -> Any:
        request = urllib.request.Request(  # noqa: S310 - of a test's own centre
            f"{self.url}{path}",
            body,
            {"Authorization": f"Bearer {self.token}", "Content-Type": media},
            method=method,
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
