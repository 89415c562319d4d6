"""A fleet whose WAN is cut as a whole: simulated sites, a real broker and a real centre.

The fleet speaks through a relay, which is stopped: nothing says good-bye. Each site goes on by
itself, so what its host was it still is: the centre may say that it does not know, and that it is
one thing that happened, never that a host failed.

No step has a fixed length: the cut begins when every host was spoken of and ends HELD_S after all
are told as unknown, so a run takes as long as its machine needs, and no longer.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker import Broker
from central_process import CentralProcess
from loopback_ports import free_port
from relay import Relay
from waiting import wait_until

NODES = 2  # a site
BEAT_S = 10
SITES_A_S = 100  # begin in a second; RAMP_S at least for all
RAMP_S = 10
SETTLE_S = 30  # of the centre: it trusts no silence before, and doubts itself for as long
STEP_S = 2.0  # between two looks: an exact count of all hosts is work for the centre, too
LATE_MAX = 12  # answers in a row that took longer than 10 s: it takes in a whole fleet meanwhile
SPOKEN_S = 480.0  # at most, until every host was spoken of
DARK_S = 240.0  # at most: dark after 25 s, doubted for SETTLE_S, told as one
HELD_S = 45.0  # the cut goes on for: what is told late would be told by then
BACK_S = 420.0  # at most: nodes wait ever longer before they connect again


@dataclass
class Seen:
    """What the centre said over the whole time.

    Attributes:
        wrong: what it must never say, a sentence each.
        incidents: ids of all there were.
        unknown: the most hosts at once of which it said that it does not know.
        slowest_s: the longest that it took for an answer.
    """

    wrong: list[str] = field(default_factory=list)
    incidents: set[str] = field(default_factory=set)
    unknown: int = 0
    slowest_s: float = 0.0

    def note(self, text: str) -> None:
        """Keep what it must never say, once."""
        if text not in self.wrong:
            self.wrong.append(text)


class Fleet:
    """The simulator, its way to the broker, and the centre that hears it."""

    def __init__(self, folder: Path, sites: int) -> None:
        self.hosts = sites * NODES
        self.sites = sites
        self.broker = Broker(folder)
        self.central = CentralProcess(folder, self.broker.url)
        self.central.config.write_text(f"settle_s = {SETTLE_S}\n{self.central.config.read_text()}")
        self.slowest_s = 0.0
        self._wan_port = free_port()
        self.wan = Relay(folder / "relay.log", self._wan_port, self.broker.port)
        self._file = folder / "sites.ndjson"
        self._simulator: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start all."""
        self.broker.start()
        self.wan.start()
        self.central.start()
        self.central.ready()
        words = [sys.executable, "-m", "roost_agent", "sim", "--sites", str(self.sites)]
        words += ["--nodes", str(NODES), "--sites-file", str(self._file)]
        subprocess.run(words, check=True)
        self.central.post_lines("/api/v1/sites:import", self._file.read_bytes())
        ramp_s = max(RAMP_S, self.sites // SITES_A_S)
        words += ["--broker", f"mqtt://127.0.0.1:{self._wan_port}", "--connections", "4"]
        words += ["--interval", str(BEAT_S), "--ramp", str(ramp_s), "--hosts"]
        self._simulator = subprocess.Popen(words, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        """End it."""
        if self._simulator is not None:
            self._simulator.kill()
            self._simulator.wait()
        self.central.kill()
        self.wan.kill()
        self.broker.kill()

    def get(self, path: str) -> Any:
        """Ask the centre; one that is busy is asked again."""
        began_s = time.monotonic()
        try:
            for _ in range(LATE_MAX - 1):
                with suppress(TimeoutError):
                    return self.central.get(path)
            return self.central.get(path)
        finally:
            self.slowest_s = max(self.slowest_s, time.monotonic() - began_s)

    def count(self, query: str) -> int:
        """How many hosts match."""
        page = self.get(f"/api/v1/hosts?limit=1&count=exact&filter={query}")
        return int(page["count"])

    def failed(self) -> int:
        """How many hosts are said to have failed."""
        return self.count("avail%3Dfailed")

    def told(self) -> set[int]:
        """The events by which a host was said to fail; no other transition is as severe."""
        page = self.get("/api/v1/events?limit=1000&filter=type%3D200.812%20sev%3E%3Dmajor")
        return {each["seq"] for each in page["items"] if each["params"]["avail"] == "failed"}


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
    seen.slowest_s = fleet.slowest_s
    return seen, sites * NODES


def _watch(fleet: Fleet, seen: Seen) -> None:
    wait_until(
        lambda: fleet.count("admin%3Dunlocked,locked") == fleet.hosts,
        "every host is spoken of", seconds=SPOKEN_S, step_s=STEP_S,
    )  # fmt: skip
    failed, told = fleet.failed(), fleet.told()  # a handful that is not well shows what can be

    def look() -> int:
        """Note what the centre says now; return how many hosts it says that it does not know."""
        unknown = fleet.count("oper%3Dunknown")
        seen.unknown = max(seen.unknown, unknown)
        if (now := fleet.failed()) > failed:
            seen.note(f"{now} hosts are failed, not {failed}")
        found = fleet.get("/api/v1/incidents?state=all")["items"]
        seen.incidents |= {each["id"] for each in found}
        return unknown

    fleet.wan.cut()
    _looks(lambda: look() == fleet.hosts and bool(seen.incidents), DARK_S)
    if _looks(lambda: look() != fleet.hosts, HELD_S):
        seen.note("hosts were not all unknown for as long as all were cut")
    fleet.wan.mend()
    if not _looks(lambda: look() == 0, BACK_S):
        seen.note(f"{look()} hosts are still unknown {BACK_S:.0f} s after the cut")
    if (now := fleet.failed()) != failed:
        seen.note(f"{now} hosts are failed after it, not {failed}")
    if more := fleet.told() - told:
        seen.note(f"{len(more)} transitions to failed were told")


def _looks(is_over: Callable[[], bool], seconds: float) -> bool:
    """Look every STEP_S until it is over, or for so long; return whether it was."""
    ends_s = time.monotonic() + seconds
    while not (over := is_over()) and time.monotonic() < ends_s:
        time.sleep(STEP_S)
    return over
