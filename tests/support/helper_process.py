"""Starts roost-helper as a process of its own, with a service manager that only takes notes.

Run as a file it is that service manager's program: it notes its words, its environment and what
the helper had on disk by then, and does what ``roost-facts@dmi.service`` says with a tree of the
test's. A unit whose name begins with ``broken`` fails, one with ``slow`` waits for a file.
"""

import json
import os
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def act_as_systemctl(folder: Path, words: list[str]) -> int:
    """Note what is asked in ``folder``, and do it."""
    record = folder / "state/reboots.json"
    noted = {
        "words": words,
        "env": sorted(os.environ),
        "on_disk": record.read_text() if record.exists() else "",
    }
    with (folder / "asked").open("a") as stream:
        stream.write(json.dumps(noted) + "\n")
    unit = words[-1]
    if unit == "roost-facts@dmi.service":  # as the unit: root, group of the agent, UMask=0027
        os.setgid((folder / "lent").stat().st_gid)
        os.umask(0o027)
        places = ("--root", str(folder / "tree"), "--folder", str(folder / "lent"))
        words = [sys.executable, "-m", "roost_agent.helper", "facts", "dmi", *places]
        os.execv(sys.executable, words)  # noqa: S606 - ourselves
    if unit.startswith("slow"):
        ends = time.monotonic() + 30
        while not (folder / "go").exists() and time.monotonic() < ends:
            time.sleep(0.02)
    if unit.startswith("broken"):
        sys.stderr.write("Job for broken.service failed.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(act_as_systemctl(Path(sys.argv[1]), sys.argv[2:]))

import asyncio  # noqa: E402 - not needed, and not found, when run as a file

from program import Program  # noqa: E402 - as above
from waiting import wait_until  # noqa: E402 - as above

from roost_agent.helper_client import ask  # noqa: E402 - as above

UNITS = '[unit]\npump = "pump.service"\nbroken = "broken.service"\nslow = "slow.service"\n'


class Helper(Program):
    """One helper on a folder; each start is a new process on the same record of reboots."""

    def __init__(self, folder: Path, *, user: int, before: tuple[str, ...] = ()) -> None:
        super().__init__(folder / "helper.log")
        self.folder = folder
        self.socket = str(folder / "helper.sock")
        (folder / "units.toml").write_text(UNITS)
        (folder / "state").mkdir(mode=0o700)
        systemctl = folder / "systemctl"
        systemctl.write_text(
            f'#!/bin/sh\nexec {sys.executable} {Path(__file__).resolve()} {folder} "$@"\n'
        )
        systemctl.chmod(0o755)
        self.options = (
            *("--user", str(user), "--units", str(folder / "units.toml")),
            *("--state", str(folder / "state"), "--systemctl", str(systemctl)),
        )
        self._before = before

    def start(self, *, activated: bool = False) -> None:
        """Start it and wait until its socket is there.

        Args:
            activated: the socket is handed over as systemd does it.
        """
        Path(self.socket).unlink(missing_ok=True)  # of one that was killed
        how = (sys.executable, "-m", "roost_agent.helper")
        if activated:
            self._launch("systemd-socket-activate", "-l", self.socket, *how, *self.options)
        else:
            self._launch(*self._before, *how, "--socket", self.socket, *self.options)
        wait_until(self._listens, "the helper listens")

    def _listens(self) -> bool:
        """Whether connections are taken, without making one: unix(7) of proc(5), __SO_ACCEPTCON."""
        rows = (line.split() for line in Path("/proc/net/unix").read_text().splitlines())
        return any(row[3] == "00010000" for row in rows if row[-1] == self.socket)

    def ask(self, verb: str, **given: str) -> None:
        """Ask as the agent does."""
        asyncio.run(ask(verb, socket=self.socket, seconds=30, **given))

    def asked(self) -> list[dict]:
        """What came to the service manager."""
        file = self.folder / "asked"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
