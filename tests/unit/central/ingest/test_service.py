"""The service through its seams: a broker of memory, a clock of the test, a real file."""

import pytest
from sqlalchemy import delete

from roost_central.alarms.facts import OwnRaised
from roost_central.enrol.states import Cause
from roost_central.errors import ConfigError, StorageRefusedError, StorageUnavailableError
from roost_central.ingest import beats, flush, inbox, notices, reports, roster, service
from roost_central.ingest.config import BrokerAddress
from roost_central.ingest.forks import ONE_NUMBER
from roost_central.ingest.inbox import Message
from roost_central.ingest.late import LATE_MS
from roost_central.ingest.seals import NobodyEnrolled, Seals
from roost_central.storage import events, held_items, marks, tables
from roost_central.storage.retention import Retention
from roost_protocol.alarm import Alarm, Change, Event
from roost_protocol.beat import Beat, InventoryMark, LaneReport, PathKind, PathReport, PathState
from roost_protocol.codec import encode
from roost_protocol.envelope import Gap, Gone, Item, ItemKind, Lane, Report
from roost_protocol.limits import MESSAGE_BYTES_MAX
from roost_protocol.seal import Seal, report_key
from roost_protocol.severity import Severity
from roost_protocol.topics import NodeTopics

NODE = "lab.n1"
KEY = b"k" * 32
TOPICS = NodeTopics.of(NODE)
EVENT = encode(Event(v=1, type="100.101", severity=Severity.MINOR, entity="cpu=0", text="hot"))
ALARM = encode(Alarm(v=1, type="100.101", change=Change.RAISE, severity=Severity.MAJOR, text="hot"))


def envelope(**said):
    return {
        "v": 1,
        "node": NODE,
        "boot_id": b"b" * 16,
        "incarnation": 1,
        "path": "wan1",
        "sent_ms": 5,
        **said,
    }


def report(prev, *bodies, kind=ItemKind.EVENT, **said):
    items = [Item(prev + 1 + i, kind, 1, body) for i, body in enumerate(bodies)]
    fields = {"lane": Lane.BULK, "stream": b"s" * 16, "prev": prev, "items": items}
    return encode(Report(**envelope(**{**fields, **said})))


def beat(n=1, **said):
    paths = [
        PathReport("wan1", PathKind.WAN, PathState.UP, 3, 900),
        PathReport("lan1", PathKind.SITE, PathState.UP, 3, 200, 9_999),
    ]
    fields = {
        "n": n,
        "interval_ms": 30_000,
        "uptime_s": 9,
        "agent": "0.1.0",
        "why": "timer",
        "paths": paths,
        "bulk": LaneReport(b"s" * 16, 1, 7),
    }
    return encode(Beat(**envelope(**{**fields, **said})))


async def said(centre, **query):
    async with centre.database.read() as connection:
        return await events.page(connection, events.EventQuery(**query), after=0)


async def test_what_a_node_says_is_kept_with_its_entity(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.report, report(0, EVENT))
        centre.link.say(TOPICS.report, report(1, ALARM, kind=ItemKind.ALARM))
        gap = encode(Gap(first=3, last=3, reason="full"))
        centre.link.say(TOPICS.report, report(2, gap, kind=ItemKind.GAP))
        await centre.until(lambda: centre.link.receipts)
        kept = await said(centre, node=NODE)
        assert [(event.kind, event.type, event.entity) for event in kept] == [
            ("node", "100.101", "site=lab,node=n1,cpu=0"),
            ("alarm", "100.101", "site=lab,node=n1"),
            ("ingest", "280.804", "site=lab,node=n1"),
        ]


async def test_one_receipt_answers_all_reports_of_a_batch(run_centre):
    async with run_centre() as centre:
        for prev in range(5):
            centre.link.say(TOPICS.report, report(prev, EVENT))
        await centre.until(lambda: centre.link.receipts)
        ((topic, receipt),) = centre.link.receipts
        assert (topic, receipt.seq, receipt.lane) == (TOPICS.receipt, 5, Lane.BULK)
        assert (centre.counters.reports, centre.counters.items, centre.counters.receipts) == (
            5,
            5,
            1,
        )


