"""A site on which scenarios are played: made ready before each, judged after it.

What is judged always: that no two turns overlap at the resource, and that epochs only grow. What
a stalled machine can bring about by itself, as nodes that lose their time call themselves unwell
and leases run out, is judged where the machine did not stall: whether the group moved, where to,
and how long that took. The criterion is CORE_MS and DISK_MS, the stalls from which on an agent
takes itself for slow: half a beat of the profile `fast`, and a sync of its disk.
"""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ha_netns import site as made
from ha_oracle import now_ns
from ha_plan import Plan
from stall_meter import Stall, StallMeter
from waiting import wait_until

CORE_MS, DISK_MS = 75, 200
OVER_S = 2.0  # a takeover may take the promise and this (design: ha, section 12)
HOLD_S = 2.2  # longer than the promise: what a fault could bring about, it has by then
BRIEF_S = 0.4  # shorter than the time from a renewal's answer to D1
READY_S = 80.0  # an agent that was slow as it started comes down from 8 to LHM_FIT in 60 s
SOON_S = 2.0  # for paths to come back; what takes longer, a cold start does faster
CHANGE_S = 40.0
LOOK_S = 0.2  # between two questions to all agents: what asks more often, loads them
LHM_FIT = 2  # from 4 on a node does not stand, and each step down takes it 10 s
BOTH = ("c0", "c1")


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is done to a ready site, and what must come of it.

    Attributes:
        act: is given the site and who is active; returns once the outcome is there and mended, and
            perhaps why it was not the fault that was meant, so that a wrong outcome proves nothing.
        turns: how many new turns there must be, the last on the other node; None: any.
        bound_s: of the longest time without an active; None: not judged.
        is_fresh: it is played from a cold start, as moves of the ten minutes before it count.
    """

    name: str
    act: Callable[[Any, str], str | None]
    turns: int | None = 0
    bound_s: float | None = None
    is_fresh: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run. ``wrong`` is empty, or what came instead; a wrong one may be the machine's.

    Attributes:
        excuse: why the fault was not the one that was meant, as the act measured it.
    """

    scenario: str
    wrong: str
    overlap_ns: int
    stall: Stall
    gap_s: float
    new_turns: int
    ready_s: float
    act_s: float
    excuse: str = ""

    @property
    def verdict(self) -> str:
        """``held``, ``failed``, or ``stalled``: the machine was too loaded to judge."""
        if self.overlap_ns or self.wrong.startswith("epochs"):
            return "failed"
        if not self.wrong:
            return "held"
        is_calm = self.stall.core_ms <= CORE_MS and self.stall.disk_ms <= DISK_MS
        return "failed" if is_calm and not self.excuse else "stalled"


class Stage:
    """One site and its plan; made anew when a run left it in pieces."""

    def __init__(self, site: Any, meter: StallMeter) -> None:
        self.site = site
        self._meter = meter

    def run(self, scenario: Scenario) -> Outcome:
        """Play a scenario once."""
        site, oracle = self.site, self.site.oracle
        asked_ns = began_ns = now_ns()
        wrong, excuse, seen, active = "", "", 0, None
        try:
            if scenario.is_fresh and site.epochs():
                cold_start(site)
            active = self.ready()
            began_ns, seen = now_ns(), len(site.epochs())
            excuse = scenario.act(site, active) or ""
            site.until(site.active, "the group runs at the end", seconds=CHANGE_S)
        except (AssertionError, OSError, subprocess.TimeoutExpired) as err:
            wrong = str(err).splitlines()[0] or repr(err)
        new = site.epochs()[seen:]
        gap_s = oracle.gap_s(began_ns)
        epochs = [epoch for _, epoch in site.epochs()]
        if epochs != sorted(set(epochs)):
            wrong = f"epochs do not grow: {epochs}"
        wrong = wrong or misplaced(scenario, new, active) or late(scenario, gap_s)
        return Outcome(
            scenario.name, wrong, oracle.overlap_ns(began_ns), self._meter.longest(asked_ns),
            round(gap_s, 3), len(new), round((began_ns - asked_ns) / 1e9, 1),
            round((now_ns() - began_ns) / 1e9, 1), excuse,
        )  # fmt: skip

    def ready(self) -> str:
        """Wait until all is well, from a cold start where that takes long."""
        with contextlib.suppress(AssertionError):
            wait_until(self._is_well, "the site is well", seconds=SOON_S, step_s=LOOK_S)
        if not self._is_well():
            cold_start(self.site)
            self.site.until(self._is_well, "the site is well", seconds=READY_S, step_s=LOOK_S)
        active: str = self.site.active()
        return active

    def _is_well(self) -> bool:
        told = {name: node.status() for name, node in self.site.nodes.items()}
        return self.site.active() is not None and all(
            each is not None and is_well(name, each) for name, each in told.items()
        )


def is_well(name: str, told: dict[str, Any]) -> bool:
    """Whether a node hears all, is fit, and could host."""
    leases = {each["lease"]: each for each in told["leases"]}
    return (
        all(member["state"] in {"joining", "alive"} for member in told["members"])
        and all(each["holder"] is not None for each in leases.values())
        and all(path["open"] for path in told["paths"])
        and told["redundancy"] in {"normal", "survived"}
        and told["lhm"] <= LHM_FIT
        and (name not in BOTH or not leases["main"]["bar"])
    )


def cold_start(site: Any) -> None:
    """Take the power from all, forget who was better connected, and start all."""
    for node in site.nodes.values():
        node.power_off()
        (node.disk / "redundancy").unlink(missing_ok=True)
    for node in site.nodes.values():
        node.start()


def misplaced(scenario: Scenario, new: list[tuple[str, int]], active: str | None) -> str:
    """Return what is wrong with the turns that there were."""
    if scenario.turns is None:
        return ""
    if len(new) != scenario.turns:
        return f"{len(new)} new turns, not {scenario.turns}: {new}"
    if new and new[-1][0] == active:
        return f"it came back to {active}"
    return ""


def late(scenario: Scenario, gap_s: float) -> str:
    """Return by how much the group was away for too long."""
    if scenario.bound_s is None or gap_s <= scenario.bound_s:
        return ""
    return f"nobody ran for {gap_s:.2f} s, bound {scenario.bound_s:.2f} s"


@contextlib.contextmanager
def staged(folder: Path, plan: Plan) -> Iterator[Stage]:
    """A running site of a plan, and a stage on it."""
    folder.mkdir()
    with made(folder, plan) as site, StallMeter(folder) as meter:
        for node in site.nodes.values():
            node.start()
        yield Stage(site, meter)


def takeover_s(plan: Plan) -> float:
    """Return how long a takeover on a site may take."""
    return plan.promise_s + OVER_S


def other(name: str) -> str:
    """Return the other host."""
    return BOTH[1 - BOTH.index(name)]


def taken(site: Any, active: str) -> None:
    """Wait until the other host runs the group."""
    what = f"{other(active)} runs it"
    site.until(lambda: site.active() == other(active), what, seconds=CHANGE_S)


def silent(site: Any, node: str) -> None:
    """Wait until the service no longer writes on a node."""
    site.until(lambda: site.active() != node, f"{node} stopped", seconds=CHANGE_S)


def said(node: Any, word: str) -> None:
    """Wait until one of a node's decisions says a word."""
    wait_until(lambda: any(word in each for each in node.explained()), f"{node.name}: {word}")
