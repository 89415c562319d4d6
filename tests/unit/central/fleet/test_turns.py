"""Turns made of changes of role."""

from roost_central.fleet.turns import turns_of
from roost_central.storage.events import EventRecord
from roost_protocol.ha_report import HA_DECISION, HA_ROLE


def said(seq, node, role, epoch, **more):
    group, type_ = more.get("group", "main"), more.get("type_", HA_ROLE)
    params = {"group": group, "role": role, "epoch": epoch}
    at_ms = seq * 1_000
    return EventRecord(seq, at_ms, at_ms, "lab", f"lab.{node}", "ha", type_, 1, "", "why", params)


def spans(*events):
    return [(turn.node, turn.begin_ms, turn.end_ms, turn.is_told) for turn in turns_of(events)]


def test_a_turn_lasts_from_its_node_s_word_to_its_node_s_word():
    assert spans(said(1, "c0", "active", 8), said(5, "c0", "standby", 8)) == [
        ("c0", 1_000, 5_000, True)
    ]


def test_the_turn_of_a_node_that_died_ends_with_the_next_one():
    """It told no end; its successor's begin is the latest that it can have lasted."""
    assert spans(said(1, "c0", "active", 8), said(9, "c1", "active", 33)) == [
        ("c0", 1_000, 9_000, False),
        ("c1", 9_000, None, False),
    ]


def test_turns_of_other_groups_end_nothing():
    assert spans(said(1, "c0", "active", 8), said(2, "c1", "active", 33, group="web")) == [
        ("c0", 1_000, None, False),
        ("c1", 2_000, None, False),
    ]


def test_an_agent_that_goes_on_after_a_restart_is_the_same_turn():
    assert spans(said(1, "c0", "active", 8), said(4, "c0", "active", 8)) == [
        ("c0", 1_000, None, False)
    ]


def test_an_end_without_its_begin_and_what_is_no_change_of_role_make_no_turn():
    assert (
        spans(
            said(1, "c0", "standby", 8),
            said(2, "c0", "active", 8, type_=HA_DECISION),
            said(3, "c0", "active", None),
            said(4, "c0", "active", 8, group=None),
        )
        == []
    )


def test_an_end_before_its_begin_is_a_clock_that_was_set():
    early = said(1, "c0", "standby", 8)
    late = said(5, "c0", "active", 8)
    assert spans(late, early) == [("c0", 5_000, 5_000, True)]