async def test_of_the_streams_that_an_agent_began_the_last_are_kept(run_centre):
    async with run_centre() as centre:
        for number in range(1, marks.STREAMS_MAX + 5):
            centre.clock.now_ms += 1_000
            stream = bytes([number]) * 16
            centre.link.say(TOPICS.report, report(0, EVENT, stream=stream))
            await centre.until(lambda: len(centre.link.receipts) == number)  # noqa: B023 - waited for
        async with centre.database.read() as connection:
            kept = await marks.load(connection, {NODE})
        assert len(kept) == marks.STREAMS_MAX
        assert min(mark.stream for mark in kept) == bytes([5]) * 16
        assert len(centre.service._marks.committed) <= marks.STREAMS_MAX, "in memory as on disk"


async def test_a_question_is_answered_with_the_mark_on_disk_and_writes_nothing(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.report, report(0, EVENT, EVENT))
        await centre.until(lambda: centre.link.receipts)
        commits = centre.service.counters.commits
        centre.link.say(TOPICS.report, report(1))
        await centre.until(lambda: len(centre.link.receipts) > 1)
        assert centre.link.receipts[-1][1].seq == 2
        assert centre.service.counters.commits == commits


async def test_a_receipt_that_cannot_be_sent_is_not_counted(run_centre):
    async with run_centre() as centre:
        centre.link.takes = False
        centre.link.say(TOPICS.report, report(0, EVENT))
        await centre.until(lambda: centre.counters.commits == 1)
        assert centre.counters.receipts == 0


async def test_a_kind_of_a_later_release_is_a_dead_letter(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.report, report(0, b"", kind=ItemKind.JOB))
        await centre.until(lambda: centre.link.receipts)
        assert centre.counters.refused["kind"] == 1
        assert centre.counters.dead_letters == 1


async def test_a_report_that_is_refused_at_the_door_is_told_as_well(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.report, b"\0" * (MESSAGE_BYTES_MAX + 1))
        centre.link.say("roost/v1/zz/lab.n1/up/report", report(0, EVENT))
        await centre.until(lambda: centre.counters.refused.total() == 2)
        await centre.until(lambda: not centre.service._notices)
        told = await said(centre, type="280.807")
        assert [event.node for event in told] == [NODE, None]
        assert centre.counters.dead_letters == 2


async def test_a_beat_shows_the_node_and_its_paths(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.beat, beat())
        await centre.until(lambda: centre.counters.beats == 1)
        row = centre.view.nodes[NODE]
        assert (row.presence, row.agent, row.uptime_s, row.via) == ("online", "0.1.0", 9, "wan1")
        assert row.outbox["bulk"] == {"waiting_items": 7, "waiting_bytes": 0, "dropped": 0}
        assert (row.paths["wan1"].rtt_us, row.paths["wan1"].loss_permille) == (900, 0)
        assert row.paths["lan1"].loss_permille == 1_000, "a claim is bounded"


async def test_an_old_beat_changes_nothing_that_is_shown(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.beat, beat(n=5))
        centre.link.say(TOPICS.beat, beat(n=5, uptime_s=1))
        centre.link.say(TOPICS.beat, beat(n=4, uptime_s=1))
        await centre.until(lambda: centre.counters.refused.total() == 2)
        assert centre.view.nodes[NODE].uptime_s == 9
        assert centre.counters.refused == {"duplicate": 1, "late": 1}


async def test_a_beat_that_cannot_be_read_is_said_once_in_a_while(run_centre):
    async with run_centre() as centre:
        for _ in range(5):
            centre.link.say(TOPICS.beat, b"\x81")
        centre.link.say(TOPICS.beat, beat(node="lab.n2"))
        await centre.until(lambda: centre.counters.refused.total() == 6)
        assert centre.counters.refused == {"malformed": 5, "identity": 1}
        await centre.until(lambda: not centre.service._notices)
        assert len(await said(centre, type="280.807")) == 1


async def test_silence_and_the_return_are_events(run_centre):
    async with run_centre() as centre:
        centre.clock.now_ms += 120_000
        centre.link.say(TOPICS.beat, beat(1))
        await centre.until(lambda: centre.counters.beats == 1)
        centre.clock.now_ms += 80_000
        row = centre.view.nodes[NODE]
        await centre.until(lambda: row.presence == "unreachable")
        assert centre.view.sites["lab"].status == "unknown"
        centre.link.say(TOPICS.beat, beat(1, incarnation=2))
        await centre.until(lambda: row.presence == "online")
        await centre.until(lambda: not centre.service._notices)
        assert [event.text for event in await said(centre, kind="liveness")] == [
            "nothing is heard from any node of the site",
            "nothing heard for 80 s on any path",
            "the agent has restarted",
            "heard again, online",
            "the site is heard again, ok",
        ]


