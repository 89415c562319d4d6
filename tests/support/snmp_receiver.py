"""Debian's snmptrapd, snmpget and snmpbulkwalk on loopback, with nothing of the machine's own."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from waiting import wait_until

PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
TRAPD = shutil.which("snmptrapd", path=PATH)
WALK = shutil.which("snmpbulkwalk", path=PATH)
AUTH = "authkey12-of-the-test"
PRIV = "privkey12-of-the-test"
COMMUNITY = "community-of-the-test"
SEQ = re.compile(r"32473\.1\.1\.1\.1\.17\.[\d.]+ = Gauge32: (\d+)")


class Trapd:
    """One snmptrapd; its log tells what it accepted."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder / "trapd"
        self.folder.mkdir()
        self.port = port
        self.log = self.folder / "log"
        self._process = None

    def configure(self, *lines: str) -> None:
        """Write its configuration: who may speak."""
        (self.folder / "trapd.conf").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        """Run; it keeps what it knows of engines over restarts."""
        configured = ("-C", "-c", self.folder / "trapd.conf", "-Lf", self.log, "-x", "")
        self._process = subprocess.Popen(
            [TRAPD, "-f", "-On", *configured, f"udp:127.0.0.1:{self.port}"],
            env=_environ(self.folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(
            lambda: self.log.exists() and "NET-SNMP version" in self.log.read_text(), "snmptrapd"
        )

    def stop(self) -> None:
        """End it; it writes what it knows."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(20)
            self._process = None

    def text(self) -> str:
        """Everything it accepted."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def seqs(self) -> list[int]:
        """The numbers of the transitions that were told, in the order of arrival."""
        return [int(found) for found in SEQ.findall(self.text())]


def age_engine(engine, seconds: int) -> None:
    """Let an engine have run for so long: a receiver drops what is 150 s younger, unless the boots
    rose; without it no test that ends within 150 s sees a count that begins again.
    """
    (time_,) = engine.get_mib_builder().import_symbols("__SNMP-FRAMEWORK-MIB", "snmpEngineTime")
    time_.syntax = time_.syntax.clone(int(time.time()) - seconds)


def walk(folder: Path, port: int, *who: str, oid: str = ".1.3.6.1.4.1.32473", program=None):
    """Run snmpbulkwalk, or another; return its lines and what it complained of."""
    done = subprocess.run(
        [program or WALK, *who, "-On", "-t", "5", "-r", "3", f"127.0.0.1:{port}", oid],
        env=_environ(folder),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if "No more variables" not in line]
    return lines, done.stderr


def _environ(folder: Path) -> dict[str, str]:
    state = folder / "persistent"
    return {
        "PATH": PATH,
        "MIBS": "",
        "SNMPCONFPATH": str(folder),
        "SNMP_PERSISTENT_DIR": str(state),
    }
