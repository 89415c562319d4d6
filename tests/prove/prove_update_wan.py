"""Proof: a site of three goes on with its update by itself wherever the WAN is cut.

Releases are rolled onto a real site with local HA. As soon as a node's journal has the intent of a
step, nobody beyond the site answers any more, until that node has come to its end, or for a
while where the WAN is what the step waits for. Then the centre is told all of it. Releases that
drain, that boot, and that are bad, until each step of the table had its cut.
"""

import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import watched_app
from broker import PROGRAM
from cgroups import WHY_NONE
from machine_site import SITE, MachineSite, machine_site
from proof import Proof
from waiting import wait_until

from roost_agent.update.step import BACK, HARMLESS, TABLE, Step
from roost_central.rollout.table import OPEN_TO_CENTRAL

NAME = "update.wan_cuts"
SETTLED = 'site_soak_s = 0\nsoak_s = 0\nsilent_s = 600\ngates = {alarms = "permissive"}\n'
AWAY_S = 6.0  # where the step needs the WAN
LOOK_S = 0.02
END_S = 180.0  # of a node, by itself
FORWARD = frozenset(TABLE) - BACK
ROUNDS_MAX = 12
STALLED = "which is degraded"  # of a heir: what a node says that cannot give its services away
ENDS = frozenset({"completed", "paused", "rolled_back", "aborted"})


@dataclass(slots=True)
class Course:
    """What was cut, and what came of it.

    Attributes:
        todo: steps that have had no cut.
        cuts: node and step of each.
        late: the node was past the step when the WAN was gone: it is tried again.
        stalled: the machine was too loaded: a host was degraded by that, and took nothing over.
    """

    todo: set[Step]
    cuts: list[tuple[str, Step]] = field(default_factory=list)
    late: int = 0
    stalled: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """A release, and the steps that it goes through.

    Attributes:
        how: see watched_app.py.
        ends: of the rollout.
    """

    how: str
    options: tuple[str, ...]
    steps: frozenset[Step]
    ends: str


BOOTS = frozenset({Step.REBOOT, Step.ROLLBACK_REBOOT})
KINDS = (
    Kind("well", ("--drain",), FORWARD - BOOTS, "completed"),
    Kind("well", ("--drain", "--reboot"), FORWARD, "completed"),
    Kind("ends", ("--drain", "--reboot"), BACK, "paused"),
)


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Cut at each step; a share cuts at some of them."""
    if why := unable():
        say(f"skipped: {why}")
        yield Proof(NAME, 0, 0, seed, f"skipped: {why}")
        return
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    wanted = dice.sample(sorted(TABLE), max(2, round(len(TABLE) * share)))
    course, faults = Course(set(wanted)), []
    with ExitStack() as ends:
        folder = ends.enter_context(tempfile.TemporaryDirectory(prefix="roost-wan-"))
        site = ends.enter_context(machine_site(Path(folder)))
        roll(site, KINDS[0], "1.0", Course(set()))
        for number in range(ROUNDS_MAX):
            kind = next((each for each in KINDS if each.steps & course.todo), None)
            if kind is None:
                break
            try:
                roll(site, kind, f"2.{number}", course)
            except AssertionError as err:
                site.stage.mend_wan()
                faults.append(f"after cuts at {course.cuts}: {err}")
                say(faults[-1])
                break
            say(f"release {number + 1}: cut so far at {len(course.cuts)} steps")
    if course.todo and not faults:
        faults.append(f"no cut at {sorted(course.todo)}")
    yield Proof(
        NAME,
        runs=len(course.cuts),
        failures=len(faults),
        seed=seed,
        note="a real site of three nodes with local HA, the fleet's broker and the centre stopped "
        "once a node's journal has the intent of a step, each step of the table: "
        f"{', '.join(f'{node} {step}' for node, step in course.cuts)}; the node ends by itself, "
        "committed or back, the site goes on, and the centre comes to know; what fetches waits for "
        "the WAN; a boot is faked by the end of all programs and another boot id; "
        f"{course.late} cuts came after their step and were tried again, {course.stalled} releases "
        "met a host that the machine's load had degraded",
    )


def unable() -> str:
    """Return what is missing here; empty: nothing."""
    if PROGRAM is None:
        return "mosquitto is not installed"
    if os.geteuid() or shutil.which("unshare") is None:
        return "no boot id of a machine's own without root and unshare"
    return WHY_NONE


def roll(site: MachineSite, kind: Kind, version: str, course: Course) -> None:
    """Roll a release out, with cuts at steps that had none, one at a time."""
    for machine in site.machines.values():
        machine.forget_boots()
    site.settled()
    before = {name: machine.runs for name, machine in site.machines.items()}
    site.publish(version, watched_app.files(version, kind.how), *kind.options)
    rollout = site.roll(version, SETTLED)
    until = time.monotonic() + END_S * len(site.machines)
    while not is_over(site, rollout):
        assert time.monotonic() < until, f"{version}: {site.jobs(rollout)}"
        cut_once(site, rollout, kind, course)
    is_stalled = STALLED in f"{site.jobs(rollout)}" and kind.how == "well"
    ends = "paused" if is_stalled else kind.ends
    assert site.state(rollout) == ends, f"{version} is {site.state(rollout)}: {site.jobs(rollout)}"
    if ends == "paused":
        site.roost("rollout", "rollback", rollout, "-m", "it is bad")
        site.reaches(rollout, "rolled_back")
    if is_stalled:
        course.stalled += 1
        return
    for name, machine in site.machines.items():
        wanted = version if kind.how == "well" else before[name]
        wait_until(lambda one=machine, it=wanted: one.runs == it, f"{name} serves {wanted}")
    said = site.jobs(rollout)[SITE][0]
    assert said in {"succeeded", "rolled_back"}, f"the centre knows of {said}"


def is_over(site: MachineSite, rollout: str) -> bool:
    """Say whether a rollout goes on no more by itself; for who is silent it rests a while."""
    said = site.stage.central.get(f"/api/v1/rollouts/{rollout}")
    return said["state"] in ENDS and said["pause"] not in OPEN_TO_CENTRAL


def cut_once(site: MachineSite, rollout: str, kind: Kind, course: Course) -> None:
    """Look for a step that had no cut for a second, and cut there."""
    job = site.job_of(rollout)
    until = time.monotonic() + 1
    while time.monotonic() < until:
        for name, machine in site.machines.items():
            lines = [line for line in machine.lines() if line.job == job]
            step = Step(lines[-1].step) if lines else None
            if step in course.todo & kind.steps:
                cut_at(site, name, step, job, course)
                return
        time.sleep(LOOK_S)


def cut_at(site: MachineSite, name: str, step: Step, job: str, course: Course) -> None:
    """Cut the WAN while a node is at a step; mend it once the node has ended."""
    machine = site.machines[name]

    def steps() -> list[str]:
        return [line.step for line in machine.lines() if line.job == job]

    site.stage.cut_wan()
    try:
        if steps()[-1] != step:
            course.late += 1
            return
        if step in HARMLESS:  # all of the site has to be there before any goes on
            time.sleep(AWAY_S)
        else:
            wait_until(lambda: "end" in steps(), f"{name} ends from {step}", seconds=END_S)
        course.todo.discard(step)
        course.cuts.append((name, step))
    finally:
        site.stage.mend_wan()
