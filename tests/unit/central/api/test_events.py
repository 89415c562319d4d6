"""The event log over HTTP."""

import pytest

from roost_central.storage import events
from roost_central.storage.events import NewEvent

NOW_MS = 1_793_500_000_000  # where the clock of the fixtures stands
EVENTS = "/api/v1/events"


def an_event(type_, severity, node="alpha.n1"):
    at_ms = NOW_MS - 60_000
    return NewEvent(at_ms, NOW_MS, "node", type_, severity, "said", "alpha", node)


@pytest.fixture
async def told(central):
    async with central.database.write() as connection:
        await events.append(
            connection,
            [an_event("280.804", 3), an_event("280.807", 2), an_event("100.101", 3, "alpha.n2")],
        )


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("", ["100.101", "280.807", "280.804"]),
        ("type=280.804", ["280.804"]),
        ("kind=280.804", ["280.804"]),
        ("type:280.* sev>=major", ["280.804"]),
        ("!type:280.*", ["100.101"]),
        ("node=alpha.n2", ["100.101"]),
    ],
)
async def test_events_are_asked_for_by_type_severity_and_place(get, told, query, types):
    status, page = await get(EVENTS, filter=query)
    assert (status, [row["type"] for row in page["items"]]) == (200, types)


async def test_a_field_of_alarms_alone_is_refused_with_its_place(get, told):
    status, problem = await get(EVENTS, filter="sev=major op=none")
    assert (status, problem["code"]) == (400, "bad-filter")
    assert problem["errors"][0]["offset"] == 10
