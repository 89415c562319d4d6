"""Proof: a bad release halts in its canary and is undone, with real agents, broker and centre.

Two machines, a site each. The canary's gets a release whose service ends after 30 s, leaks memory
until an alarm says so, stops the node's agent, or has the machine boot again and again. Programs
cannot boot: updated_machine.py ends and begins them, with another boot id. On virtual time, over
many sites, the same is ``rollout.halts``.
"""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import watched_app
from broker import PROGRAM
from machine_fleet import MachineFleet, machine_fleet
from proof import Proof
from updated_machine import UpdatedMachine
from waiting import wait_until

NAME = "rollout.halts_processes"
GOOD = "1.0"
SETTLED = "site_soak_s = 0\nsoak_s = 0\n"
TRIED = "site_soak_s = 45\nsoak_s = 5\nsilent_s = 15\n"  # longer than a service that ends lives
EDGE, FAR = "edge", "far"
NEIGHBOURS = 4  # one silent site of a smaller fleet would be the network's fault


@dataclass(frozen=True, slots=True)
class Bad:
    """A way to be bad.

    Attributes:
        how: see watched_app.py.
        told: words of what the rollout says of it, one of them.
        options: of the release.
    """

    how: str
    told: tuple[str, ...]
    options: tuple[str, ...] = ()


BAD = (
    Bad("crashes", ("alarm",)),
    Bad("leaks", ("alarm",)),
    Bad("silences", ("silent", "alarm")),
    Bad("boots", ("boot", "silent", "alarm"), ("--reboot",)),
)


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Roll a good release out, and then each bad one; a share tries some of them."""
    if why := unable():
        say(f"skipped: {why}")
        yield Proof(NAME, 0, 0, seed, f"skipped: {why}")
        return
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    some = dice.sample(BAD, max(1, round(len(BAD) * share)))
    faults: list[str] = []
    with ExitStack() as ends:
        folder = ends.enter_context(tempfile.TemporaryDirectory(prefix="roost-halts-"))
        fleet = ends.enter_context(machine_fleet(Path(folder), EDGE, FAR, neighbours=NEIGHBOURS))
        settle(fleet)
        for number, bad in enumerate(some):
            say(f"a release that {bad.how}")
            try:
                halted(fleet, bad, f"2.{number}")
            except AssertionError as err:
                faults.append(f"{bad.how}: {err}")
                say(faults[-1])
    yield Proof(
        NAME,
        runs=len(some),
        failures=len(faults),
        seed=seed,
        note="real agents, helpers, broker, signer and centre, a site of one node for the canary "
        f"and one beyond it; a release that {', '.join(bad.how for bad in some)}: the rollout "
        "pauses, the other site is never offered it, and rolled back the canary's service is the "
        "good one's; a boot is faked by the end of all programs and another boot id",
    )


def unable() -> str:
    """Return what is missing here; empty: nothing."""
    if PROGRAM is None:
        return "mosquitto is not installed"
    if os.geteuid() or shutil.which("unshare") is None:
        return "no boot id of a machine's own without root and unshare"
    return ""


def settle(fleet: MachineFleet[UpdatedMachine]) -> None:
    """Have both sites run the good release."""
    fleet.publish(GOOD, watched_app.files(GOOD, "well"))
    fleet.reaches(fleet.roll(GOOD, SETTLED), "completed")
    serves(fleet)


def halted(fleet: MachineFleet[UpdatedMachine], bad: Bad, version: str) -> None:
    """Roll a bad release out, see it halt, and undo it."""
    edge, boots = fleet.machines[EDGE], fleet.machines[EDGE].boots
    fleet.publish(version, watched_app.files(version, bad.how), *bad.options)
    rollout = fleet.roll(version, TRIED)
    fleet.reaches(rollout, "paused")
    jobs, told = fleet.jobs(rollout), fleet.roost("rollout", "show", rollout)
    assert jobs[FAR][0] == "queued", f"the site beyond the canary: {jobs}"
    assert any(word in f"{jobs} {told}" for word in bad.told), f"{bad.told}: {jobs} {told}"
    if bad.how == "silences":
        edge.wake()
    if bad.how == "boots":
        wait_until(lambda: edge.boots > boots + 1, "it boots again by itself")
    fleet.roost("rollout", "rollback", rollout, "-m", bad.how)
    fleet.reaches(rollout, "rolled_back")
    serves(fleet)


def serves(fleet: MachineFleet[UpdatedMachine]) -> None:
    """Wait until every service is the good release's."""
    for site, machine in fleet.machines.items():
        wait_until(lambda machine=machine: machine.runs == GOOD, f"{site} serves {GOOD}")
