"""Alarms through ingest: exactly once, compared by digest, unknown while the node is dark."""

import pytest

from roost_central.alarms.facts import OwnRaised
from roost_central.ingest import flush
from roost_central.ingest.sync import BEHIND_MS
from roost_central.storage import alarms
from roost_protocol.alarm import Alarm, AlarmState, Change, alarm_sets
from roost_protocol.beat import Beat, LaneReport, PathKind, PathReport, PathState
from roost_protocol.codec import encode
from roost_protocol.digest import EMPTY_SET, alarm_digest
from roost_protocol.envelope import Gap, Item, ItemKind, Lane, Report
from roost_protocol.severity import Severity
from roost_protocol.topics import NodeTopics

NODE = "lab.n1"
TOPICS = NodeTopics.of(NODE)
STREAM = b"a" * 16


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


def alarm(severity=Severity.MAJOR, entity="fs=/var"):
    change = Change.CLEAR if severity is Severity.CLEARED else Change.RAISE
    return Alarm(v=1, type="100.104", change=change, severity=severity, entity=entity, text="x")


def report(prev, *documents, kind=ItemKind.ALARM):
    items = [Item(prev + 1 + n, kind, 1, encode(one)) for n, one in enumerate(documents)]
    said = {"lane": Lane.ALARM, "stream": STREAM, "prev": prev, "items": items}
    return encode(Report(**envelope(**said)))


def beat(n, digest, seq, waiting=0):
    said = {
        "n": n,
        "interval_ms": 30_000,
        "uptime_s": 9,
        "agent": "0.1.0",
        "why": "timer",
        "paths": [PathReport("wan1", PathKind.WAN, PathState.UP, 3, 900)],
        "alarm": LaneReport(STREAM, seq, waiting),
        "alarms_digest": digest,
        "alarms_count": 1,
        "alarms_seq": seq,
    }
    return encode(Beat(**envelope(**said)))


def digest_of(*rows):
    return alarm_digest((row.type, row.entity, int(row.severity)) for row in rows)


def book_of(centre):
    return centre.service._book


def open_alarms(centre):
    return {row.entity: row for row in book_of(centre).active()}


def asked(centre):
    return [each.what for _, receipt in centre.link.receipts for each in receipt.resync]


async def test_an_alarm_takes_effect_once_and_is_in_storage_before_it_is_shown(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.report, report(0, alarm(), alarm(entity="fs=/")))
        centre.link.say(TOPICS.report, report(0, alarm(), alarm(entity="fs=/")))
        await centre.until(lambda: len(open_alarms(centre)) == 2)
        row = open_alarms(centre)["site=lab,node=n1,fs=/var"]
        assert (row.count, row.severity, row.node) == (1, Severity.MAJOR, NODE)
        async with centre.database.read() as connection:
            kept = await alarms.load_all(connection)
            steps = await alarms.after(connection, 0, 10)
        assert {each.key_id for each in kept} == {r.key_id for r in open_alarms(centre).values()}
        assert [step.event for step in steps] == ["raise", "raise"]
        centre.link.say(TOPICS.report, report(2, alarm(Severity.CLEARED)))
        await centre.until(lambda: len(open_alarms(centre)) == 1)
    async with run_centre() as again:
        await again.until(lambda: list(open_alarms(again)) == ["site=lab,node=n1,fs=/"])
        assert book_of(again).last_seq == 3


async def test_a_digest_that_differs_asks_for_the_set_and_the_set_mends_it(run_centre):
    async with run_centre() as centre:
        held = AlarmState("100.101", "", Severity.CRITICAL, 1, 2)
        centre.link.say(TOPICS.report, report(0, alarm()))
        await centre.until(lambda: open_alarms(centre))
        centre.link.say(TOPICS.beat, beat(1, digest_of(held), 1))
        await centre.until(lambda: asked(centre) == ["alarms"])
        centre.link.say(TOPICS.report, report(1, *alarm_sets([held]), kind=ItemKind.ALARM_SET))
        await centre.until(lambda: list(open_alarms(centre)) == ["site=lab,node=n1"])
        assert book_of(centre).digest(NODE) == digest_of(held)
        centre.link.say(TOPICS.beat, beat(2, digest_of(held), 2))
        await centre.until(lambda: centre.counters.beats == 2)
        assert asked(centre) == ["alarms"]


async def test_a_node_is_asked_once_a_minute(run_centre):
    async with run_centre() as centre:
        for n in range(1, 4):
            centre.link.say(TOPICS.beat, beat(n, b"x" * 8, 0))
        await centre.until(lambda: centre.counters.beats == 3)
        assert centre.counters.alarm_resyncs == 1
        centre.clock.now_ms += 61_000
        centre.link.say(TOPICS.beat, beat(4, b"x" * 8, 0))
        await centre.until(lambda: centre.counters.alarm_resyncs == 2)


async def test_a_difference_that_lasts_is_an_alarm_of_its_site_until_it_is_mended(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.beat, beat(1, b"x" * 8, 7))
        await centre.until(lambda: centre.counters.beats == 1)
        centre.clock.now_ms += BEHIND_MS
        centre.link.say(TOPICS.beat, beat(2, b"x" * 8, 7))
        await centre.until(lambda: "site=lab,what=alarms" in open_alarms(centre))
        assert open_alarms(centre)["site=lab,what=alarms"].type == "280.002"
        centre.link.say(TOPICS.beat, beat(3, EMPTY_SET, 7))
        await centre.until(lambda: "site=lab,what=alarms" not in open_alarms(centre))


