"""Alarms on their way to the outbox: row and item together, and what a beat tells of them."""

from roost_agent.alarms import service
from roost_agent.alarms.rules import Finding, Reading, Round
from roost_agent.alarms.service import AlarmMark, refusal
from roost_agent.alarms.table import Raise
from roost_agent.errors import StorageError
from roost_agent.outbox.spool import Batch
from roost_agent.outbox.store import Entry
from roost_protocol.digest import EMPTY_SET, alarm_digest
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.severity import Severity

APP = "750.801"
MAJOR = Severity.MAJOR


def pump(number=1, severity=MAJOR, owner="unit", **more):
    return Raise(APP, f"app=pump,unit={number}", severity, "Pressure", owner=owner, **more)


async def test_a_beat_tells_the_set_as_it_was_with_its_number(make_node):
    async with make_node().running() as node:
        assert node.alarms.mark == AlarmMark(EMPTY_SET, 0, 0)
        seqs = []
        node.alarms.raise_(pump(1), seqs.append)
        node.alarms.raise_(pump(2), seqs.append)
        assert node.alarms.mark.count == 0  # nothing is on disk yet
        await node.settled()
        both = alarm_digest((APP, f"app=pump,unit={n}", 3) for n in (1, 2))
        assert node.alarms.mark == AlarmMark(both, 2, 2)
        assert seqs == [1, 2]
        node.alarms.renumbered(7)
        assert node.alarms.mark == AlarmMark(both, 2, 7)


async def test_what_else_goes_through_the_lane_does_not_leave_the_beat_behind(make_node):
    async with make_node().running() as node:
        node.alarms.raise_(pump())
        await node.settled()
        node.spool.append(Batch((Entry(Lane.ALARM, ItemKind.EVENT, 0, b"\xa1x"),), {}))
        await node.settled()
        assert node.alarms.told() == AlarmMark(node.alarms.mark.digest, 1, 2)
        node.alarms.raise_(pump(2))
        assert node.alarms.told() == node.alarms.mark  # one is on its way: as of the last commit


async def test_a_restart_finds_the_table_and_tells_nothing_again(make_node):
    async with make_node().running() as node:
        node.alarms.raise_(pump())
        node.alarms.observe(Round(frozenset({"100.104"}), (full(99),)))
        await node.settled()
        mark, said = node.alarms.mark, node.items()
        assert [item["type"] for _, item in said] == [APP, "100.104"]
        assert said[1][1]["text"] == "/var space 99 % used"
    async with make_node().running(frozenset({"100.104"})) as node:
        assert node.alarms.mark == mark
        node.alarms.raise_(pump())
        node.alarms.observe(Round(frozenset({"100.104"}), (full(99),)))
        await node.settled()
        assert node.items() == said
    async with make_node().running(frozenset()) as node:  # nobody looks at file systems any more
        await node.settled()
        kind, item = node.items()[-1]
        assert (kind, item["change"], item["type"]) == ("alarm", "clear", "100.104")


def full(value):
    return Reading("100.104", "fs=/var", value, {"what": "space"})


async def test_a_resync_tells_the_whole_set_in_parts_that_stand_together(make_node):
    async with make_node().running() as node:
        for number in range(100):
            node.alarms.raise_(pump(number))
        node.alarms.resync()
        await node.settled()
        kinds = [kind for kind, _ in node.items()]
        assert kinds == ["alarm"] * 100 + ["alarm-set"] * 2
        parts = [item for kind, item in node.items() if kind == "alarm-set"]
        assert sum(len(part["alarms"]) for part in parts) == 100
        assert node.alarms.mark.seq == 102


