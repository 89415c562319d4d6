"""A coordinator's word in a database: what counts is kept, and its transitions are events."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from host_words import host, report
from migrated import database_url

from roost_central.fleet.restore import restore
from roost_central.hosts import told
from roost_central.orders.core import OrderRecord, State
from roost_central.ports import SystemClock
from roost_central.storage import hosts, nodes, orders, sites
from roost_central.storage.engine import Database
from roost_protocol.codec import encode
from roost_protocol.errors import ProtocolError


@pytest.fixture
async def database(tmp_path):
    database = await Database.open(database_url(tmp_path), clock=SystemClock())
    async with database.write() as connection:
        await sites.save(connection, [sites.SiteRecord("lab", 1, {}, None, None, 1, 1)])
        rows = [nodes.NodeRecord(f"lab.{name}", "lab", name, 1) for name in ("n1", "n2")]
        await nodes.save(connection, rows)
    yield database
    await database.close()


async def heard(database, said, speaker="lab.n1"):
    async with database.write() as connection:
        return await told.take_in(connection, speaker, encode(said), at_ms=5_000, now_ms=6_000)


async def test_a_word_that_counts_is_kept_and_comes_back_after_a_restart(database):
    taken = await heard(database, report(host("n1"), host("n2", "failed", cause="silent")))
    assert [event.type for event in taken.alarms] == ["200.004"]
    assert [move.text for move in taken.moved] == [
        "unlocked, enabled, available: so it is",
        "unlocked, disabled, failed: silent",
    ]
    async with database.read() as connection:
        view = await restore(connection)
    assert view.nodes["lab.n2"].host.said.cause == "silent"


async def test_a_transition_is_an_event_with_its_cause_and_both_its_ends(database):
    await heard(database, report(host("n1")))
    taken = await heard(database, report(host("n1", "failed", cause="pump failed")))
    [move] = taken.moved
    assert (move.type, move.kind, move.node, move.at_ms) == ("200.812", "host", "lab.n1", 1_000)
    assert move.text == "unlocked, enabled, available -> unlocked, disabled, failed: pump failed"
    assert move.params["was"] == "unlocked/enabled/available"


async def test_a_cause_that_begins_with_the_state_does_not_say_it_twice(database):
    said = host("n1", "degraded", cause="degraded: resource")
    taken = await heard(database, report(said))
    assert [move.text for move in taken.moved] == ["unlocked, enabled, degraded: resource"]


async def test_the_word_of_a_holder_before_changes_nothing(database):
    await heard(database, report(host("n1", "failed"), epoch=9, by="lab.n2"), "lab.n2")
    assert await heard(database, report(host("n1"), epoch=8)) is None
    async with database.read() as connection:
        [word] = await hosts.of_site(connection, "lab")
    assert word.report.epoch == 9


async def test_a_triple_that_cannot_be_is_refused(database):
    odd = host("n1")
    bad = report(
        type(odd)(node="n1", admin="locked", oper="enabled", avail="available", since_ms=1)
    )
    with pytest.raises(ProtocolError, match="triple"):
        await heard(database, bad)


async def test_words_side_by_side_go_when_somebody_holds_the_lease(database):
    for name in ("n1", "n2"):
        await heard(database, report(host(name), epoch=0, by=f"lab.{name}"), f"lab.{name}")
    async with database.read() as connection:
        assert len(await hosts.of_site(connection, "lab")) == 2
        view = await restore(connection)
    assert {row.host.by for row in view.nodes.values()} == {"lab.n1", "lab.n2"}
    await heard(database, report(host("n1"), epoch=3))
    async with database.read() as connection:
        assert len(await hosts.of_site(connection, "lab")) == 1


async def test_who_ordered_a_lock_is_known_where_the_coordinator_knows_the_state_alone(database):
    order = OrderRecord(
        id="0" * 32, node="lab.n2", site="lab", verb="host-lock", given={"node": "n2"},
        reason="a fan", by="ada", placed_ms=1, not_after_ms=2, state=State.TAKEN, changed_ms=1,
        sends=1,
    )  # fmt: skip
    async with database.write() as connection:
        await orders.save(connection, order)
    said = report(host("n1"), host("n2", "locked", cause="by its own word"))
    [alarm] = (await heard(database, said)).alarms
    assert dict(alarm.params) == {"by": "ada", "reason": "a fan"}