async def test_a_will_on_every_path_shortens_the_wait(run_centre):
    async with run_centre() as centre:
        centre.clock.now_ms += 120_000
        centre.link.say(TOPICS.beat, beat(1))
        centre.link.say(TOPICS.gone, encode(Gone(**envelope())))
        await centre.until(lambda: centre.counters.beats == 1)
        centre.clock.now_ms += 16_000
        await centre.until(lambda: centre.view.nodes[NODE].presence == "unreachable")


async def test_the_will_of_a_node_never_heard_makes_no_node(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.gone, encode(Gone(**envelope())))
        centre.link.say(TOPICS.report, report(0))
        await centre.until(lambda: centre.link.receipts)
        assert centre.view.nodes[NODE].presence == "unknown"


async def test_a_node_is_asked_for_its_inventory_once_a_minute(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.report, report(0, EVENT))
        await centre.until(lambda: centre.link.receipts)
        centre.link.receipts.clear()
        for n in range(1, 4):
            centre.link.say(TOPICS.beat, beat(n, inventory=InventoryMark(1, b"x" * 8, 1)))
        await centre.until(lambda: centre.counters.beats == 3)
        ((_, receipt),) = centre.link.receipts
        assert [request.what for request in receipt.resync] == ["inventory"]
        assert centre.view.nodes[NODE].inventory_behind
        centre.clock.now_ms += 60_000
        centre.link.say(TOPICS.beat, beat(4, inventory=InventoryMark(1, b"x" * 8, 1)))
        await centre.until(lambda: len(centre.link.receipts) == 2)


async def test_an_inventory_that_does_not_fit_is_asked_for_on_the_receipt(run_centre):
    async with run_centre() as centre:
        delta = {"t": "delta", "v": 1, "base_gen": 4, "gen": 5, "digest": b"x" * 8, "sections": {}}
        centre.link.say(TOPICS.report, report(0, encode(delta), kind=ItemKind.INVENTORY))
        await centre.until(lambda: centre.link.receipts)
        ((_, receipt),) = centre.link.receipts
        assert (receipt.seq, len(receipt.resync)) == (1, 1)


@pytest.mark.parametrize(
    ("options", "code"),
    [({"admit": "registered"}, "unknown-node"), ({"host": "192.0.2.1"}, "unknown-node")],
)
async def test_strangers_are_taken_on_loopback_and_in_the_open_mode_only(run_centre, options, code):
    async with run_centre(**options) as centre:
        centre.link.say(TOPICS.beat, beat())
        assert centre.counters.refused == {code: 1}


async def test_a_node_past_its_rate_is_cut_and_has_its_rate_again_later(run_centre):
    async with run_centre() as centre:

        def say(first, count):
            for n in range(first, first + count):
                centre.link.say(TOPICS.beat, beat(n))
            return centre.counters.refused["flooding"]

        assert say(1, inbox.BURST) == 0
        assert say(1_000, 10) == 10
        centre.clock.now_ms += 1_000
        assert say(2_000, inbox.RATE_PER_S) == 10
        assert say(3_000, 10) == 20
        centre.clock.now_ms += 3_600_000
        assert say(4_000, inbox.BURST + 5) == 25, "silence saves up no more than a burst"


async def test_beats_past_a_slice_are_handled_in_their_order(run_centre, monkeypatch):
    monkeypatch.setattr(beats, "SLICE", 3)
    async with run_centre() as centre:
        for n in range(1, 11):
            centre.link.say(TOPICS.beat, beat(n, uptime_s=n))
        await centre.until(lambda: centre.counters.beats == 10)
        assert centre.view.nodes[NODE].uptime_s == 10
        assert not centre.counters.refused


async def test_queues_are_bounded_and_what_they_drop_is_counted(run_centre, monkeypatch):
    monkeypatch.setattr(inbox, "BEATS_MAX", 3)
    monkeypatch.setattr(inbox, "REPORTS_MAX", 2)
    monkeypatch.setattr(notices, "WAITING_MAX", 1)
    async with run_centre() as centre:
        for n in range(1, 6):
            centre.link.say(TOPICS.beat, beat(n))
            centre.link.say(TOPICS.report, report(0, EVENT))
            centre.link.say("roost/v1/zz/x/up/report", b"")
        assert centre.counters.refused == {
            "overload-beat": 2,
            "overload-report": 3,
            "name": 5,
            "overload-letter": 4,
        }


