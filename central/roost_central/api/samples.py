"""What a node measured lately, over HTTP: asked of the node itself, or what it told by itself."""

import math
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from roost_central.api.answers import Age, Time
from roost_central.api.call import Call
from roost_central.api.instants import age_s, instant, parse_since
from roost_central.api.named_node import named_node
from roost_central.api.problem import ApiError
from roost_central.fleet.view import NodeRow
from roost_central.samples.desk import Answer, Told, Wish
from roost_central.storage import node_samples
from roost_protocol.limits import (
    SAMPLE_ASK_SERIES_MAX,
    SAMPLE_STEP_S_MAX,
    SAMPLE_STEP_S_MIN,
    SAMPLE_STEPS_MAX,
)
from roost_protocol.samples import KINDS, Series, unpacked

STEPS_USUAL: Final = 96  # of an answer whose step nobody named: a plot is not wider
DAY_MS: Final = 86_400_000
HEARD: Final = frozenset({"online", "degraded"})
DIGITS: Final = 4  # half floats have three and a bit

TimeText = Annotated[str, Meta(max_length=40, description="RFC 3339, or a span such as 24h")]
Value = float | None


class SamplesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which samples."""

    since: TimeText = "24h"
    until: TimeText = ""
    step_s: Annotated[
        int, Meta(ge=0, le=SAMPLE_STEP_S_MAX, description="whole minutes; 0: as it suits")
    ] = 0
    series: Annotated[
        str, Meta(max_length=2_048, description="names or kinds: cpu,space|fs=/; empty: all")
    ] = ""


class SeriesAnswer(msgspec.Struct, frozen=True):
    """One series; null: nothing was measured in that step."""

    series: str
    kind: str
    of: str
    unit: str
    low: list[Value]
    mean: list[Value]
    high: list[Value]


class SamplesAnswer(msgspec.Struct, frozen=True):
    """Samples of a node.

    Attributes:
        origin: ``node``: a node's answer. ``kept``: what it tells by itself once an hour, of a few
            series. ``none``: there is nothing.
        why: it is not the node's answer of now; empty where it is.
        as_of: when the centre heard it.
        since: of the first step, by the node's clock.
        left_out: series that one answer did not hold.
    """

    node: str
    origin: str
    why: str
    as_of: Time | None
    age_s: Age | None
    since: Time | None
    step_s: int
    steps: int
    series: list[SeriesAnswer]
    left_out: int


async def show_samples(call: Call[SamplesQuery, Any]) -> SamplesAnswer:
    """GET /api/v1/nodes/{node}/samples."""
    row = named_node(call)
    asked = wish(call.query, call.now_ms)
    if (silent := why_silent(row)) is None:
        found = await call.api.samples.fetch(row.node, asked)
    else:
        found = Answer(None, silent)
    if found.told is not None:
        return told(call, row.node, "node", found.told, found.why)
    kept = await _kept(call, row.node, asked)
    return (
        nothing(row.node, found.why)
        if kept is None
        else told(call, row.node, "kept", kept, found.why)
    )


def nothing(node: str, why: str) -> SamplesAnswer:
    """Return that there is nothing to show of a node, and why."""
    return SamplesAnswer(node, "none", why, None, None, None, 0, 0, [], 0)


def told(call: Call[Any, Any], node: str, origin: str, word: Told, why: str) -> SamplesAnswer:
    """Return what was told of a node."""
    said = word.samples
    return SamplesAnswer(
        node=node,
        origin=origin,
        why=why,
        as_of=instant(word.received_ms),
        age_s=age_s(word.received_ms, call.api.clock.wall_ms()),
        since=instant(said.since_ms),
        step_s=said.step_s,
        steps=said.steps,
        series=[_series(each) for each in said.series],
        left_out=said.left_out,
    )


def why_silent(row: NodeRow) -> str | None:
    """Return why a node is not asked; None: it is."""
    if row.quarantine:
        return f"the node is in quarantine: {row.quarantine}"
    if row.presence not in HEARD:
        return f"the node is {row.presence}: this is what it told before"
    return None


async def _kept(call: Call[SamplesQuery, Any], node: str, asked: Wish) -> Told | None:
    """Return what a node told by itself, of the series that are wanted."""
    async with call.api.database.read() as connection:
        record = await node_samples.find(connection, node)
    if record is None:
        return None
    wanted = set(asked.series)
    series = [
        each
        for each in record.samples.series
        if not wanted or each.kind in wanted or each.name in wanted
    ]
    kept = msgspec.structs.replace(record.samples, series=series)
    return Told(kept, record.received_ms)


def wish(query: SamplesQuery, now_ms: int, *, board: str = "") -> Wish:
    """Return what is asked, in whole steps, so that all who look at once ask one question.

    Args:
        query: of the request.
        now_ms: UTC.
        board: the node, by its name in its site, whose board controller is meant; empty: none.

    Raises:
        ApiError: ``bad-parameter``: the field and its bound.
    """
    since_ms = parse_since(query.since, now_ms)
    until_ms = parse_since(query.until, now_ms) if query.until else now_ms
    if since_ms is None or until_ms is None or not 0 <= since_ms < until_ms:
        raise ApiError("bad-parameter", "since, until: times or spans, the first before the second")
    if until_ms - since_ms > DAY_MS + SAMPLE_STEP_S_MAX * 1000:
        raise ApiError("bad-parameter", "since: at most 24h before until: a node keeps a day")
    step_s = query.step_s or _usual_step_s(until_ms - since_ms)
    if step_s % SAMPLE_STEP_S_MIN:
        raise ApiError("bad-parameter", f"step_s: a multiple of {SAMPLE_STEP_S_MIN}")
    names = tuple(sorted({name for name in query.series.split(",") if name}))
    if len(names) > SAMPLE_ASK_SERIES_MAX:
        raise ApiError("bad-parameter", f"series: at most {SAMPLE_ASK_SERIES_MAX} names")
    for name in names:
        if name.partition("|")[0] not in KINDS:
            raise ApiError("bad-parameter", f"series: {name[:40]!r} is none of {', '.join(KINDS)}")
    step_ms = step_s * 1000
    first_ms, end_ms = since_ms // step_ms * step_ms, -(-until_ms // step_ms) * step_ms
    steps = min((end_ms - first_ms) // step_ms, SAMPLE_STEPS_MAX)
    return Wish(end_ms - steps * step_ms, end_ms, step_s, names, board)


def _usual_step_s(span_ms: int) -> int:
    minutes = -(-span_ms // (STEPS_USUAL * 60_000))
    return min(max(minutes, 1), SAMPLE_STEP_S_MAX // 60) * 60


def _series(each: Series) -> SeriesAnswer:
    low, mean, high = (list(map(_value, unpacked(raw))) for raw in (each.low, each.mean, each.high))
    return SeriesAnswer(each.name, each.kind, each.of, KINDS[each.kind], low, mean, high)


def _value(value: float) -> Value:
    return None if math.isnan(value) else float(f"{value:.{DIGITS}g}")