async def test_a_disk_that_refuses_keeps_the_state_and_lets_the_history_go(
    make_node, monkeypatch, wait
):
    async with make_node().running() as node:
        append, refused = node.spool.append, []

        def refuse(batch):
            refused.append(batch)
            raise StorageError("full")

        monkeypatch.setattr(service, "RETRY_S", 0.01)
        monkeypatch.setattr(node.spool, "append", refuse)
        answered = []
        for turn in range(service.WAITING_MAX + 5):
            node.alarms.raise_(pump(turn % 180, Severity(1 + turn // 180)), answered.append)
        assert not answered
        monkeypatch.setattr(node.spool, "append", append)
        await wait(lambda: answered, "an answer")
        await node.settled()
        assert len(answered) == service.WAITING_MAX + 5
        assert len([kind for kind, _ in node.items() if kind == "alarm-set"]) == 3
        assert node.alarms.mark.digest == node.alarms.table.digest()


async def test_what_is_past_a_quota_is_visible(make_node):
    async with make_node().running() as node:
        for number in range(200):
            assert node.alarms.raise_(pump(number)) is None
        assert node.alarms.raise_(pump(200)).bound == 200
        assert node.alarms.refused == 1
        row = node.alarms.table.rows["750.802", "app=unit"]
        assert row.text == "Quota of unit used up: more than 200 active alarms"
        node.alarms.over_quota("", "full")
        assert node.alarms.table.rows["750.802", ""].text == "Quota of the node used up: full"


async def test_rules_that_make_no_sense_are_counted_and_harm_nobody(make_node):
    async with make_node().running() as node:
        long = Finding("400.001", "service=" + "x" * 300, MAJOR)
        node.alarms.observe(Round(frozenset({"400.001"}), (long,)))
        assert (node.alarms.refused, len(node.alarms.table.rows)) == (1, 0)
        node.alarms.clear(APP, "app=none", "gone")
        assert node.alarms.unknown == 1


async def test_a_condition_that_orders_bring_about_is_not_held_as_flapping(make_node):
    async with make_node().running() as node:
        unit = Finding("400.001", "service=x", MAJOR, {"state": "failed"}, is_ordered=True)
        for _ in range(3):
            node.alarms.observe(Round(frozenset({"400.001"}), (unit,)))
            node.alarms.observe(Round(frozenset({"400.001"}), ()))
        await node.settled()
        assert [item["change"] for _, item in node.items()] == ["raise", "clear"] * 3


async def test_before_the_disk_is_there_nothing_is_lost_that_is_seen_again(make_node):
    node = make_node()
    node.alarms.observe(Round(frozenset({"100.104"}), (full(99),)))
    node.alarms.resync()
    node.alarms.renumbered(4)
    assert node.alarms.mark is None
    async with node.running():
        node.alarms.observe(Round(frozenset({"100.104"}), (full(99),)))
        await node.settled()
        assert [kind for kind, _ in node.items()] == ["alarm", "alarm-set"]


async def test_a_row_that_cannot_be_read_is_left_out(make_node):
    node = make_node()
    await node.spool.open()
    store = node.spool._store
    await node.spool._in_thread(lambda: store.write([], {}, {}, now_ms=0, alarms={"x|y": b"junk"}))
    await node.spool.close()
    async with make_node().running() as node:
        assert node.alarms.mark.count == 0


async def test_a_time_to_live_runs_out_by_itself(make_node, wait):
    async with make_node().running() as node:
        node.alarms.raise_(pump(ttl_ms=20))
        await wait(lambda: not node.alarms.table.rows, "the end of it")
        await node.settled()
        assert node.items()[-1][1]["reason"] == "ttl-expired"


def test_what_cannot_be_raised_is_named(make_node):
    types = make_node().alarms.types
    for event, code in (
        (Raise("999.999", "", MAJOR, ""), "type"),
        (Raise("750.803", "app=x", MAJOR, ""), "type"),  # an event has no state
        (Raise(APP, "node=n2", MAJOR, ""), "entity"),
        (Raise(APP, "app", MAJOR, ""), "entity"),
        (Raise("100.104", "fs=/", Severity.WARNING, ""), "severity"),
        (Raise(APP, "app=x", MAJOR, "", {"a": "x" * 2_000}), "oversize"),
    ):
        assert refusal(event, types).code == code
    assert refusal(pump(), types) is None
