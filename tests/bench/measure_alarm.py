"""Alarms at the centre: the search for a shared cause, and the first page of very many."""

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Iterator

from figure import QUICK, Figure

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.alarms.correlate import Population, explain
from roost_central.alarms.facts import Said
from roost_central.api.alarm_sight import AlarmSight
from roost_central.api.alarms import listing_of
from roost_central.api.listing import Ask, select
from roost_central.api.lists import LIMIT, unhurried
from roost_central.fleet.query import parse
from roost_central.fleet.view import FleetView
from roost_central.ports import SystemClock
from roost_protocol.alarm import Alarm, Change
from roost_protocol.severity import Severity

NOISE = 40  # sites that were hit by chance
OWN = frozenset({"broker", "release", "worker", "wave"})
KINDS = {
    "region": [f"r{n:02}" for n in range(24)],
    "zone": [f"z{n:02}" for n in range(60)],
    "carrier": ["carA", "carB", "carC", "carD"],
    "pe": [f"pe{n}" for n in range(200)],
    "feed": ["A", "B"],
    "profile": [f"p{n}" for n in range(8)],
    "broker": [f"mq{n}" for n in range(4)],
    "worker": [f"w{n}" for n in range(4)],
    "release": ["4.2.0", "4.2.1", "4.3.0"],
    "wave": [f"w{n}" for n in range(5)],
}
CAUSE = "carrier=carB AND region IN r00..r11"


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Measure on one core, in this process."""
    runs = 3 if QUICK else 9
    for sites, goal in ((10_000, "<= 150"), (50_000, "<= 800")):
        took = [_explain(sites, seed) for seed in range(runs)]
        say(f"{sites:,} sites: {min(took):.0f} to {max(took):.0f} ms")
        key = f"alarm.explain_ms_{sites // 1000}k"
        against = f"10 attributes, 2 terms to find, {NOISE} noise sites; median of {runs} runs"
        yield Figure(key, round(statistics.median(took), 1), "ms", goal, against)
    alarms = 10_000 if QUICK else 100_000
    took = asyncio.run(_list(alarms))
    say(f"first page of {alarms:,} alarms: {statistics.median(took):.1f} ms")
    yield Figure(
        "alarm.active_100k_list_ms",
        round(statistics.median(took), 1),
        "ms",
        "<= 50",
        f"{alarms:,} active alarms, {LIMIT} a page, without HTTP; median of {len(took)}",
    )


def _explain(sites: int, seed: int) -> float:
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    columns = {name: dice.choices(values, k=sites) for name, values in KINDS.items()}
    hit = {
        site
        for site in range(sites)
        if columns["carrier"][site] == "carB" and columns["region"][site] < "r12"
    }
    population = Population(columns, frozenset(hit | set(dice.sample(range(sites), NOISE))), OWN)
    began = time.perf_counter()
    found = explain(population)
    took = (time.perf_counter() - began) * 1000
    if [cause.text for cause in found.causes] != [CAUSE]:
        raise AssertionError(f"another cause was found: {found.causes}")
    return took


async def _list(count: int) -> list[float]:
    """Return what some first pages took, the alarms spread over 10,000 sites."""
    view, clock = FleetView(), SystemClock()
    for n in range(10_000):
        view.add_site(f"s{n}", 0).labels = {"region": f"r{n % 24:02}"}
        view.add_node(f"s{n}.n1", f"s{n}", "n1")
    book = AlarmBook(shipped(), view, None, clock)  # nothing is stored
    draft, now_ms = book.core.draft(), clock.wall_ms()
    for n in range(count):
        alarm = Alarm(
            v=1,
            type="100.104",
            change=Change.RAISE,
            severity=Severity(1 + n % 4),
            entity=f"fs=/{n // 10_000}",
            text="93 % used",
        )
        book.core.handle(draft, Said(f"s{n % 10_000}.n1", alarm, now_ms), now_ms)
    book.core.settle(draft, now_ms)
    book.core.index.load(row for row in draft.rows.values() if row is not None)
    took = []
    for _ in range(5 if QUICK else 21):
        began = time.perf_counter()
        listing = listing_of(AlarmSight(book, view, is_whole=True))
        ask = Ask(parse(""), sort="-rank", limit=LIMIT, count=False)
        page = await unhurried(select(listing, list(book.active()), ask, now_ms))
        shown = [listing.build(row, now_ms) for row in page.rows]
        took.append((time.perf_counter() - began) * 1000)
        if len(shown) != LIMIT:
            raise AssertionError(f"a page of {len(shown)}")
    return took
