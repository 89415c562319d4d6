"""Ingest against a real Mosquitto and a real file."""

import asyncio
import sqlite3

import pytest

from roost_central.storage import dead_letters, engine, events, inventory
from roost_protocol.beat import InventoryMark
from roost_protocol.codec import encode
from roost_protocol.digest import node_digest, section_digest
from roost_protocol.envelope import Gap, Item, ItemKind
from roost_protocol.inventory import Section, SnapshotPart
from roost_protocol.limits import MESSAGE_BYTES_MAX

pytestmark = pytest.mark.broker


async def kept_events(centre, **query):
    async with centre.database.read() as connection:
        return await events.page(connection, events.EventQuery(**query), after=0, limit=1_000)


def on_disk(url, seq):
    """Look with another connection, as after a crash."""
    path = url.removeprefix("sqlite+aiosqlite:///")
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT text FROM event WHERE text = ?", (str(seq),)).fetchall()
    connection.close()
    return len(rows)


async def test_a_receipt_says_what_is_on_disk(run_centre, run_agents, url):
    async with run_centre() as centre, run_agents("lab.n1") as (agent,):
        for seq in range(1, 21):
            await agent.say(agent.events(seq - 1, 1))
            receipt = await agent.receipt()
            assert (receipt.seq, receipt.stream) == (seq, agent.stream)
            assert on_disk(url, seq) == 1
        assert centre.view.nodes["lab.n1"].site == "lab"


async def test_no_receipt_before_the_commit(run_centre, run_agents):
    async with run_centre() as centre, run_agents("lab.n1") as (agent,):
        async with centre.database.write():  # nobody else can commit
            await agent.say(agent.events(0, 3))
            await agent.no_receipt()
        assert (await agent.receipt()).seq == 3


async def test_duplicates_and_reports_ahead_repeat_the_mark_and_change_nothing(
    run_centre, run_agents
):
    async with run_centre() as centre, run_agents("lab.n1") as (agent,):
        first = agent.events(0, 3)
        for payload, mark in [
            (first, 3),
            (first, 3),
            (agent.events(5, 2), 3),
            (agent.events(1, 1), 3),
            (agent.events(3, 2), 5),
        ]:
            await agent.say(payload)
            assert (await agent.receipt()).seq == mark
        texts = [event.text for event in await kept_events(centre, kind="node")]
        assert texts == ["1", "2", "3", "4", "5"]


async def test_an_empty_report_brings_a_receipt(run_centre, run_agents):
    async with run_centre(), run_agents("lab.n1") as (agent,):
        await agent.say(agent.report(0, []))
        assert (await agent.receipt()).seq == 0


async def test_a_poison_item_becomes_a_dead_letter_and_the_stream_goes_on(run_centre, run_agents):
    async with run_centre() as centre, run_agents("lab.n1") as (agent,):
        await agent.say(agent.report(0, [b"\xc1", b"\x81\xa1v\x01"]))
        assert (await agent.receipt()).seq == 2
        await agent.say(agent.events(2, 1))
        assert (await agent.receipt()).seq == 3
        async with centre.database.read() as connection:
            letters = await dead_letters.page(connection)
        assert [(letter.node, letter.code) for letter in letters] == [
            ("lab.n1", "type"),
            ("lab.n1", "malformed"),
        ]
        said = await kept_events(centre, type="280.807")
        assert len(said) == 2
        assert centre.counters.refused["malformed"] == 1


async def test_an_item_that_storage_refuses_spoils_no_other(run_centre, run_agents):
    """A number that no column can hold; the other node's report is in the same batch."""
    async with run_centre() as centre, run_agents("lab.n1", "lab.n2") as (bad, good):
        gap = encode(Gap(first=1, last=2, reason="x"))
        poison = bad.report(0, [gap], kind=ItemKind.GAP)
        async with centre.database.write() as connection:
            await connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE INSERT ON event WHEN NEW.type = '280.804' "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
            await bad.say(poison)
            await good.say(good.events(0, 2))
            await asyncio.sleep(0.3)
        assert (await good.receipt()).seq == 2
        assert (await bad.receipt()).seq == 1
        async with centre.database.read() as connection:
            (letter,) = await dead_letters.page(connection)
        assert (letter.node, letter.code) == ("lab.n1", "unstorable")


