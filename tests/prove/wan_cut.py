"""A fleet whose WAN is cut as a whole: simulated sites, a real broker and a real centre.

Nothing says good-bye. Each site goes on by itself, so what its host was it still is: the centre may
say that it does not know, and that it is one thing that happened, never that a host failed.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker import Broker
from central_process import CentralProcess
from waiting import wait_until

NODES = 2  # a site
BEAT_S = 10
RAMP_S = 20  # at least; SITES_A_S of them begin in a second
SITES_A_S = 25
SETTLE_S = 30  # of the centre: it trusts no silence before
SPOKEN_S = 90  # from the last start of a site until the cut, at least
STEP_S = 2.0  # between two looks: an exact count of all hosts is work for the centre, too
LATE_MAX = 12  # answers in a row that took longer than 10 s: it takes in a whole fleet meanwhile
FOR_S = 150  # dark after 25 s, doubted for SETTLE_S, told, and a while more
BACK_S = 420.0  # nodes wait ever longer before they connect again


@dataclass
class Seen:
    """What the centre said over the whole time.

    Attributes:
        wrong: what it must never say, a sentence each.
        incidents: ids of all there were.
        unknown: the most hosts at once of which it said that it does not know.
    """

    wrong: list[str] = field(default_factory=list)
    incidents: set[str] = field(default_factory=set)
    unknown: int = 0
    alarms: int = 0


class Fleet:
    """The simulator, and the centre that hears it."""

    def __init__(self, folder: Path, sites: int) -> None:
        self.hosts = sites * NODES
        self.ramp_s = max(RAMP_S, sites // SITES_A_S)
        self.cut_s = self.ramp_s + SPOKEN_S + sites // SITES_A_S  # from the simulator's start
        self.sites = sites
        self.broker = Broker(folder)
        self.central = CentralProcess(folder, self.broker.url)
        self.central.config.write_text(f"settle_s = {SETTLE_S}\n{self.central.config.read_text()}")
        self._file = folder / "sites.ndjson"
        self._simulator: subprocess.Popen[bytes] | None = None
        self.began_s = 0.0

    def start(self) -> None:
        """Start all; the cut comes ``cut_s`` later."""
        self.broker.start()
        self.central.start()
        self.central.ready()
        words = [sys.executable, "-m", "roost_agent", "sim", "--sites", str(self.sites)]
        words += ["--nodes", str(NODES), "--sites-file", str(self._file)]
        subprocess.run(words, check=True)
        self.central.post_lines("/api/v1/sites:import", self._file.read_bytes())
        words += [
            "--broker",
            self.broker.url,
            "--interval",
            str(BEAT_S),
            "--ramp",
            str(self.ramp_s),
        ]
        words += ["--hosts", "--fault", f"cut at={self.cut_s}s for={FOR_S}s"]
        words += ["--connections", "4"]
        self.began_s = time.monotonic()
        self._simulator = subprocess.Popen(words, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        """End it."""
        if self._simulator is not None:
            self._simulator.kill()
            self._simulator.wait()
        self.central.kill()
        self.broker.kill()

    def get(self, path: str) -> Any:
        """Ask the centre; one that is busy is asked again."""
        for _ in range(LATE_MAX - 1):
            with suppress(TimeoutError):
                return self.central.get(path)
        return self.central.get(path)

    def count(self, query: str) -> int:
        """How many hosts match."""
        page = self.get(f"/api/v1/hosts?limit=1&count=exact&filter={query}")
        return int(page["count"])

    def failed(self) -> int:
        """How many hosts are said to have failed."""
        return self.count("avail%3Dfailed")

    def told(self) -> int:
        """How many transitions to ``failed`` there were."""
        page = self.get("/api/v1/events?limit=1000")["items"]
        return sum(each["params"].get("avail") == "failed" for each in page)


def cut(sites: int) -> tuple[Seen, int]:
    """Cut the WAN of so many sites; return what was seen, and how many hosts there are."""
    seen = Seen()
    with tempfile.TemporaryDirectory(prefix="roost-wan-cut-") as folder:
        fleet = Fleet(Path(folder), sites)
        try:
            fleet.start()
            _watch(fleet, seen)
        finally:
            fleet.stop()
    return seen, sites * NODES


def _watch(fleet: Fleet, seen: Seen) -> None:
    wait_until(
        lambda: fleet.count("admin%3Dunlocked,locked") == fleet.hosts,
        "every host is spoken of", seconds=fleet.cut_s, step_s=STEP_S,
    )  # fmt: skip
    failed, told = fleet.failed(), fleet.told()  # a handful that is not well shows what can be
    while (at_s := time.monotonic() - fleet.began_s) < fleet.cut_s + FOR_S + BEAT_S:
        unknown = fleet.count("oper%3Dunknown")
        seen.unknown = max(seen.unknown, unknown)
        if (now := fleet.failed()) > failed:
            seen.wrong.append(f"{now} hosts are failed, not {failed}, {at_s:.0f} s after the start")
        _note(fleet, seen)
        time.sleep(STEP_S)
    wait_until(
        lambda: fleet.count("oper%3Dunknown") == 0,
        "all are heard again", seconds=BACK_S, step_s=STEP_S,
    )  # fmt: skip
    if (now := fleet.failed()) != failed:
        seen.wrong.append(f"{now} hosts are failed after it, not {failed}")
    if (now := fleet.told()) != told:
        seen.wrong.append(f"{now - told} transitions to failed were told")
    _note(fleet, seen)


def _note(fleet: Fleet, seen: Seen) -> None:
    found = fleet.get("/api/v1/incidents?state=all")["items"]
    seen.incidents |= {each["id"] for each in found}
    lost = fleet.get("/api/v1/alarms?limit=1&count=exact&filter=type%3D200.004,200.005")
    seen.alarms = max(seen.alarms, int(lost["count"]))
