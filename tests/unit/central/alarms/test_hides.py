"""Shelves and suppressions: what they hide, and what is told when they end."""

from alarms import cleared, key_of, said, shelf, silent

from roost_central.alarms.facts import (
    ShelfPut,
    ShelfTaken,
    Suppression,
    SuppressionPut,
    SuppressionTaken,
)


def test_a_shelf_by_key_ends_in_time_and_the_alarm_is_announced_again(driven):
    driven.do(said(), said(entity="fs=/"))
    until_ms = driven.now_ms + 3_600_000
    put = shelf(key_ids=frozenset({key_of(driven)}), until_ms=until_ms)
    assert driven.do(ShelfPut(put)) == ["shelve"]
    assert driven.row().shelf.reason == "lab"
    assert driven.tick(3_599_000) == []
    assert driven.core.is_due(until_ms)
    assert driven.tick(2_000) == ["unshelve"]
    assert driven.told[-1].note == "expired"
    assert driven.core.shelves == {}
    assert driven.row().shelf is None


def test_a_shelf_by_query_takes_what_comes_later(driven):
    driven.do(ShelfPut(shelf(matches=lambda row: row.type == "100.001")))
    driven.do(said(), said("100.002", ""))
    assert driven.row().op_state == "shelved"
    assert driven.row("100.002", "site=lab,node=n1").op_state == "none"
    assert driven.do(ShelfTaken("s1", "al")) == ["unshelve"]
    assert driven.told[-1].actor == "al"
    assert driven.do(ShelfTaken("s1", "al")) == []


def test_an_expired_shelf_gives_way_to_another_without_an_announcement(driven):
    driven.do(said())
    first = shelf(key_ids=frozenset({key_of(driven)}), until_ms=driven.now_ms + 1_000)
    driven.do(ShelfPut(first), ShelfPut(shelf(id="s2", matches=lambda _row: True)))
    assert driven.row().shelf.id == "s1"
    assert driven.tick(2_000) == []
    assert driven.row().shelf.id == "s2"


def test_a_cleared_alarm_is_on_no_shelf(driven):
    driven.do(said("100.004"))
    driven.do(cleared("100.004"))
    assert driven.do(ShelfPut(shelf(matches=lambda _row: True))) == []


def test_a_suppressed_type_is_hidden_where_the_query_says(driven):
    one = Suppression("u1", "100.001", "jd", "known", 0, matches=lambda row: row.node == "lab.n1")
    driven.do(said(), said(node="lab.n2"), silent())
    assert driven.do(SuppressionPut(one)) == ["suppress"]
    assert driven.row().suppressed_by == "u1"
    driven.do(cleared(), wait_ms=1)
    driven.do(said(), wait_ms=1)
    assert driven.row().suppressed_by == "u1"
    assert driven.do(SuppressionTaken("u1", "al")) == ["unsuppress"]
    assert driven.do(SuppressionTaken("u1", "al")) == []


def test_what_may_not_be_suppressed_is_not(driven):
    driven.do(silent())
    assert driven.do(SuppressionPut(Suppression("u1", "200.001", "jd", "x", 0))) == []


def test_a_suppression_may_end_by_itself(driven):
    driven.do(said())
    driven.do(SuppressionPut(Suppression("u1", "100.001", "jd", "x", 0, driven.now_ms + 1_000)))
    assert driven.core.is_due(driven.now_ms + 1_000)
    assert driven.tick(500) == []
    assert driven.tick(1_000) == ["unsuppress"]
