"""What windows of a plan mean for its deadlines and its forecast. Pure.

A wave begins when the one before has soaked, or when somebody promotes it: nobody knows the hour
when the plan is made. So its deadline has to be longer than its window is ever shut.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import TypeAlias

from roost_central.rollout.plan import LEEWAY_MS, Plan, WeekWindow, waves_of
from roost_central.rollout.rules import Settled, settled
from roost_protocol.errors import ProtocolError
from roost_protocol.window import (
    Window,
    longest_apart_ms,
    longest_shut_ms,
    next_start_ms,
    open_until_ms,
)

_HOUR_MS = 3_600_000

Waits: TypeAlias = Callable[[WeekWindow, Iterable[str], int], int]  # window, sites, ms after start


def refusals(plan: Plan) -> list[str]:
    """Return which waves may be over before their window opens, with what to say instead."""
    found = []
    for index, wave in enumerate(waves_of(plan)):
        rules = settled(plan, index)
        if rules.window is None or rules.deadline_ms >= rules.window.needs_ms:
            continue
        least = -(-rules.window.needs_ms // _HOUR_MS)
        found.append(
            f"wave {index + 1} ({wave.name or 'no name'}) has {rules.deadline_ms / _HOUR_MS:g} h "
            f"(deadline_h), and its window is shut for up to {least - 1} h in a site's zone: "
            f"say deadline_h = {least} or more, or nothing, or a window of more days"
        )
    return found


def own_refusals(
    plan: Plan,
    waves: Sequence[Sequence[str]],
    own: Mapping[str, Collection[Window]],
    zone_of: Callable[[str], str],
    now_ms: int,
) -> list[str]:
    """Return which waves may be over before the windows of their nodes' profiles open.

    Args:
        plan: of a release.
        waves: the sites of each.
        own: by site, the windows that its nodes have of their own.
        zone_of: the zone of a site's windows.
        now_ms: UTC.
    """
    found = []
    for index, sites in enumerate(waves):
        rules, name = settled(plan, index), waves_of(plan)[index].name or "no name"
        where = f"wave {index + 1} ({name})"
        theirs = {site: own[site] for site in sites if site in own}
        needs = {site: max(map(_needs_ms, said), default=0) for site, said in theirs.items()}
        late = [site for site, need_ms in needs.items() if need_ms > rules.deadline_ms]
        if late:
            found.append(_late(where, rules, {site: needs[site] for site in late}, "is shut"))
        if rules.window is None:
            continue
        both = _needs_both_ms(rules.window, theirs, zone_of, now_ms)
        seldom = {
            site: need_ms
            for site, need_ms in both.items()
            if need_ms is not None and needs[site] <= rules.deadline_ms < need_ms
        }
        if seldom:
            found.append(_late(where, rules, seldom, "does not meet the plan's"))
        if apart := [site for site, need_ms in both.items() if need_ms is None]:
            found.append(
                f"{where}: at {len(apart)} of its sites, such as {apart[0]}, the plan's window and "
                "that of a node's profile (update-window) are never open together: change one"
            )
    return found


def _late(where: str, rules: Settled, needs: Mapping[str, int], what: str) -> str:
    """Return that sites need a longer deadline, by what each needs in ms."""
    least = -(-max(needs.values()) // _HOUR_MS)
    return (
        f"{where} has {rules.deadline_ms / _HOUR_MS:g} h (deadline_h), and nodes of {len(needs)} "
        f"of its sites, such as {next(iter(needs))}, have a window of their own (update-window of "
        f"a profile) that {what} for up to {least - 1} h: say deadline_h = {least} or more"
    )


def _needs_ms(window: Window) -> int:
    """Return what a deadline has to be at least for a window to open in it; 0: any."""
    shut_ms = longest_shut_ms(window)
    return shut_ms and shut_ms + LEEWAY_MS


def _needs_both_ms(
    week: WeekWindow,
    own: Mapping[str, Collection[Window]],
    zone_of: Callable[[str], str],
    now_ms: int,
) -> dict[str, int | None]:
    """Return what a deadline has to be for a plan's window to meet each site's own; None: never.

    Each two windows are looked at once.
    """

    @cache
    def need_ms(zone: str, window: Window) -> int | None:
        try:
            there = week.of(zone)
        except ProtocolError:  # a label that is no zone: the node will say so
            return 0
        apart_ms = longest_apart_ms([there, window], now_ms)
        return apart_ms and apart_ms + LEEWAY_MS

    found: dict[str, int | None] = {}
    for site, said in own.items():
        needs = [need_ms(zone_of(site), each) for each in said]
        found[site] = None if None in needs else max(filter(None, needs), default=0)
    return found


def waits_of(zone_of: Callable[[str], str], now_ms: int) -> Waits:
    """Return what says how long the last of some sites waits for its window, in ms.

    Args:
        zone_of: the zone of a site's windows.
        now_ms: UTC, of the start.
    """

    def wait_ms(window: WeekWindow, sites: Iterable[str], after_ms: int) -> int:
        zones = {zone_of(site) for site in sites}
        return max((_wait_ms(window, zone, now_ms + after_ms) for zone in zones), default=0)

    return wait_ms


def _wait_ms(window: WeekWindow, zone: str, at_ms: int) -> int:
    try:
        there = window.of(zone)
    except ProtocolError:  # a label that is no zone: nothing is known of that site's days
        return 0
    return 0 if open_until_ms(there, at_ms) is not None else next_start_ms(there, at_ms) - at_ms