async def test_reports_that_wait_for_long_are_an_alarm_of_the_centre(run_centre):
    async with run_centre() as centre:
        lag = centre.service._lag
        async with centre.database.write():  # a disk that takes its time
            centre.link.say(TOPICS.report, report(0, alarm()))
            await centre.until(lambda: centre.service._reports._in_hand.reports)
            centre.clock.now_ms += 6_000
            await centre.until(lambda: lag._since_ms is not None)
            centre.clock.now_ms += 10_000
            await centre.until(lambda: lag._is_raised)
        await centre.until(lambda: "central=roost" in open_alarms(centre))
        assert open_alarms(centre)["central=roost"].text == "Reports wait 16 s, limit 5 s"


async def test_a_digest_is_compared_only_when_just_its_part_of_the_stream_is_committed(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.report, report(0, alarm()))
        await centre.until(lambda: open_alarms(centre))
        centre.link.say(TOPICS.beat, beat(1, EMPTY_SET, 0))
        centre.link.say(TOPICS.beat, beat(2, b"x" * 8, 2))
        await centre.until(lambda: centre.counters.beats == 2)
        assert centre.counters.alarm_resyncs == 0


async def test_a_node_with_receipts_for_what_is_not_here_is_told_where_we_stand(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.report, report(0, alarm()))
        await centre.until(lambda: len(centre.link.receipts) == 1)
        centre.link.say(TOPICS.beat, beat(1, b"x" * 8, 5))  # of before the backup was taken back
        await centre.until(lambda: len(centre.link.receipts) == 2)
        (_, again) = centre.link.receipts[-1]
        assert (again.lane, again.stream, again.seq, again.resync) == (Lane.ALARM, STREAM, 1, [])


async def test_a_node_that_still_waits_for_receipts_is_not(run_centre):
    async with run_centre() as centre:
        centre.link.say(TOPICS.report, report(0, alarm()))
        await centre.until(lambda: len(centre.link.receipts) == 1)
        centre.link.say(TOPICS.beat, beat(1, b"x" * 8, 5, waiting=4))
        centre.link.say(TOPICS.beat, beat(2, digest_of(alarm()), 1))  # nor one that is right
        await centre.until(lambda: centre.counters.beats == 2)
        assert len(centre.link.receipts) == 1


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (alarm(entity="fs"), "entity"),
        (Alarm(v=1, type="100.104", change=Change.RAISE, severity=Severity.CLEARED), "severity"),
        ({"v": 1, "type": "x", "change": "raise", "severity": 3}, "type"),
        ({"v": 1, "type": "100.104", "change": "raise", "severity": 9}, "type"),
        ({"v": 1, "type": "100.104", "change": "raise", "severity": 3, "text": "x" * 256}, "type"),
    ],
)
async def test_what_is_no_alarm_is_refused_and_told_and_the_stream_goes_on(
    run_centre, document, code
):
    async with run_centre() as centre:
        centre.link.say(TOPICS.report, report(0, document, alarm()))
        await centre.until(lambda: len(open_alarms(centre)) == 2)
        assert centre.counters.refused[code] == 1
        fault = open_alarms(centre)["site=lab,node=n1"]
        assert fault.type == "280.807"
        assert code in fault.text


async def test_a_gap_is_an_alarm_that_waits_to_be_seen(run_centre):
    async with run_centre() as centre:
        gap = Gap(first=1, last=3, reason="full")
        items = [Item(3, ItemKind.GAP, 1, encode(gap))]
        said = {"lane": Lane.ALARM, "stream": STREAM, "prev": 0, "items": items}
        centre.link.say(TOPICS.report, encode(Report(**envelope(**said))))
        await centre.until(lambda: open_alarms(centre))
        (row,) = open_alarms(centre).values()
        assert (row.type, row.text) == ("280.804", "Reports 1..3 lost: full")


@pytest.mark.parametrize("change", ["clear", "set"])
async def test_a_node_ends_no_alarm_that_the_centre_raised_about_it(
    run_centre, monkeypatch, change
):
    monkeypatch.setattr(flush, "FLUSH_S", 0.01)
    forged, entity = "280.814", f"site=lab,node={NODE.partition('.')[2]}"

    def standing(centre):
        return {(row.type, row.severity) for row in centre.service._book.open_alarms()}

    async with run_centre() as centre:
        said = OwnRaised(forged, entity, Severity.MAJOR, {"reason": "x"}, site="lab", node=NODE)
        centre.service._book.signal(said)
        await centre.until(lambda: (forged, Severity.MAJOR) in standing(centre))
        if change == "clear":
            one = Alarm(v=1, type=forged, change=Change.CLEAR, severity=Severity.CLEARED, text="x")
            centre.link.say(TOPICS.report, report(0, one))
        else:
            state = AlarmState(
                type=forged, entity="", severity=Severity.WARNING, raised_ms=1, changed_ms=1
            )
            centre.link.say(TOPICS.report, report(0, *alarm_sets([state]), kind=ItemKind.ALARM_SET))
        await centre.until(lambda: centre.link.receipts)
        assert (forged, Severity.MAJOR) in standing(centre), "its own word does not end it"
        assert ("280.807", Severity.MINOR) in standing(centre), "and that it tried is told"