async def test_a_topic_is_parsed_once_and_few_are_remembered(run_centre, monkeypatch):
    monkeypatch.setattr(inbox, "TOPICS_MAX", 10)
    async with run_centre() as centre:
        for number in range(30):
            node = f"s{number}.n1"
            centre.link.say(NodeTopics.of(node).beat, beat(node=node))
        await centre.until(lambda: centre.counters.beats == 30)
        assert len(centre.service._inbox._speakers) == 10


async def test_a_node_that_came_of_itself_is_there_after_a_restart(run_centre, monkeypatch):
    monkeypatch.setattr(flush, "FLUSH_S", 0.01)
    async with run_centre() as centre:
        centre.link.say(TOPICS.beat, beat())
        await centre.until(lambda: not centre.service._flush._due and centre.view.nodes)
    async with run_centre() as centre:
        row = centre.view.nodes[NODE]
        assert (row.agent, row.presence, sorted(row.paths)) == (
            "0.1.0",
            "unknown",
            ["lan1", "wan1"],
        )


WAN1 = PathReport("wan1", PathKind.WAN, PathState.UP, 3, 900)
WAN2 = PathReport("wan2", PathKind.WAN, PathState.UP, 3, 900)
WAN2_DOWN = PathReport("wan2", PathKind.WAN, PathState.DOWN, 3)


def path_alarms(centre):
    alarms = centre.service._book.open_alarms()
    return [alarm.entity for alarm in alarms if alarm.type == "280.801"]


async def test_a_path_that_went_while_the_centre_was_down_is_forgotten_with_its_alarm(
    run_centre, monkeypatch
):
    monkeypatch.setattr(flush, "FLUSH_S", 0.01)
    async with run_centre() as centre:
        centre.link.say(TOPICS.beat, beat(paths=[WAN1, WAN2_DOWN]))
        await centre.until(lambda: path_alarms(centre) == ["site=lab,path=wan2"])
        await centre.until(lambda: not centre.service._flush._due)
    async with run_centre() as centre:
        assert sorted(centre.view.nodes[NODE].paths) == ["wan1", "wan2"]
        centre.link.say(TOPICS.beat, beat(n=2, uptime_s=10, paths=[WAN1]))
        await centre.until(lambda: sorted(centre.view.nodes[NODE].paths) == ["wan1"])
        await centre.until(lambda: not path_alarms(centre))
        await centre.until(lambda: not centre.service._flush._due)
    async with run_centre() as centre:
        assert sorted(centre.view.nodes[NODE].paths) == ["wan1"]


async def test_what_became_of_a_path_while_the_centre_was_down_is_an_alarm_or_ends_it(
    run_centre, monkeypatch
):
    monkeypatch.setattr(flush, "FLUSH_S", 0.01)
    async with run_centre() as centre:
        centre.link.say(TOPICS.beat, beat(paths=[WAN1, WAN2]))
        await centre.until(lambda: not centre.service._flush._due and centre.view.nodes)
    async with run_centre() as centre:
        centre.link.say(TOPICS.beat, beat(n=2, uptime_s=10, paths=[WAN1, WAN2_DOWN]))
        await centre.until(lambda: path_alarms(centre) == ["site=lab,path=wan2"])
    async with run_centre() as centre:
        centre.link.say(TOPICS.beat, beat(n=3, uptime_s=11, paths=[WAN1, WAN2]))
        await centre.until(lambda: not path_alarms(centre))


@pytest.mark.parametrize("name", ["wan\0", "a,b=c", "", "WAN"])
async def test_a_beat_that_lists_what_cannot_be_a_path_is_refused(run_centre, name):
    async with run_centre() as centre:
        odd = PathReport(name, PathKind.WAN, PathState.UP, 3)
        centre.link.say(TOPICS.beat, beat(paths=[odd]))
        await centre.until(lambda: centre.counters.refused)
        assert centre.counters.refused == {"name": 1}
        assert NODE not in centre.view.nodes


