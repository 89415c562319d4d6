"""Operator load: what is counted, and in which band it is."""

import pytest
from alarms import S, cleared, said, silent

from roost_central.alarms.facts import Acted, Shelf, ShelfPut
from roost_central.alarms.load import HOUR_MS, band, measure, stale


def load_of(driven, hours=1, operators=1):
    since_ms = driven.now_ms - hours * HOUR_MS
    return measure(driven.told, since_ms=since_ms, now_ms=driven.now_ms, operators=operators)


def test_what_an_operator_was_shown_is_counted_by_severity_type_and_site(driven):
    driven.do(said(), said(entity="fs=/", severity=S.CRITICAL), said("100.002", "", node="b.n1"))
    load = load_of(driven)
    assert load.alarms == 3
    assert load.by_severity == {"major": 2, "critical": 1}
    assert load.by_type.most_common(1) == [("100.001", 2)]
    assert load.by_site == {"lab": 2, "b": 1}
    assert load.an_hour(1, 3) == 1


def test_what_was_hidden_from_the_start_is_not(driven):
    driven.do(ShelfPut(Shelf("s", "jd", "x", 0, 2**60, matches=lambda row: row.site == "lab")))
    driven.do(said(), silent("b"))
    assert load_of(driven).alarms == 1


def test_ten_alarms_of_an_operator_in_ten_minutes_are_a_flood(driven):
    driven.do(*(said(entity=f"fs=/{n}") for n in range(10)))
    assert load_of(driven).flood_share == pytest.approx(1 / 6)
    assert load_of(driven).flood_hours == {driven.now_ms // HOUR_MS}
    assert load_of(driven, operators=2).floods == 0


def test_times_to_acknowledge_and_to_clear(driven):
    driven.do(said(), said(entity="fs=/"))
    driven.do(Acted("ack", driven.row().key_id, "jd"), wait_ms=30_000)
    driven.do(cleared(), wait_ms=30_000)
    load = load_of(driven)
    assert (load.acked_ms, load.cleared_ms, load.fleeting) == (30_000, 60_000, 0)


def test_what_is_over_at_once_is_fleeting_and_what_turns_often_chatters(driven):
    driven.do(said())
    driven.do(cleared(), wait_ms=1_000)
    driven.do(said(), wait_ms=1_000)
    driven.do(said("100.002", ""), wait_ms=70_000)
    load = load_of(driven)
    assert (load.fleeting, load.chattering) == (1, 1)


def test_an_old_alarm_in_the_list_is_stale(driven):
    driven.do(said())
    rows = driven.core.index.ranked
    assert stale(rows, driven.now_ms + 23 * HOUR_MS) == 0
    assert stale(rows, driven.now_ms + 25 * HOUR_MS) == 1


@pytest.mark.parametrize(
    ("value", "word"), [(0, "good"), (6, "good"), (7, "manageable"), (12.1, "overloaded")]
)
def test_bands_are_those_of_the_standard(value, word):
    assert band(value) == word
