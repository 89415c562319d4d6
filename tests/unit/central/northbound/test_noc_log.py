"""Events and acts as topics, and where the reader of the logs goes on."""

import json

import pytest

from roost_central.access.chain import START, Act, entry
from roost_central.northbound import noc_log
from roost_central.northbound.noc_log import LogReader, messages, word_of
from roost_central.ports import SystemClock
from roost_central.storage import audit, events
from roost_central.storage.engine import Database
from roost_central.storage.events import EventRecord, NewEvent


def event(type_="280.811", kind="liveness", site="s1", seq=7):
    node = None if site is None else f"{site}.n1"
    return EventRecord(seq, 60_000, 61_500, site, node, kind, type_, 1, "site=s1,node=n1", "x", {})


ACT = entry(START, Act(60_000, "ann", "operator", "alarm.ack", "6d12", {"note": "not told"}))


@pytest.mark.parametrize(
    ("type_", "word"),
    [
        ("280.801", "path"),
        ("280.813", "path"),
        ("280.001", "host"),
        ("280.811", "host"),
        ("400.801", "ha"),
        ("500.802", "enrol"),
        ("500.200", "host"),
        ("900.021", "rollout"),
        ("750.803", "host"),
    ],
)
def test_each_type_has_its_word(type_, word):
    assert word_of(type_) == word


def test_an_event_is_one_flat_object_with_an_envelope():
    (message,) = messages([event()], [], [("noc/v1", None)])
    assert (message.topic, message.retain) == ("noc/v1/event/host/s1", False)
    assert json.loads(message.payload) == {
        "v": 1,
        "seq": 7,
        "event": "host",
        "type": "280.811",
        "severity": "warning",
        "sev": 1,
        "site": "s1",
        "node": "n1",
        "entity": "site=s1,node=n1",
        "text": "x",
        "at": "1970-01-01T00:01:00Z",
        "received": "1970-01-01T00:01:01Z",
        "ts": 60,
    }
    assert dict(message.attributes)["source"] == "roost/events"


def test_transitions_of_alarms_are_left_out_and_what_has_no_site_has_a_dash():
    found = messages([event(kind="alarm"), event(site=None)], [ACT], [("noc/v1", None)])
    assert [each.topic for each in found] == ["noc/v1/event/host/-", "noc/v1/event/audit/-"]
    act = json.loads(found[1].payload)
    assert (act["actor"], act["action"], act["object"]) == ("ann", "alarm.ack", "6d12")
    assert "not told" not in found[1].payload.decode()


def test_a_tenant_hears_its_own_sites_and_no_act():
    tree = ("noc/v1/tenant/t", lambda site: site == "s1")
    found = messages([event(), event(site="s2"), event(site=None)], [ACT], [tree])
    assert [each.topic for each in found] == ["noc/v1/tenant/t/event/host/s1"]


def new_event(text):
    return NewEvent(1, 1, "liveness", "280.811", 1, text, "s1", "s1.n1")


@pytest.fixture
async def database(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/roost.db"
    opened = await Database.open(url, clock=SystemClock())
    yield opened
    await opened.close()


async def write(database, *texts):
    async with database.write() as connection:
        await events.append(connection, [new_event(text) for text in texts])
        acts = [Act(1, "ann", "admin", "alarm.ack", text, {}) for text in texts]
        await audit.add(connection, *acts)


async def read(reader, database):
    async with database.read() as connection:
        await reader.begin(connection)
        return await reader.read(connection)


async def test_a_reader_begins_with_what_comes_next_and_goes_on_where_it_was(database):
    reader = LogReader()
    await write(database, "before")
    assert await read(reader, database) == ([], [])
    await write(database, "one", "two")
    found, acts = await read(reader, database)
    assert [each.text for each in found] == ["one", "two"]
    assert [each.act.object for each in acts] == ["one", "two"]
    assert await read(reader, database) == (found, acts)  # not passed: not told yet
    reader.passed(found, acts)
    assert await read(reader, database) == ([], [])


async def test_after_a_long_pause_the_stream_begins_later(database, monkeypatch):
    monkeypatch.setattr(noc_log, "BACKLOG_MAX", 2)
    reader = LogReader()
    await read(reader, database)
    await write(database, *"abcde")
    found, acts = await read(reader, database)
    assert [each.text for each in found] == ["d", "e"]
    assert [each.act.object for each in acts] == ["d", "e"]
