"""Scenarios of local HA in which the wall clocks of a site are wrong."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ha_deaths import power_off
from ha_plan import Plan
from ha_stage import HOLD_S, Scenario, takeover_s
from wall_clock import TEN_YEARS_S


def walls(plan: Plan) -> list[Scenario]:
    """Return them."""
    return [
        Scenario("26 wall clocks ten years off and right again, TLS", _wrong),
        Scenario("26 active node killed, clocks ten years ahead, TLS", _ahead, 1, takeover_s(plan)),
        Scenario("26 active node killed, clocks ten years back, TLS", _back, 1, takeover_s(plan)),
    ]


def _wrong(site: Any, active: str) -> None:
    for ahead_s in (TEN_YEARS_S, -TEN_YEARS_S):
        with _walls_at(site, ahead_s):
            time.sleep(HOLD_S / 2)
    time.sleep(HOLD_S / 2)
    assert site.active() == active


def _ahead(site: Any, active: str) -> None:
    with _walls_at(site, TEN_YEARS_S):
        power_off(site, active)


def _back(site: Any, active: str) -> None:
    with _walls_at(site, -TEN_YEARS_S):
        power_off(site, active)


@contextmanager
def _walls_at(site: Any, ahead_s: int) -> Iterator[None]:
    """All wall clocks of a site are wrong while the context lasts."""
    for node in site.nodes.values():
        node.wall.write_text(str(ahead_s))
    try:
        yield
    finally:
        for node in site.nodes.values():
            node.wall.write_text("0")
