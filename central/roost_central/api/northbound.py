"""Where alarms go out: the targets with their state, a test of each, metrics for Prometheus."""

from typing import Annotated, Final

import msgspec

from roost_central.api.acts import act_of
from roost_central.api.answers import (
    NorthboundAnswer,
    NorthboundLetter,
    NorthboundTarget,
    NorthboundTest,
)
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.instants import instant
from roost_central.api.problem import ApiError
from roost_central.errors import NotFoundError
from roost_central.storage import audit

LETTERS_SHOWN: Final = 100
METRICS: Final = "text/plain"
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class DiscoveryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The port that the targets' exporters listen on."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 9100


async def show_northbound(call: Call[NoQuery, None]) -> NorthboundAnswer:
    """GET /api/v1/northbound."""
    north = call.api.northbound
    letters = await north.letters(LETTERS_SHOWN)
    return NorthboundAnswer(
        targets=[
            NorthboundTarget(
                name=state.name,
                kind=state.kind,
                address=state.address,
                state=state.word,
                queue=state.queue,
                cursor=state.cursor,
                sent=state.sent,
                failures=state.failures,
                last_error=state.last_error,
                worked=instant(state.worked_ms),
                dead_letters=state.letters,
                disabled=state.disabled,
            )
            for state in north.states
        ],
        dead_letters=[
            NorthboundLetter(
                target=letter.target,
                at=instant(letter.at_ms),
                seq=letter.about_seq,
                error=letter.error,
                body=letter.body.decode(errors="replace"),
            )
            for letter in letters
        ],
    )


async def test_target(call: Call[NoQuery, None]) -> NorthboundTest:
    """POST /api/v1/northbound/{target}:test."""
    try:
        error = await call.api.northbound.test(call.path("target"))
    except NotFoundError:
        raise ApiError("not-found", f"there is no target {call.path('target')[:64]!r}") from None
    act = act_of(call, "northbound.test", call.path("target"), {"error": error})
    async with call.api.database.write() as connection:
        await audit.add(connection, act)
    return NorthboundTest(delivered=not error, error=error)


async def show_metrics(call: Call[NoQuery, None]) -> Reply:
    """GET /metrics."""
    return Reply(call.api.northbound.metrics().encode(), media=METRICS_TYPE)


async def discover(call: Call[DiscoveryQuery, None]) -> Reply:
    """GET /api/v1/http-sd: a bare list, as Prometheus wants it."""
    return Reply(msgspec.json.encode(call.api.northbound.discovery(call.query.port)))