async def test_a_beat_whose_version_cannot_be_stored_is_refused(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.beat, beat(agent="0.1\0"))
        await centre.until(lambda: centre.counters.refused)
        assert centre.counters.refused == {"string": 1}


async def test_what_stood_when_the_centre_ended_has_its_end_after_the_next_start(
    run_centre, monkeypatch
):
    monkeypatch.setattr(flush, "FLUSH_S", 0.01)
    monkeypatch.setattr(service, "GAUGE_S", 0.01)

    def standing(centre):
        return {alarm.type for alarm in centre.service._book.open_alarms()}

    own = {"210.802", "280.808", "280.813"}  # late reports, a silent fleet, a lost broker
    async with run_centre() as centre:
        centre.link.say(TOPICS.beat, beat())
        for type_ in sorted(own):
            entity = "central=roost,broker=b9" if type_ == "280.813" else "central=roost"
            centre.service._book.raise_own(type_, entity, Severity.MAJOR, {"broker": "b9"})
        differs = OwnRaised("280.002", "site=lab,what=inventory", Severity.MAJOR, {}, site="lab")
        centre.service._book.signal(differs)
        await centre.until(lambda: standing(centre) == own | {"280.002"})
        await centre.until(lambda: not centre.service._flush._due)
    async with run_centre() as centre:
        await centre.until(lambda: "280.813" not in standing(centre))
        assert standing(centre) == {"210.802", "280.808", "280.002"}, "nothing of it is known yet"
        centre.clock.now_ms += 60_000
        await centre.until(lambda: centre.service._lag._since_ms)
        centre.clock.now_ms += 60_000
        centre.link.say(TOPICS.beat, beat(n=2, uptime_s=10))
        await centre.until(lambda: not standing(centre))


async def test_a_removed_site_is_forgotten_by_liveness(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.beat, beat())
        await centre.until(lambda: centre.counters.beats == 1)
        centre.view.remove_site("lab")
        await centre.until(lambda: not centre.service._sweep._known)


async def test_a_batch_that_storage_cannot_take_is_tried_again_and_then_dropped(
    run_centre, monkeypatch
):
    monkeypatch.setattr(reports, "FAILED_PAUSE_S", 0.01)
    failures = iter([True] * 4)
    real = reports.Marks.save

    async def save(*args, **options):
        if next(failures, False):
            raise StorageUnavailableError("database", got="disk full")
        await real(*args, **options)

    monkeypatch.setattr(reports.Marks, "save", save)
    async with run_centre() as centre:
        centre.link.say(TOPICS.report, report(0, EVENT))
        await centre.until(lambda: centre.counters.commits_failed == reports.TRIES_MAX)
        centre.link.say(TOPICS.report, report(0, EVENT))  # the agent, having no receipt
        await centre.until(lambda: centre.link.receipts)
        await centre.until(lambda: not centre.service._notices)
        assert centre.counters.commits_failed == 4
        assert len(await said(centre, kind="node")) == 1, "failed tries left nothing behind"
        assert len(await said(centre, type="210.803")) == 1


@pytest.mark.parametrize("error", [StorageUnavailableError, StorageRefusedError])
async def test_presence_that_is_not_taken_does_not_end_the_service(run_centre, monkeypatch, error):
    async def fail(*_args):
        raise error("database", got="full")

    monkeypatch.setattr(flush, "FLUSH_S", 0.01)
    async with run_centre() as centre:
        monkeypatch.setattr(flush.nodes, "save_paths", fail)
        centre.link.say(TOPICS.beat, beat())
        await centre.until(lambda: centre.counters.commits_failed > 0)
        monkeypatch.undo()
        centre.link.say(TOPICS.report, report(0, EVENT))
        await centre.until(lambda: centre.link.receipts)


async def test_history_is_pruned_once_an_hour_and_that_is_told(run_centre, monkeypatch):
    monkeypatch.setattr(flush, "FLUSH_S", 0.01)
    async with run_centre() as centre:
        async with centre.database.write() as connection:
            await events.append(connection, [events.NewEvent(1, 1, "node", "100.101", 1, "")])
        centre.clock.now_ms += 3_600_001
        await centre.until(lambda: centre.service._flush._history._due_ms > centre.clock.now_ms)
        async with centre.database.write():
            pass
        assert await said(centre, kind="node") == []
        (told,) = await said(centre, kind="central")
        assert (told.type, told.params) == ("210.805", {"count": 1})