async def test_what_an_agent_lost_is_an_event(run_centre, run_agents):
    async with run_centre() as centre, run_agents("lab.n1") as (agent,):
        gap = encode(Gap(first=1, last=1, reason="full"))
        await agent.say(agent.report(0, [gap], kind=ItemKind.GAP))
        assert (await agent.receipt()).seq == 1
        (event,) = await kept_events(centre, type="280.804")
        assert event.text == "reports 1..1 lost: full"
        assert event.entity == "site=lab,node=n1"


async def test_a_flooding_node_is_cut_and_starves_nobody(run_centre, run_agents):
    async with run_centre() as centre, run_agents("bad.n1", "good.n1") as (bad, good):
        flood = bad.report(0, [])
        async with asyncio.TaskGroup() as group:

            async def pour():
                for _ in range(3_000):
                    await bad.client.publish(bad.topics.report, flood, qos=0)

            group.create_task(pour())
            for seq in range(1, 6):
                await good.say(good.events(seq - 1, 1))
                assert (await good.receipt()).seq == seq
        await centre.until(lambda: centre.counters.refused["flooding"] > 1_000)
        assert centre.counters.refused["overload-report"] == 0


async def test_what_is_refused_is_named_and_counted_and_harms_nobody(run_centre, run_agents):
    async with run_centre() as centre, run_agents("lab.n1", "lab.n2") as (bad, good):
        right = bad.topics.report
        stem = right.split("/")
        wrong_shard = "/".join([*stem[:2], f"{(int(stem[2], 16) + 1) % 64:02x}", *stem[3:]])
        unordered = bad.report(0, [], items=[Item(7, ItemKind.EVENT, 1, b"")])
        refused = [
            ("identity", right, good.events(0, 1)),
            ("shard", wrong_shard, bad.events(0, 1)),
            ("version", right, bad.report(0, [], v=99)),
            ("oversize", right, b"\0" * (MESSAGE_BYTES_MAX + 1)),
            ("malformed", right, b"\x81"),
            ("name", right, bad.report(0, [], path="NOT A PATH")),
            ("order", right, unordered),
        ]
        for code, topic, payload in refused:
            before = centre.counters.refused[code]
            await bad.say(payload, topic=topic)
            await centre.until(lambda code=code, n=before: centre.counters.refused[code] == n + 1)
        await bad.no_receipt(0.2)
        await good.say(good.events(0, 1))
        assert (await good.receipt()).seq == 1
        async with centre.database.read() as connection:
            letters = await dead_letters.page(connection)
        assert {letter.code for letter in letters} == {code for code, _, _ in refused}


async def test_an_unknown_node_is_refused_where_nodes_must_be_registered(run_centre, run_agents):
    async with run_centre(admit="registered") as centre, run_agents("lab.n1") as (agent,):
        await agent.say(agent.events(0, 1))
        await agent.say(agent.beat(), topic=agent.topics.beat)
        await centre.until(lambda: centre.counters.refused["unknown-node"] == 2)
        assert centre.view.nodes == {}


async def test_a_shard_of_another_worker_is_not_taken(run_centre, run_agents):
    async with run_centre(shards=(0,)) as centre, run_agents("lab.n1") as (agent,):
        await agent.say(agent.events(0, 1))
        await agent.no_receipt()
        assert centre.counters.reports == 0


async def test_a_retained_beat_is_no_sign_of_life(broker, run_centre, run_agents):
    async with run_agents("lab.n1") as (agent,):
        await agent.client.publish(agent.topics.beat, agent.beat(), qos=1, retain=True)
        async with run_centre() as centre:
            await centre.until(lambda: centre.counters.refused["retained"] == 1)
            assert centre.view.nodes == {}


async def test_beats_show_the_node_and_silence_takes_it_away(run_centre, run_agents):
    async with run_centre() as centre, run_agents("lab.n1") as (agent,):
        await agent.say(agent.beat(), topic=agent.topics.beat)
        await centre.until(lambda: "lab.n1" in centre.view.nodes)
        row = centre.view.nodes["lab.n1"]
        await centre.until(lambda: row.presence == "online")
        assert (row.via, row.paths["wan1"].state) == ("wan1", "up")
        assert centre.view.sites["lab"].status == "ok"
        await centre.until(lambda: row.presence == "unreachable")  # quiet: 4 x 2.5 s
        assert centre.view.sites["lab"].status == "unknown"


