"""Operator load over HTTP: what the alarms asked of people in the last hours."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_central.alarms import load as measured
from roost_central.alarms.transition import Transition
from roost_central.api.answers import Time
from roost_central.api.call import Call
from roost_central.api.instants import instant
from roost_central.storage import alarms

HOURS_MAX: Final = 7 * 24
STEPS_MAX: Final = 200_000  # read for one answer: some seconds; older ones are left out


class LoadQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Over how long, and for how many operators at once."""

    hours: Annotated[int, Meta(ge=1, le=HOURS_MAX)] = 24
    operators: Annotated[int, Meta(ge=1, le=1_000)] = 1


class Band(msgspec.Struct, frozen=True):
    """A figure, what is good, what is the limit, and which of these it is in."""

    value: float
    good: float
    limit: float
    band: str


class Counted(msgspec.Struct, frozen=True):
    """Something and how often."""

    key: str
    name: str
    count: int


class Hour(msgspec.Struct, frozen=True):
    """One hour; ``flood``: ten minutes of it were one."""

    at: Time | None
    count: int
    flood: bool


class LoadAnswer(msgspec.Struct, frozen=True):
    """The load; ``complete`` is false where there was more than could be read."""

    hours: int
    operators: int
    alarms: int
    alarms_per_hour: Band
    flood_share: Band
    priority: dict[str, float]
    stale: int
    chattering: int
    fleeting: int
    top_types: list[Counted]
    top_sites: list[Counted]
    mtta_s: float | None
    mttr_s: float | None
    per_hour: list[Hour]
    complete: bool


async def show_load(call: Call[LoadQuery, None]) -> LoadAnswer:
    """GET /api/v1/alarms/load."""
    api, asked = call.api, call.query
    since_ms = call.now_ms - asked.hours * measured.HOUR_MS
    steps, complete = await _steps(call, since_ms)
    load = measured.measure(steps, since_ms=since_ms, now_ms=call.now_ms, operators=asked.operators)
    rate = load.an_hour(asked.hours, asked.operators)
    total = sum(load.by_severity.values()) or 1
    name = api.book.catalogue.record
    share, limit = load.flood_share, measured.FLOOD_SHARE_LIMIT
    first = since_ms // measured.HOUR_MS + 1
    return LoadAnswer(
        hours=asked.hours,
        operators=asked.operators,
        alarms=load.alarms,
        alarms_per_hour=Band(
            rate, measured.GOOD_AN_HOUR, measured.LIMIT_AN_HOUR, measured.band(rate)
        ),
        flood_share=Band(share, 0.0, limit, "good" if share < limit else "overloaded"),
        priority={
            word: load.by_severity[word] / total
            for word in ("critical", "major", "minor", "warning")
        },
        stale=measured.stale(api.alarms.rows(), call.now_ms),
        chattering=load.chattering,
        fleeting=load.fleeting,
        top_types=[
            Counted(key, name(key).name, count)
            for key, count in load.by_type.most_common(measured.TOP)
        ],
        top_sites=[
            Counted(key, key, count) for key, count in load.by_site.most_common(measured.TOP)
        ],
        mtta_s=load.acked_ms / load.acked / 1000 if load.acked else None,
        mttr_s=load.cleared_ms / load.cleared / 1000 if load.cleared else None,
        per_hour=[
            Hour(instant(hour * measured.HOUR_MS), load.by_hour[hour], hour in load.flood_hours)
            for hour in range(first, first + asked.hours)
        ],
        complete=complete,
    )


async def _steps(call: Call[LoadQuery, None], since_ms: int) -> tuple[list[Transition], bool]:
    """Return the steps since a time, oldest first, and whether these are all."""
    found: list[Transition] = []
    before: int | None = None
    async with call.api.database.read() as connection:
        while len(found) < STEPS_MAX:
            page = await alarms.newest(connection, before=before, limit=alarms.PAGE_MAX)
            found += [
                step
                for step in page
                if step.received_ms >= since_ms and call.api.alarms.tells(step)
            ]
            if len(page) < alarms.PAGE_MAX or page[-1].received_ms < since_ms:
                return found[::-1], True
            before = page[-1].seq
    return found[::-1], False
