"""What a plan would do before anything is done: who, when, how much, and what is in its way. Pure.

When a wave begins and ends is worked out minute by minute from its rate, its caps and its soaks,
by the functions that the rollout itself goes by: at best, where every site takes it at once, and
with sites as slow as a download over a thin link.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from roost_central.rollout.gate import rate_per_minute
from roost_central.rollout.judgement import stopping
from roost_central.rollout.plan import Plan, waves_of
from roost_central.rollout.rules import Settled, settled
from roost_central.rollout.waves import Candidate, Cut, Key
from roost_central.rollout.windows import Waits

QUICK_MS: Final = 120_000  # of a site from offer to its word, at best
SLOW_MS: Final = 3_600_000  # and over a thin link
NAMED_MAX: Final = 20  # sites of one list
_MINUTE_MS: Final = 60_000
_MINUTES_MAX: Final = 60 * 24 * 60  # of a forecast; what takes longer ends at its deadline


@dataclass(frozen=True, slots=True)
class WaveDry:
    """One wave: times are ms after the start, ``bytes_wan`` of all its sites together.

    ``blockers``: why sites would not be updated as they are now, and which.
    """

    name: str
    sites: tuple[str, ...]
    begins_ms: tuple[int, int]
    ends_ms: tuple[int, int]
    bytes_wan: int
    current: int
    exposed: tuple[str, ...]
    blockers: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Dry:
    """All of it."""

    waves: tuple[WaveDry, ...]
    uncovered: tuple[tuple[Key, int], ...]
    sites: int
    nodes: int


def dry_run(
    plan: Plan,
    cut: Cut,
    found: Sequence[Candidate],
    wan_bytes: Callable[[Candidate], int],
    waits: Waits = lambda *_: 0,
) -> Dry:
    """Return what a plan would do.

    Args:
        plan: the plan.
        cut: who is in which wave.
        found: all of these sites.
        wan_bytes: that one site fetches.
        waits: for windows.
    """
    by_name = {each.site: each for each in found}
    waves, begins = [], (0, 0)
    for index, (wave, sites) in enumerate(zip(waves_of(plan), cut.waves, strict=True)):
        rules = settled(plan, index)
        some = [by_name[site] for site in sites]
        meant = [each for each in some if not each.is_current]
        took = []
        for begin, each in zip(begins, (QUICK_MS, SLOW_MS), strict=True):
            names = [site.site for site in meant]
            wait = 0 if rules.window is None else waits(rules.window, names, begin)
            took.append(duration_ms(rules, len(meant), each, wait))
        ends = (begins[0] + took[0], begins[1] + took[1])
        waves.append(
            WaveDry(
                name=wave.name or f"wave {index + 1}",
                sites=sites,
                begins_ms=begins,
                ends_ms=ends,
                bytes_wan=sum(wan_bytes(each) for each in meant),
                current=len(some) - len(meant),
                exposed=tuple(each.site for each in meant if each.is_exposed),
                blockers=_blockers(meant, rules, plan),
            )
        )
        begins = ends
    nodes = sum(len(each.nodes) for each in found)
    return Dry(tuple(waves), cut.uncovered, len(found), nodes)


def duration_ms(rules: Settled, sites: int, site_ms: int, wait_ms: int = 0) -> int:
    """Return how long a wave of so many sites takes, each from offer to word so long.

    Never longer than its deadline and its soak; ``wait_ms``: for its window, once.
    """
    if not sites:
        return 0
    whole_ms = site_ms + rules.site_soak_ms
    minutes = -(-whole_ms // _MINUTE_MS)
    most = min(rules.max_in_flight.wave, rules.max_in_flight.fleet)
    offered: list[int] = []
    left, flying, done, tokens = sites, 0, 0, 1.0
    while left and len(offered) < _MINUTES_MAX:
        back = offered[-minutes] if len(offered) >= minutes else 0
        flying, done = flying - back, done + back
        rate = rate_per_minute(rules, done)
        tokens = min(tokens + rate, max(rate, 1.0))
        now = max(0, min(left, most - flying, int(tokens)))
        tokens -= now
        offered.append(now)
        left, flying = left - now, flying + now
    whole_ms += len(offered) * _MINUTE_MS + wait_ms
    return min(whole_ms, rules.deadline_ms) + rules.soak_ms


def _blockers(some: Sequence[Candidate], rules: Settled, plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return why sites would not be updated as they are now, or by the gates of their wave."""
    found: dict[str, list[str]] = {}
    for each in some:
        alarm = stopping(each.alarms, rules, plan)
        if why := each.held or (f"alarm {alarm.type}" if alarm is not None else ""):
            found.setdefault(why, []).append(each.site)
    return {why: tuple(sites) for why, sites in sorted(found.items())}