async def test_presence_survives_a_restart_as_last_known(run_centre, run_agents):
    async with run_agents("lab.n1") as (agent,):
        async with run_centre() as centre:
            await agent.say(agent.beat(), topic=agent.topics.beat)
            await centre.until(lambda: "lab.n1" in centre.view.nodes)
            heard_ms = centre.view.nodes["lab.n1"].heard_ms
        async with run_centre() as centre:
            row = centre.view.nodes["lab.n1"]
            assert (row.presence, row.heard_ms) == ("unknown", heard_ms)
            assert row.paths["wan1"].heard_ms == heard_ms


async def test_a_locked_database_receipts_nothing_and_the_process_goes_on(
    run_centre, run_agents, url, monkeypatch
):
    monkeypatch.setitem(engine._PRAGMAS, "busy_timeout", 100)
    async with run_centre() as centre, run_agents("lab.n1") as (agent,):
        await agent.say(agent.events(0, 1))
        assert (await agent.receipt()).seq == 1
        holder = sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        await agent.say(agent.events(1, 1))
        await centre.until(lambda: centre.counters.commits_failed >= 1)
        await agent.no_receipt(0.2)
        holder.execute("ROLLBACK")
        holder.close()
        assert (await agent.receipt()).seq == 2
        texts = [event.text for event in await kept_events(centre, kind="node")]
        assert texts == ["1", "2"]
        await centre.until(lambda: not centre.service._notices)
        assert len(await kept_events(centre, type="210.803")) == 1


async def test_the_batch_in_hand_is_written_at_the_end(run_centre, run_agents, url):
    async with run_agents("lab.n1") as (agent,):
        async with run_centre() as centre:
            async with centre.database.write():
                await agent.say(agent.events(0, 1))
                await centre.until(lambda: centre.counters.reports == 1)
                centre.task.cancel()
                await asyncio.sleep(0.1)
            assert (await agent.receipt()).seq == 1
        assert on_disk(url, 1) == 1


NIC = ({"a": {"driver": "ice", "mtu": 1500}}, {})


def snapshot(gen):
    digest = section_digest(*NIC)
    return encode(
        SnapshotPart(
            v=1,
            gen=gen,
            boot_id=b"b" * 16,
            taken_ms=7,
            part=1,
            parts=1,
            full=True,
            digest=node_digest({"nic": digest}),
            sections={"nic": Section(digest=digest, as_of_ms=7, items=NIC[0])},
        )
    )


async def test_inventory_is_kept_and_another_digest_asks_for_it_again(run_centre, run_agents):
    async with run_centre() as centre, run_agents("lab.n1") as (agent,):
        await agent.say(agent.report(0, [snapshot(1)], kind=ItemKind.INVENTORY))
        assert (await agent.receipt()).resync == []
        async with centre.database.read() as connection:
            kept = await inventory.current(connection, "lab.n1")
        assert kept.sections["nic"].items == NIC[0]
        row = centre.view.nodes["lab.n1"]
        assert (row.inventory_gen, row.inventory_as_of_ms) == (1, 7)

        same = InventoryMark(1, kept.digest, 1)
        await agent.say(agent.beat(inventory=same), topic=agent.topics.beat)
        await agent.no_receipt(0.3)
        pending = InventoryMark(2, b"x" * 8, 2)
        await agent.say(agent.beat(inventory=pending), topic=agent.topics.beat)
        await centre.until(lambda: row.inventory_behind)
        await agent.no_receipt(0.3)
        differs = InventoryMark(2, b"x" * 8, 1)
        await agent.say(agent.beat(inventory=differs), topic=agent.topics.beat)
        receipt = await agent.receipt()
        assert [request.what for request in receipt.resync] == ["inventory"]
        await agent.say(agent.beat(inventory=differs), topic=agent.topics.beat)
        await agent.no_receipt(0.3)


async def test_a_killed_broker_is_one_event_and_ingest_comes_back(broker, run_centre, run_agents):
    async with run_centre() as centre:
        broker.kill()
        await centre.until(lambda: centre.counters.brokers[0].state == "lost")
        broker.start()
        await centre.until(lambda: centre.counters.brokers[0].state == "connected")
        async with run_agents("lab.n1") as (agent,):
            await agent.say(agent.events(0, 1))
            assert (await agent.receipt()).seq == 1
        said = [event.text for event in await kept_events(centre, type="280.813")]
        assert said == ["broker b1 is lost", "broker b1 is connected again"]
