"""What windows of a plan mean for its deadlines and its forecast. Pure.

A wave begins when the one before has soaked, or when somebody promotes it: nobody knows the hour
when the plan is made. So its deadline has to be longer than its window is ever shut.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from roost_central.rollout.plan import Plan, WeekWindow, waves_of
from roost_central.rollout.rules import settled
from roost_protocol.errors import ProtocolError
from roost_protocol.window import next_start_ms, open_until_ms

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
