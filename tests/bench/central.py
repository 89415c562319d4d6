"""A real roost-central with a folder of its own, for the time of a measurement."""

import http.client
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

WAIT_S = 30
SETTLE_S = 2.5  # longer than the pause between two writes of presence
SETTLE_S_MAX = 45.0
SETTLED = 0.25  # of a core
TICKS = os.sysconf("SC_CLK_TCK")


class Central:
    """Runs while the context lasts; admits whoever comes by the broker.

    Args:
        broker_port: of a broker on loopback.
        database: an address of SQLAlchemy; SQLite in the folder where there is none.
        settle_s: how long silence proves nothing after its start.
    """

    def __init__(self, broker_port: int, *, database: str = "", settle_s: int = 120) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self._broker_port = broker_port
        self._database = database
        self._settle_s = settle_s
        self._http: http.client.HTTPConnection | None = None

    def __enter__(self) -> "Central":
        self._folder = tempfile.TemporaryDirectory(prefix="roost-central-")
        self.data_dir = Path(self._folder.name)
        config = self.data_dir / "central.toml"
        config.write_text(
            f'data_dir = "{self.data_dir}"\nadmit = "loopback"\nsettle_s = {self._settle_s}\n'
            + (f'database = "{self._database}"\n' if self._database else "")
            + f'[http]\nport = {self.port}\n[[broker]]\nname = "b1"\n'
            f'url = "mqtt://127.0.0.1:{self._broker_port}"\n'
        )
        asked = ("run", "--config", str(config), "--log-level", "error")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "roost_central", *asked], stderr=subprocess.DEVNULL
        )
        try:
            self._wait_until_connected()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hang_up()
        self._process.terminate()
        try:
            self._process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def url(self) -> str:
        """Where API and dashboard are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """The admin token."""
        return (self.data_dir / "admin.token").read_text().strip()

    def get(self, path: str) -> Any:
        """Return the JSON at a path below ``/api/v1``."""
        return json.loads(self.fetch("GET", path))

    def fetch(
        self, method: str, path: str, body: bytes | None = None, *, media: str = "application/json"
    ) -> bytes:
        """Return the body of an answer; the connection is kept."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": media}
        try:
            answer, text = self._ask(method, path, body, headers)
        except ConnectionError:  # central ends what was idle for long
            self._hang_up()
            answer, text = self._ask(method, path, body, headers)
        if answer.status >= http.client.BAD_REQUEST:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return text

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        if self._http is None:
            self._http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        self._http.request(method, f"/api/v1{path}", body, headers)
        answer = self._http.getresponse()
        return answer, answer.read()

    def _hang_up(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def cpu_s(self) -> float:
        """Return the processor time that the process has used."""
        return cpu_s_of(self.pid)

    def settle(self) -> None:
        """Wait until it has written what it took in: until it uses little of a core."""
        deadline = time.monotonic() + SETTLE_S_MAX
        while time.monotonic() < deadline:
            before = self.cpu_s()
            time.sleep(SETTLE_S)
            if self.cpu_s() - before < SETTLED * SETTLE_S:
                return

    def rss_mib(self) -> float:
        """Return the memory that is resident now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize() / (1 << 20)

    def _wait_until_connected(self) -> None:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"central ended with {self._process.returncode}")
            try:
                if self.get("/status")["brokers"][0]["state"] == "connected":
                    return
            except OSError:
                self._hang_up()
            time.sleep(0.1)
        raise TimeoutError(f"central was not connected within {WAIT_S} s")


def cpu_s_of(pid: int) -> float:
    """Return the user and system time that a process has used, in ticks of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:13]) / TICKS


def load() -> str:
    """Return the load average, for the note of a figure."""
    return f"load {os.getloadavg()[0]:.1f}"
