"""Snapshot and stream over HTTP."""

import asyncio
import json
import zlib
from contextlib import ExitStack, asynccontextmanager

import pytest

from roost_central.api.live import CLIENTS_MAX, LAYOUT_INTERVAL_MS
from roost_central.api.sse import RECHECK_MS
from roost_central.fleet.view import Changes
from roost_central.storage import tokens
from roost_central.stream.core import FRAME_INTERVAL_MS, KEEPALIVE_MS

SNAPSHOT = "/api/v1/snapshot"
STREAM = "/api/v1/stream"


class Reader:
    """Reads events off a stream."""

    def __init__(self, response):
        self.response = response

    async def event(self):
        found = {}
        async with asyncio.timeout(5):
            while line := (await self.response.content.readline()).decode().rstrip("\n"):
                name, _, value = line.partition(": ")
                found[name] = value
        return await self.event() if "retry" in found else found


@pytest.fixture
def open_stream(central):
    @asynccontextmanager
    async def open_stream(last_id=None, **params):
        headers = {**central.bearer, **({"Last-Event-ID": last_id} if last_id else {})}
        async with central.client.get(STREAM, params=params, headers=headers) as response:
            assert response.status == 200
            yield Reader(response)

    return open_stream


@pytest.fixture
def advance(central, clock, view):
    """Let time pass and the pump run once over what changed meanwhile."""
    with view.listen() as changes:

        def advance(ms=FRAME_INTERVAL_MS):
            clock.now_ms += ms
            central.api.live.advance(changes.drain())

        yield advance


async def snapshot(central, **headers):
    answer = await central.client.get(SNAPSHOT, headers={**central.bearer, **headers})
    return answer, (await answer.json() if answer.status == 200 else None)


async def test_the_snapshot_is_made_once_and_not_sent_twice(central):
    first, document = await snapshot(central)
    again, _ = await snapshot(central, **{"If-None-Match": first.headers["ETag"]})

    assert document["cols"][1] == ["alpha", "beta", "gamma"]
    assert again.status == 304
    assert await again.read() == b""
    one = await central.api.live.snapshots.get()
    assert one is await central.api.live.snapshots.get()
    assert zlib.decompress(one.gzipped, 31) == one.body


async def test_many_readers_at_once_wait_for_one_snapshot(central):
    async with asyncio.TaskGroup() as tasks:
        made = [tasks.create_task(central.api.live.snapshots.get()) for _ in range(8)]

    assert len({id(task.result()) for task in made}) == 1


async def test_a_change_makes_another_snapshot(central, view, advance):
    before, _ = await snapshot(central)
    view.sites["alpha"].status = "down"
    view.touch_site("alpha")
    advance()

    after, document = await snapshot(central, **{"If-None-Match": before.headers["ETag"]})

    assert after.status == 200
    assert document["cols"][2][0] == "down"


async def test_a_change_reaches_the_stream_as_a_cell(central, open_stream, view, advance):
    _, document = await snapshot(central)
    async with open_stream(epoch=f"{document['epoch']}-{document['frame']}") as stream:
        view.sites["beta"].status = "degraded"
        view.touch_site("beta")
        advance()
        event = await stream.event()

    assert event["event"] == "frame"
    assert event["id"] == f"{document['epoch']}-{document['frame'] + 1}"
    data = json.loads(event["data"])
    assert data["f"] == [[view.sites["beta"].index, document["fields"].index("status"), "degraded"]]
    assert "nodes" not in data


async def test_a_filter_of_the_stream_is_refused_with_what_to_ask_instead(central):
    params = {"filter": "region:r01"}
    async with central.client.get(STREAM, params=params, headers=central.bearer) as answer:
        problem = await answer.json(content_type=None)
    (error,) = problem["errors"]
    assert (answer.status, error["field"], error["code"]) == (400, "filter", "not-here")
    for path in ("/api/v1/sites", "/api/v1/events"):
        assert f"GET {path}?" in error["detail"]
        instead = await central.client.get(path, params=params, headers=central.bearer)
        assert instead.status == 200


