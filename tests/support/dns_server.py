"""A real DNS server on loopback, for what asks DNS."""

import shutil
import socket
from pathlib import Path

from loopback_ports import free_port
from program import Program
from waiting import wait_until

PROGRAM = shutil.which("dnsmasq", path="/usr/sbin:/usr/bin:/sbin:/bin")


class DnsServer(Program):
    """dnsmasq with the records that are given, as its own options write them."""

    def __init__(self, folder: Path, *records: str) -> None:
        super().__init__(folder / "dnsmasq.log")
        self.port = free_port()
        self._records = records

    @property
    def address(self) -> str:
        """As ``[join] resolvers`` writes it."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run, and return once it listens."""
        assert PROGRAM is not None
        self._launch(
            PROGRAM, "--keep-in-foreground", "--conf-file=/dev/null", f"--port={self.port}",
            "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv", "--no-hosts",
            "--user=root", "--pid-file=", "--log-facility=-", "--log-queries",
            "--local=/example/", *self._records,
        )  # fmt: skip
        wait_until(self._listens, f"dnsmasq: {self.log}")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
