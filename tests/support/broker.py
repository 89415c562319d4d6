"""A real Mosquitto on loopback, with a configuration of its own, that can be killed."""

import os
import shutil
import socket
from pathlib import Path

import pytest
from loopback_ports import free_port
from program import Program
from waiting import wait_until

PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class Broker(Program):
    """One broker process; ``start`` after ``kill`` brings an empty one to the same port."""

    def __init__(self, folder: Path, *, host: str = "127.0.0.1", more: str = "") -> None:
        assert PROGRAM is not None
        self.host = host
        self.port = free_port()
        super().__init__(folder / f"mosquitto-{self.port}.log")
        self._file = folder / f"mosquitto-{self.port}.conf"
        self._file.write_text(
            f"listener {self.port} {host}\n"
            "allow_anonymous true\n"
            "persistence false\n"
            "set_tcp_nodelay true\n"
            "max_packet_size 270336\n"
            + more
            + ("user root\n" if os.getuid() == 0 else "")  # else it drops to a user of its own
        )

    @property
    def url(self) -> str:
        """What a path's configuration says."""
        return f"mqtt://{self.host}:{self.port}"

    def start(self) -> None:
        """Run, and return once it accepts connections."""
        self._launch(PROGRAM, "-c", self._file)
        wait_until(self._accepts, f"mosquitto on port {self.port}: {self.log.read_text()}")

    def _accepts(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True


@pytest.fixture
def mosquitto(tmp_path):
    """A running broker."""
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed")
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.kill()