async def test_a_size_that_becomes_tight_is_an_alarm_until_it_is_well_below(
    run_centre, monkeypatch
):
    monkeypatch.setattr(flush, "FLUSH_S", 0.01)
    async with run_centre(retention=Retention(event_rows=1_000)) as centre:

        def tight():
            rows = centre.service._book.open_alarms()
            return [row.entity for row in rows if row.type == "210.803"]

        async def keep(count):
            now_ms = centre.clock.wall_ms()
            async with centre.database.write() as connection:
                await connection.execute(delete(tables.event))
                new = events.NewEvent(now_ms, now_ms, "node", "100.101", 1, "")
                await events.append(connection, [new] * count)
            history = centre.service._flush._history
            centre.clock.now_ms += 3_600_001
            await centre.until(lambda: history._due_ms > centre.clock.now_ms)
            async with centre.database.write():
                pass

        await keep(790)
        assert tight() == []
        await keep(800)
        await centre.until(lambda: tight() == ["central=roost,table=event"])
        await keep(760)
        assert tight() == ["central=roost,table=event"]
        await keep(740)
        await centre.until(lambda: tight() == [])


@pytest.mark.parametrize(
    "url", ["http://x", "mqtt://", "mqtt://x:port", "mqtt://x/path", "mqtt://[::1"]
)
def test_a_broker_url_that_is_none_is_refused(url):
    with pytest.raises(ConfigError, match="url, at broker b1"):
        BrokerAddress.parse("b1", url)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.8.9.1", True), ("[::1]", True), ("example.org", False)],
)
def test_loopback_is_known_by_its_address(host, expected):
    assert BrokerAddress.parse("b1", f"mqtt://{host}").is_loopback is expected


async def test_a_stranger_is_named_once_in_the_log(run_centre, caplog):
    async with run_centre(admit="registered") as centre:
        for n in (1, 2):
            centre.link.say(TOPICS.beat, beat(n))
        await centre.until(lambda: centre.counters.refused["unknown-node"] == 2)
    told = [line for line in caplog.messages if "not registered" in line]
    assert len(told) == 1
    assert told[0].startswith("node lab.n1 on broker b1 is not registered")


async def test_a_flood_of_strangers_costs_no_memory(run_centre, monkeypatch):
    monkeypatch.setattr(roster, "STRANGERS_MAX", 2)
    async with run_centre(admit="registered") as centre:
        for name in ("a.n1", "b.n1", "c.n1"):
            centre.link.say(NodeTopics.of(name).beat, beat(node=name))
        await centre.until(lambda: centre.counters.refused["unknown-node"] == 3)
        assert len(centre.service._inbox._roster._strangers) <= 2


async def test_what_is_forged_is_told_and_not_kept(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.report, report(0, EVENT))
        await centre.until(lambda: centre.link.receipts)
        forged = Seal(b"k" * 32, 1).seal(TOPICS.report, report(1, EVENT))
        for _ in range(3):
            centre.link.say(TOPICS.report, forged)
        await centre.until(lambda: centre.counters.refused == {"kid": 3})
        await centre.until(lambda: not centre.service._notices)
        assert [event.node for event in await said(centre, type="280.814")] == [NODE]
        assert centre.counters.dead_letters == 0
        assert centre.counters.items == 1


class Anew(NobodyEnrolled):
    """One node, whose second box has come."""

    def is_known(self, node):
        return node == NODE

    def is_live(self, node, generation):
        return node == NODE


async def test_a_box_let_in_anew_in_the_same_boot_is_heard_from_its_first_beat_on(run_centre):
    first, second = (Seal(report_key(KEY, NODE, each), each) for each in (1, 2))
    async with run_centre(seals=Seals(Anew(), (KEY,), ())) as centre:
        for n, seal in ((600, first), (1, second), (2, second)):
            centre.link.say(TOPICS.beat, seal.seal(TOPICS.beat, beat(n)))
        await centre.until(lambda: centre.counters.beats == 3)
        assert centre.counters.refused == {}


class Suspects(NobodyEnrolled):
    """Keeps who seems to be two boxes."""

    def __init__(self):
        self.told = []

    def suspect(self, node, why):
        self.told.append((node, why))