async def test_a_quiet_stream_tells_the_time(open_stream, advance, clock):
    async with open_stream() as stream:
        advance(KEEPALIVE_MS)
        data = json.loads((await stream.event())["data"])

    assert data == {"t": clock.now_ms, "f": []}


async def test_a_client_comes_back_with_its_last_event_id(open_stream, view, advance):
    async with open_stream() as stream:
        view.sites["beta"].status = "ok"
        view.touch_site("beta")
        advance()
        last_id = (await stream.event())["id"]
    for status in ("degraded", "down"):
        view.sites["beta"].status = status
        view.touch_site("beta")
        advance()

    async with open_stream(last_id) as stream:
        values = [json.loads((await stream.event())["data"])["f"][0][2] for _ in range(2)]

    assert values == ["degraded", "down"]


@pytest.mark.parametrize("position", ["ffff-1", "ffff"])
async def test_another_epoch_is_told_to_read_the_snapshot(central, open_stream, position):
    async with open_stream(epoch=position) as stream:
        event = await stream.event()

    assert event["event"] == "resync"
    data = json.loads(event["data"])
    assert data == {"etag": central.api.live.snapshots.etag, "reason": "epoch"}


async def test_new_sites_resync_the_stream_but_not_at_every_one(
    central, open_stream, grow, advance
):
    advance(LAYOUT_INTERVAL_MS)
    async with open_stream() as stream:
        for n in range(3):
            grow(f"new{n}")
            advance()
        _, document = await snapshot(central)
        assert document["cols"][1][-1] == "new0"  # the others wait

        advance(LAYOUT_INTERVAL_MS)
        _, document = await snapshot(central)
        while (event := await stream.event())["id"] != f"{document['epoch']}-{document['frame']}":
            pass

    assert event["event"] == "resync"
    assert document["cols"][1][-3:] == ["new0", "new1", "new2"]


async def test_watched_sites_bring_their_nodes_first_all_then_the_changed(
    open_stream, view, advance
):
    async with open_stream(watch="alpha") as stream:
        first = json.loads((await stream.event())["data"])
        view.nodes["alpha.n2"].presence = "degraded"
        view.nodes["beta.n1"].presence = "degraded"
        view.touch_node("alpha.n2")
        view.touch_node("beta.n1")
        advance()
        second = json.loads((await stream.event())["data"])

    assert [node["node"] for node in first["nodes"]] == ["alpha.n1", "alpha.n2"]
    assert [(node["node"], node["presence"]) for node in second["nodes"]] == [
        ("alpha.n2", "degraded")
    ]


async def test_too_many_watched_sites_are_refused(get):
    status, found = await get(STREAM, watch=",".join(f"s{n}" for n in range(17)))

    assert (status, found["errors"][0]["bound"]) == (400, 16)


async def test_a_client_too_many_is_told_to_come_later(central):
    with ExitStack() as others:
        for _ in range(CLIENTS_MAX):
            others.enter_context(central.api.live.client("", frozenset()))
        answer = await central.client.get(STREAM, headers=central.bearer)

    assert answer.status == 503
    assert "Retry-After" in answer.headers


async def test_a_stream_ends_soon_after_its_token_was_revoked(central, open_stream, advance, clock):
    async with open_stream() as stream:
        async with central.database.write() as connection:
            await tokens.delete(connection, "admin")
        advance(RECHECK_MS)
        await stream.event()
        async with asyncio.timeout(5):
            rest = await stream.response.content.read()

    assert b"event" not in rest


async def test_the_pump_takes_up_what_came_before_it_ran(central, grow, clock):
    grow("early")
    clock.now_ms += LAYOUT_INTERVAL_MS
    pump = asyncio.create_task(central.api.live.run())
    for _ in range(100):
        await asyncio.sleep(0.01)
        _, document = await snapshot(central)
        if "early" in document["cols"][1]:
            break
    pump.cancel()

    assert "early" in document["cols"][1]


def test_a_node_that_went_is_passed_over(central, view):
    changes = Changes()
    changes.nodes["gone.n1"] = None
    changes.heard["gone.n1"] = None

    central.api.live.advance(changes)
