"""Two boxes that report as one node are told apart from one that says things again."""

import pytest

from roost_central.ingest import forks
from roost_central.ingest.forks import BY_TURNS, NUMBERS, ONE_NUMBER, PACE_MS, Forks
from roost_central.liveness.turns import TURNS_MIN
from roost_protocol.envelope import Item, ItemKind, Lane, Report

A, B = b"a" * 16, b"b" * 16


def report(prev=0, *bodies, kind=ItemKind.EVENT, at_ms=1, **said):
    items = [Item(prev + 1 + i, kind, at_ms, body) for i, body in enumerate(bodies)]
    fields = {
        "v": 1,
        "node": "lab.n1",
        "boot_id": A,
        "incarnation": 1,
        "path": "wan1",
        "sent_ms": 5,
        "lane": Lane.BULK,
        "stream": A,
        "prev": prev,
        "items": items,
        **said,
    }
    return Report(**fields)


def heard(each, *, every_ms=PACE_MS):
    watch = Forks(lambda _node: None)
    return [
        watch.hear(one, 1_000_000 + n * every_ms)
        for n, one in enumerate(
            report(**{"sent_ms": 1_000 + n, **said}) for n, said in enumerate(each)
        )
    ]


@pytest.mark.parametrize("other", [{"stream": B}, {"boot_id": B}, {"incarnation": 2}])
def test_two_that_report_by_turns_are_suspected_and_as_long_as_they_do(other):
    told = heard([{}, other] * 5)
    first = told.index(BY_TURNS)
    assert first == TURNS_MIN + 1
    assert told[first:] == [BY_TURNS] * (len(told) - first)


def test_lanes_starts_and_streams_that_follow_one_another_are_one_box():
    lanes = [{"stream": A}, {"stream": B, "lane": Lane.ALARM}] * 9
    starts = [{"incarnation": n // 3} for n in range(30)]
    streams = [{"stream": bytes([n // 3]) * 16} for n in range(30)]
    assert heard(lanes) + heard(starts) + heard(streams) == [None] * 78


def test_what_was_on_its_way_at_a_restart_and_what_a_broker_says_again_are_no_turns():
    burst = [{"incarnation": n % 2} for n in range(20)]
    echo = [{"incarnation": n % 2, **({} if n % 2 else {"sent_ms": 7})} for n in range(20)]
    assert heard(burst, every_ms=100) + heard(echo) == [None] * 40


def test_what_a_broker_says_again_after_a_start_of_the_centre_is_no_turn():
    watch = Forks(lambda _node: 500)
    for n in range(12):
        old = report(incarnation=1, sent_ms=400 + n)
        live = report(incarnation=2, sent_ms=600 + n)
        for half, each in enumerate((old, live)):
            assert watch.hear(each, 1_000_000 + n * PACE_MS + half * PACE_MS // 2) is None


def test_one_number_with_two_contents_is_told_at_once():
    watch = Forks(lambda _node: None)
    watch.applied(report(0, b"hot", b"cold"))
    assert watch.repeated(report(0, b"hot", b"cold")) is None
    assert watch.repeated(report(1, b"cold")) is None
    assert watch.repeated(report(1, b"cold, says another")) == ONE_NUMBER
    assert watch.repeated(report(1, b"cold", at_ms=2)) == ONE_NUMBER


def test_a_gap_another_stream_and_what_is_long_past_are_no_other_content():
    watch = Forks(lambda _node: None)
    watch.applied(report(0, *[b"%d" % n for n in range(NUMBERS + 1)]))
    assert watch.repeated(report(5, b"gone", kind=ItemKind.GAP)) is None
    assert watch.repeated(report(5, b"another", stream=B)) is None
    assert watch.repeated(report(5, b"another", lane=Lane.ALARM)) is None
    assert watch.repeated(report(0, b"overwritten in the ring")) is None
    watch.applied(report(NUMBERS + 1, b"a gap", kind=ItemKind.GAP))
    assert watch.repeated(report(NUMBERS + 1, b"an item")) is None


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(forks, "NODES_MAX", 2)
    watch = Forks(lambda _node: None)
    for node in ("lab.n1", "lab.n2", "lab.n3"):
        watch.applied(report(0, b"hot", node=node))
    for stream in range(9):
        watch.applied(report(0, b"hot", node="lab.n3", stream=bytes([stream]) * 16))
    assert list(watch._lanes) == ["lab.n2", "lab.n3"]
    assert len(watch._lanes["lab.n3"][Lane.BULK].streams) == forks.STREAMS_MAX