async def test_what_a_shut_node_reports_is_receipted_and_kept_apart(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.report, report(0, EVENT))
        await centre.until(lambda: centre.link.receipts)
        row = centre.view.nodes[NODE]
        row.quarantine = Cause.CLONE
        centre.link.say(TOPICS.report, report(1, EVENT, b"junk"))
        centre.link.say(TOPICS.report, report(3, ALARM, kind=ItemKind.ALARM, incarnation=2))
        await centre.until(lambda: centre.link.receipts[-1][1].seq == 4)
        async with centre.database.read() as connection:
            kept = await held_items.page(connection, NODE)
        assert [(each.item_seq, each.kind, each.incarnation) for each in kept] == [
            (4, "alarm", 2),
            (3, "event", 1),
            (2, "event", 1),
        ]
        assert kept[0].text == "100.101 raise major: hot"
        assert kept[1].text.startswith("cannot be read: ")
        assert kept[2].text == "100.101 minor: hot"
        assert [event.type for event in await said(centre, node=NODE)] == ["100.101"]
        assert centre.counters.dead_letters == 0
        assert [alarm.type for alarm in centre.service._book.open_alarms()] == []
        row.quarantine = Cause.GRACE  # on probation: it has to be seen well
        centre.link.say(TOPICS.report, report(4, EVENT))
        await centre.until(lambda: centre.link.receipts[-1][1].seq == 5)
        assert len(await said(centre, node=NODE)) == 2


async def test_a_shut_node_is_not_asked_for_what_would_not_be_believed(run_centre):
    mark = InventoryMark(gen=1, digest=b"d" * 8, seq=0)
    async with run_centre() as centre:
        centre.service._beats._enter(Message("b1", NODE, "lab", "beat", b"", 0))
        row = centre.view.nodes[NODE]
        for cause, receipts in ((Cause.OPERATOR, 0), (Cause.NONE, 2)):
            row.quarantine = cause
            lanes = {"alarm": LaneReport(b"a" * 16, 0, 0), "bulk": LaneReport(b"s" * 16, 0, 0)}
            known = {"inventory": mark, "alarms_digest": b"x" * 8, **lanes}
            await centre.service._marks.load(centre.database, {NODE})
            centre.link.say(TOPICS.beat, beat(1 if receipts == 0 else 2, **known))
            await centre.until(lambda: not centre.service._inbox.beats)
            await centre.until(lambda want=receipts: len(centre.link.receipts) == want)
            assert row.inventory_behind is bool(receipts)


async def test_two_boxes_that_only_report_are_suspected(run_centre):
    suspects = Suspects()
    async with run_centre(seals=Seals(suspects, (), ("b1",))) as centre:
        centre.link.say(TOPICS.report, report(0, EVENT))
        await centre.until(lambda: centre.link.receipts)
        centre.link.say(TOPICS.report, report(0, EVENT))
        await centre.until(lambda: centre.counters.duplicates == 1)
        assert suspects.told == []
        centre.link.say(TOPICS.report, report(0, ALARM))
        await centre.until(lambda: centre.counters.duplicates == 2)
        assert suspects.told == [(NODE, ONE_NUMBER)]


class Ended(NobodyEnrolled):
    """One node, whose identity has ended."""

    def is_known(self, node):
        return node == NODE


async def test_last_words_of_an_identity_that_ended_are_counted_and_told_once_they_last(run_centre):
    seal = Seal(report_key(KEY, NODE, 1), 1)
    last_will = seal.seal(TOPICS.gone, beat())
    async with run_centre(seals=Seals(Ended(), (KEY,), ())) as centre:
        for times, passed_ms in ((1, 0), (2, LATE_MS), (3, 1)):
            centre.clock.now_ms += passed_ms
            centre.link.say(TOPICS.gone, last_will)
            assert centre.counters.refused == {"ended": times}
            await centre.until(lambda: not centre.service._notices)
            told = [event.node for event in await said(centre, type="280.814")]
            assert told == ([] if times < 3 else [NODE])


async def test_off_loopback_nobody_is_heard_without_a_seal(run_centre):
    async with run_centre(host="192.0.2.1", admit="registered") as centre:
        centre.service._beats._enter(Message("b1", NODE, "lab", "beat", b"", 0))
        centre.link.say(TOPICS.beat, beat())
        await centre.until(lambda: centre.counters.refused == {"unsealed": 1})
        assert centre.counters.beats == 0
