"""Proof: a bad release stops in its canary, and what is no fault of a release stops nothing.

Whole rollouts on virtual time, over sites in memory with dice for their silence and for how a
release is bad: their nodes have an alarm after it (a crash, a leak), never beat again, go back by
themselves, or say that it is done and run the old one. The state is written and read as a restart
does, at times of the dice. The core is the product's own; sites and time are the test's.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator

import msgspec
from proof import Proof
from rollout_fleet import NEW, OLD, SmallFleet

from roost_central.rollout.core import Rollout
from roost_central.rollout.head import Around, Head
from roost_central.rollout.job import Job
from roost_central.rollout.table import JobState, RolloutState

RUNS = 200
TURNS_MAX = 6_000
CANARY, SITES = 3, 40
BAD = ("alarms", "bricks", "rolls-back", "lies")
ONE = 'on_error = "pause"\nsilent_s = 60\n'
_heads = msgspec.msgpack.Decoder(Head)
_jobs = msgspec.msgpack.Decoder(Job)

R, J = RolloutState, JobState


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Roll bad and good releases out."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    runs, faults, seen = max(8, round(RUNS * share)), [], Counter[str]()
    for number in range(runs):
        bad = BAD[number % (len(BAD) * 2)] if number % (len(BAD) * 2) < len(BAD) else ""
        seen[bad or "good"] += 1
        try:
            course(dice, bad)
        except AssertionError as err:
            faults.append(f"run {number} ({bad or 'good'}): {err}")
            say(faults[-1])
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(seen.items()))
    yield Proof(
        "rollout.halts",
        runs=runs,
        failures=len(faults),
        seed=seed,
        note=f"whole rollouts on virtual time ({kinds}): a bad release is at no site beyond its "
        "canary, and after the way back at none that is heard; a good one is at every site that is "
        "heard, whatever sites are silent meanwhile; restarted at any turn",
    )


def course(dice: random.Random, bad: str) -> None:
    """Take one rollout to where it ends or stops, and back."""
    fleet = SmallFleet(sites=SITES, plan=ONE, waves=((0, CANARY), (CANARY, 12), (12, SITES)))
    if bad:
        for site in fleet.sites.values():
            site.how = bad
    elif dice.randrange(2):  # one silent site never blocks a wave
        fleet.sites[f"s{dice.randrange(SITES):04}"].is_dark = True
    fleet.rollout.start(fleet.now_ms)
    for _ in range(TURNS_MAX):
        if fleet.rollout.head.state is not R.RUNNING:
            break
        step(fleet, dice, is_calm=bool(bad))
    head = fleet.rollout.head
    if not bad:
        assert head.state is R.COMPLETED, f"a good release is {head.state}: {head.why}"
        late = [s.name for s in fleet.sites.values() if s.runs != NEW and not s.is_dark]
        assert not late, f"not at {late[:3]}"
        return
    assert head.state is R.PAUSED, f"a bad release is {head.state} in wave {head.wave + 1}"
    beyond = {job.site for job in fleet.offered if job.wave}
    assert not beyond, f"it went beyond its canary to {len(beyond)} sites"
    go_back(fleet, dice)


def step(fleet: SmallFleet, dice: random.Random, *, is_calm: bool) -> None:
    """Let some time pass; now and then a site is silent for a while, or the centre restarts."""
    if not is_calm and not dice.randrange(20):
        name = f"s{dice.randrange(SITES):04}"
        site, job = fleet.sites[name], fleet.rollout.jobs[name]
        silent = sum(each.is_dark for each in fleet.sites.values())
        is_waiting = J.QUEUED in {job.state, job.was}  # who falls silent with an update stops it
        if site.is_dark or (silent < SITES // 10 and is_waiting):
            site.is_dark = not site.is_dark
    if not dice.randrange(15):
        restart(fleet)
    silent = sum(site.is_dark for site in fleet.sites.values())
    fleet.around = Around(dark_pct=100 * silent / SITES)
    fleet.turn(dice.choice((2, 2, 5, 20)))


def restart(fleet: SmallFleet) -> None:
    """Write head and jobs, and read them into another rollout, as the runner does."""
    before = fleet.rollout
    head = _heads.decode(msgspec.msgpack.encode(before.head))
    jobs = [_jobs.decode(msgspec.msgpack.encode(job)) for job in before.jobs.values()]
    fleet.rollout = Rollout(head, fleet.plan, jobs, fleet.now_ms)


def go_back(fleet: SmallFleet, dice: random.Random) -> None:
    """Roll back: each touched site that is heard has its former release."""
    for site in fleet.sites.values():
        site.is_dark, site.how = False, "well"
        site.alarms.clear()
    fleet.around = Around()
    fleet.rollout.roll_back("bad", fleet.now_ms)
    for _ in range(TURNS_MAX):
        if fleet.rollout.head.is_ended:
            break
        step(fleet, dice, is_calm=True)
    assert fleet.rollout.head.state is R.ROLLED_BACK, f"{fleet.rollout.head.state}"
    wrong = [site.name for site in fleet.sites.values() if site.runs != OLD]
    assert not wrong, f"still at {wrong[:3]}"
