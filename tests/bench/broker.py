"""A real Mosquitto on a free loopback port, for the time of a measurement."""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

WAIT_S = 10
CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
max_queued_messages 100000
max_inflight_messages 1000
{user}
"""


class Mosquitto:
    """Runs while the context lasts."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]

    def __enter__(self) -> "Mosquitto":
        self._folder = tempfile.TemporaryDirectory(prefix="roost-broker-")
        path = Path(self._folder.name) / "mosquitto.conf"
        user = "user root" if os.getuid() == 0 else ""
        path.write_text(CONFIG.format(port=self.port, user=user))
        self._process = subprocess.Popen(["mosquitto", "-c", str(path)], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), 1),
            ):
                return self
            time.sleep(0.05)
        self.__exit__(None, None, None)
        raise TimeoutError(f"mosquitto did not answer on port {self.port} within {WAIT_S} s")

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(WAIT_S)
        self._folder.cleanup()
