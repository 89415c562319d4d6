"""When many alarms are one storm, and which may become a part of it. Pure.

Two rules (faults.md section 5): one type at SITES_MIN sites within a minute, or one type in one
region far above its usual rate. Leaves what becomes of a storm to incidents.py.

An alarm that may yet be taken by a storm is a candidate: for HOLD_MS after its raise, and for as
long as its type gathers (each few seconds another site), but not longer than GATHER_MS. Receivers
outside hear nothing of it meanwhile, so that the first alarms of a storm do not go out one by one.

Invariants: what is remembered is bounded; who raised nothing within the window is no candidate.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from roost_central.alarms.row import AlarmRow

WINDOW_MS: Final = 60_000
SITES_MIN: Final = 50  # sites with one type within the window
RATE_MIN: Final = 0.5  # raises a second of one type in one region
RATE_FACTOR: Final = 8  # above its usual rate
USUAL_MS: Final = 86_400_000
RATES_MAX: Final = 20_000  # (type, region) pairs whose rates are known

HOLD_MS: Final = 2_000  # each alarm waits so long for company; an alarm is at the NOC within 5 s
GATHER_SITES: Final = 3  # sites within the window: its type may be gathering ..
PAUSE_MS: Final = 3_000  # .. until no other site came for so long; a slower one is no storm
GATHER_MS: Final = 30_000  # at most: sites that fall silent at once are dark within a beat
TYPES_MAX: Final = 1_000  # of which the newest alarms are remembered
NEWEST_MAX: Final = 20_000  # alarms of one type; past it a storm has long begun


RegionOf = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Storm:
    """What became a storm: one type, everywhere or in one region, and its alarms of late."""

    type: str
    region: str
    members: tuple[tuple[str, str], ...]  # site, key_id


@dataclass(slots=True)
class _Newest:
    """The newest alarms of one type: when and where by key_id, the oldest first."""

    alarms: OrderedDict[str, tuple[int, str]] = field(default_factory=OrderedDict)
    sites: dict[str, int] = field(default_factory=dict)  # how many of each
    grew_ms: int = 0  # when another site came last

    def add(self, key_id: str, site: str, now_ms: int) -> None:
        self.drop(key_id)
        self.forget(now_ms - WINDOW_MS)
        if site not in self.sites:
            self.grew_ms = now_ms
        self.alarms[key_id] = (now_ms, site)
        self.sites[site] = self.sites.get(site, 0) + 1

    def drop(self, key_id: str) -> None:
        found = self.alarms.pop(key_id, None)
        if found is not None:
            self._leave(found[1])

    def forget(self, before_ms: int) -> None:
        """Drop what is older, and the oldest of too many."""
        while self.alarms:
            key_id, (at_ms, site) = next(iter(self.alarms.items()))
            if at_ms >= before_ms and len(self.alarms) < NEWEST_MAX:
                return
            del self.alarms[key_id]
            self._leave(site)

    def _leave(self, site: str) -> None:
        self.sites[site] -= 1
        if not self.sites[site]:
            del self.sites[site]

    def gathers(self, now_ms: int) -> bool:
        return len(self.sites) >= GATHER_SITES and now_ms - self.grew_ms < PAUSE_MS


@dataclass(slots=True)
class _Rate:
    fast: float = 0.0
    slow: float = 0.0
    at_ms: int = 0


class StormWatch:
    """The newest alarms of each type, and how often they usually come.

    Args:
        region_of: of a site; empty: none is known.
    """

    def __init__(self, region_of: RegionOf) -> None:
        self._region_of = region_of
        self._newest: OrderedDict[str, _Newest] = OrderedDict()
        self._rates: OrderedDict[tuple[str, str], _Rate] = OrderedDict()

    def clear(self) -> None:
        """Forget the newest alarms: the set was read anew."""
        self._newest.clear()

    def calm(self, type_: str) -> None:
        """Forget the newest alarms of a type: its storm is over."""
        self._newest.pop(type_, None)

    def is_candidate(self, alarm: AlarmRow, now_ms: int) -> bool:
        """Return whether a storm may yet take an alarm."""
        newest = self._newest.get(alarm.type)
        found = newest.alarms.get(alarm.key_id) if newest is not None else None
        if newest is None or found is None:
            return False
        age_ms = now_ms - found[0]
        return age_ms < HOLD_MS or (age_ms < GATHER_MS and newest.gathers(now_ms))

    def raised(self, alarm: AlarmRow, now_ms: int, *, is_storm: bool) -> Storm | None:
        """Take in an alarm of a site that belongs to no incident; return the storm it makes.

        Args:
            alarm: as it was raised.
            now_ms: by our clock.
            is_storm: who raised it saw one, however few alarms there are yet.
        """
        site = alarm.site or ""
        newest = self._of_type(alarm.type)
        newest.add(alarm.key_id, site, now_ms)
        region = self._region_of(site)
        is_fast = self._is_fast(alarm.type, region, now_ms)
        if is_storm or len(newest.sites) >= SITES_MIN:
            region = ""
        elif not is_fast:
            return None
        members = [(site, key_id) for key_id, (_, site) in newest.alarms.items()]
        here = [each for each in members if not region or self._region_of(each[0]) == region]
        return Storm(alarm.type, region, tuple(here))

    def _of_type(self, type_: str) -> _Newest:
        newest = self._newest.setdefault(type_, _Newest())
        self._newest.move_to_end(type_)
        if len(self._newest) > TYPES_MAX:
            self._newest.popitem(last=False)
        return newest

    def _is_fast(self, type_: str, region: str, now_ms: int) -> bool:
        """Count one raise; return whether they come far faster than usual.

        The usual rate stands still while they do, or a long storm would become usual.
        """
        rate = self._rates.setdefault((type_, region), _Rate(at_ms=now_ms))
        self._rates.move_to_end((type_, region))
        if len(self._rates) > RATES_MAX:
            self._rates.popitem(last=False)
        gap_ms = max(0, now_ms - rate.at_ms)
        rate.at_ms = now_ms
        rate.fast = rate.fast * math.exp(-gap_ms / WINDOW_MS) + 1000 / WINDOW_MS
        is_fast = bool(region) and rate.fast > max(RATE_MIN, RATE_FACTOR * rate.slow)
        if not is_fast:
            rate.slow = rate.slow * math.exp(-gap_ms / USUAL_MS) + 1000 / USUAL_MS
        return is_fast
