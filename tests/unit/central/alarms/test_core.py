"""The life of alarms, rule by rule; the whole under chance is test_machine.py."""

from dataclasses import replace

import pytest
from alarms import Driven, S, cleared, dark, heard, key_of, said, shelf, silent, whole

from roost_central.alarms.core import AlarmCore
from roost_central.alarms.facts import (
    Acted,
    Attached,
    Limits,
    NodeBack,
    OwnCleared,
    OwnRaised,
    Removed,
    ShelfPut,
    Suppression,
    SuppressionPut,
    Tick,
)
from roost_central.alarms.row import Ack
from roost_protocol.digest import EMPTY_SET, alarm_digest


def act(driven, verb, **more):
    return Acted(verb, key_of(driven), "jd", **more)


# -- raise, change, clear ----------------------------------------------------------------------


def test_a_raise_begins_an_episode_with_the_text_of_the_catalogue(driven):
    assert driven.do(said(params={"value": 93})) == ["raise"]
    row = driven.row()
    assert (row.text, row.severity, row.state, row.count) == ("M 93", S.MAJOR, "active", 1)
    assert (row.site, row.node, row.reporter, row.said) == ("lab", "lab.n1", "lab.n1", "fs=/var")
    assert row.seq == driven.core.seq == 1


def test_the_same_again_is_no_second_alarm_and_nothing_new_to_tell(driven):
    driven.do(said())
    assert driven.do(said()) == []
    assert driven.row().count == 2
    assert driven.do(said(count=7)) == []
    assert driven.row().count == 7


def test_another_entity_is_another_alarm(driven):
    driven.do(said(), said(entity="fs=/"), said(node="lab.n10"))
    assert len(driven.rows) == 3


def test_a_changed_severity_or_text_is_a_change_of_the_same_episode(driven):
    driven.do(said())
    first = driven.row()
    assert driven.do(said(severity=S.CRITICAL)) == ["change"]
    assert driven.do(said(severity=S.CRITICAL, text="own words")) == ["change"]
    row = driven.row()
    assert (row.id, row.raised_ms, row.text) == (first.id, first.raised_ms, "own words")


def test_a_clear_ends_it_and_a_clear_of_nothing_is_counted(driven):
    driven.do(said())
    assert driven.do(cleared(reason="ttl-expired")) == ["clear"]
    assert driven.row() is None
    assert driven.told[-1].alarm.reason == "ttl-expired"
    assert driven.do(cleared()) == []
    assert driven.core.clears_unknown == 1


def test_a_new_episode_has_a_new_id_and_no_acknowledgement(driven):
    driven.do(said())
    first = driven.row()
    driven.do(act(driven, "ack"))
    driven.do(cleared(), wait_ms=1_000)
    driven.do(said(), wait_ms=1_000)
    assert driven.row().id > first.id
    assert driven.row().ack is None


def test_what_was_long_on_its_way_is_marked_late_unless_the_clock_is_off(driven):
    driven.do(said(at_ms=driven.now_ms - 120_000, raised_ms=5))
    assert driven.row().late
    assert driven.row().raised_ms == 5
    driven.do(said(entity="fs=/", at_ms=0, unsynced=True))
    assert not driven.row(entity="site=lab,node=n1,fs=/").late


def test_an_unknown_type_is_shown_as_it_was_said(driven):
    driven.do(said("999.999", "", text="new in a later release"))
    assert driven.row("999.999", "site=lab,node=n1").text == "new in a later release"
    driven.do(said("999.998", ""))
    assert driven.row("999.998", "site=lab,node=n1").text == "unknown"


# -- flapping ----------------------------------------------------------------------------------


def flap(driven, turns=2, wait_ms=1_000):
    return [
        driven.do(event, wait_ms=wait_ms) for _ in range(turns) for event in (said(), cleared())
    ]


def test_the_fourth_turn_in_ten_minutes_is_held_until_five_quiet_minutes(driven):
    assert flap(driven) == [["raise"], ["clear"], ["raise"], ["change"]]
    held = driven.row()
    assert held.flapping
    assert held.state == "active"
    assert driven.do(cleared()) == []
    assert driven.tick(299_000) == []
    assert driven.tick(2_000) == ["clear"]
    assert driven.row() is None


def test_a_held_alarm_that_comes_again_is_told_and_a_further_clear_is_not(driven):
    flap(driven)
    assert driven.do(said(), wait_ms=1_000) == ["change"]
    assert driven.row().held_ms is None
    assert driven.do(cleared(), wait_ms=1_000) == []
    assert driven.row().held_ms is not None


def test_an_alarm_that_stays_ceases_to_flap(driven):
    flap(driven)
    driven.do(said(), wait_ms=1_000)
    assert driven.row().flapping
    assert driven.tick(601_000) == ["change"]
    assert not driven.row().flapping


def test_what_comes_and_goes_by_an_operators_word_is_no_flapping(driven):
    locked, unlocked = said("200.001", ""), cleared("200.001", "")
    for _ in range(3):
        assert driven.do(locked, wait_ms=1_000) == ["raise"]
        assert driven.do(unlocked, wait_ms=1_000) == ["clear"]
    assert driven.row("200.001", "site=lab,node=n1") is None, "not held: it hides nothing either"


def test_slow_turns_are_no_flapping(driven):
    assert flap(driven, turns=3, wait_ms=250_000)[-1] == ["clear"]


def test_a_node_may_say_that_it_flaps(driven):
    driven.do(said())
    assert driven.do(said(flapping=True)) == ["change"]


def test_few_keys_are_remembered_for_flapping(catalogue):
    driven = Driven(AlarmCore(catalogue, limits=replace(Limits(), known_flaps_max=1)))
    driven.do(said(), cleared(), said(entity="fs=/"), wait_ms=1)
    driven.do(cleared(entity="fs=/"), wait_ms=1)
    assert flap(driven)[-2:] == [["raise"], ["change"]]


# -- reconcile ---------------------------------------------------------------------------------


def test_a_whole_set_makes_ours_equal(driven):
    driven.do(said(), said(entity="fs=/"), said(node="lab.n2"))
    told = driven.do(*whole(("100.001", "fs=/", S.CRITICAL), ("100.002", "", S.MAJOR)))
    assert told == ["clear", "change", "raise"]
    assert driven.told[3].alarm.reason == "reconciled"
    assert driven.core.index.digest("lab.n1") == alarm_digest(
        [("100.001", "fs=/", 4), ("100.002", "", 3)]
    )
    assert driven.core.index.digest("lab.n2") == alarm_digest([("100.001", "fs=/var", 3)])
    assert driven.core.index.digest("lab.n3") == EMPTY_SET


def test_the_same_set_again_tells_nothing(driven):
    driven.do(said(), said("100.004"))
    assert driven.do(*whole(("100.001", "fs=/var", S.MAJOR), ("100.004", "fs=/var", S.MAJOR))) == []


def test_a_part_touches_only_what_is_within_its_bounds(driven):
    names = [f"fs=/{n:03}" for n in range(70)]
    driven.do(*(said(entity=name) for name in names))
    first, last = whole(*(("100.001", name, S.MAJOR) for name in names if name != "fs=/069"))
    assert driven.do(first) == []
    assert driven.do(last) == ["clear"]
    assert len(driven.rows) == 69


def test_the_centres_own_alarms_are_in_no_set(driven):
    driven.do(
        silent(), OwnRaised("100.002", "site=lab,node=n1", S.MAJOR, node="lab.n1", site="lab")
    )
    assert driven.do(*whole()) == []
    assert len(driven.rows) == 2


def test_a_held_or_a_latched_alarm_is_not_in_our_digest_and_not_cleared_twice(driven):
    flap(driven)
    driven.do(said("100.004"))
    driven.do(cleared("100.004"))
    assert driven.core.index.digest("lab.n1") == EMPTY_SET
    assert driven.do(*whole()) == []


# -- the centre's own --------------------------------------------------------------------------


def test_an_alarm_of_our_own_is_said_twice_and_is_one(driven):
    assert driven.do(silent()) == ["raise"]
    assert driven.do(silent()) == []
    row = driven.row("200.001", "site=lab")
    assert (row.count, row.text, row.reporter) == (1, "silent 80", "")
    assert driven.do(heard()) == ["clear"]
    assert driven.do(heard()) == []


def test_one_that_has_a_time_to_live_ends_unless_it_is_seen_again(driven):
    fault = OwnRaised("100.002", "site=lab", S.MAJOR, site="lab", ttl_ms=60_000)
    driven.do(fault)
    driven.do(fault, wait_ms=50_000)
    assert driven.row("100.002", "site=lab").count == 2
    assert driven.tick(50_000) == []
    assert driven.tick(20_000) == ["clear"]
    assert driven.told[-1].alarm.reason == "ttl-expired"
    assert not driven.core.is_due(driven.now_ms + 10**9)


def test_what_ends_in_the_transaction_in_which_its_time_is_up_ends_once(driven):
    driven.do(OwnRaised("100.002", "site=lab", S.MAJOR, site="lab", ttl_ms=60_000))
    over = OwnCleared("100.002", "site=lab")
    assert driven.do(over, Tick(), wait_ms=61_000) == ["clear"]


# -- dark sites and removal --------------------------------------------------------------------


def test_silence_clears_nothing_and_what_comes_back_is_as_it_was(driven):
    driven.do(said(), said(entity="fs=/", severity=S.CRITICAL), silent())
    digest = driven.core.index.digest("lab.n1")
    assert driven.do(dark()) == ["unknown", "unknown"]
    assert driven.row().state == "unknown"
    assert driven.row().unknown_ms == driven.now_ms
    assert driven.do(dark()) == []
    assert driven.core.index.digest("lab.n1") == digest
    assert driven.tick(10**9) == []
    assert driven.do(NodeBack("lab.n1")) == ["back", "back"]
    assert driven.do(NodeBack("lab.n1")) == []
    assert driven.row().state == "active"


def test_a_word_of_a_node_makes_its_alarm_known(driven):
    driven.do(said())
    driven.do(dark())
    assert driven.do(said()) == ["change"]
    assert driven.row().state == "active"


def test_a_latched_alarm_that_is_over_does_not_become_unknown_nor_come_back(driven):
    driven.do(said("100.004"))
    driven.do(cleared("100.004"))
    assert driven.do(dark()) == []
    assert driven.do(NodeBack("lab.n1")) == []


def test_removal_clears_what_is_inside_and_only_that(driven):
    driven.do(said(), said(node="lab.n10"), silent(), said(node="labs.n1"), said("100.004"))
    driven.do(cleared("100.004"))
    assert driven.do(Removed("lab", "site=lab,node=n1")) == ["clear"]
    assert sorted(entity for _, entity in driven.rows) == [
        "site=lab",
        "site=lab,node=n10,fs=/var",
        "site=labs,node=n1,fs=/var",
    ]
    assert driven.do(Removed("lab", "site=lab")) == ["clear", "clear"]
    assert driven.told[-1].alarm.reason == "deleted"
    assert driven.told[-1].note == "site=lab"  # what went, for those who are told of it at once
    assert list(driven.rows) == [("100.001", "site=labs,node=n1,fs=/var")]


# -- masks -------------------------------------------------------------------------------------


def test_a_parent_masks_what_it_contains_until_it_is_over(driven):
    driven.do(said("100.003", "port=eth0"), said("100.003", "port=eth0", node="lab.n2"))
    assert driven.do(said("100.002", "")) == ["raise", "mask"]
    child = driven.row("100.003", "site=lab,node=n1,port=eth0")
    assert child.masked_by == key_of(driven, type_="100.002", entity="site=lab,node=n1")
    assert driven.row("100.003", "site=lab,node=n2,port=eth0").masked_by == ""
    assert driven.do(silent()) == ["raise", "mask", "mask"]
    assert sorted(driven.do(heard())) == ["clear", "mask", "unmask"]
    assert driven.do(cleared("100.002", "")) == ["clear", "unmask"]


def test_what_is_raised_under_a_parent_is_masked_at_once(driven):
    driven.do(silent())
    assert driven.do(said("100.003", "port=eth0")) == ["raise", "mask"]
    assert driven.do(cleared("100.003", "port=eth0")) == ["clear"]
    assert driven.told[-1].alarm.masked_by == ""


def test_a_name_that_only_begins_alike_is_not_masked(driven):
    driven.do(said("100.002", "", node="lab.n1"))
    assert driven.do(said("100.003", "port=eth0", node="lab.n10")) == ["raise"]


# -- operators ---------------------------------------------------------------------------------


def test_an_acknowledgement_stays_when_it_gets_better_and_falls_off_when_it_gets_worse(driven):
    driven.do(said())
    assert driven.do(act(driven, "ack", note="seen")) == ["ack"]
    assert driven.do(act(driven, "ack")) == []
    driven.do(said(severity=S.MINOR))
    assert driven.row().ack == Ack("jd", driven.now_ms, "seen")
    driven.do(said(severity=S.CRITICAL))
    assert driven.row().ack is None
    assert driven.do(act(driven, "unack")) == []


def test_acts_are_told_with_their_actor_and_change_no_condition(driven):
    driven.do(said())
    before = driven.row()
    for verb, more in (
        ("ack", {}),
        ("unack", {}),
        ("note", {"note": "x"}),
        ("assign", {"assignee": "al", "ticket": "T1"}),
        ("assign", {"ticket": ""}),
    ):
        assert driven.do(act(driven, verb, **more)) == [verb]
        assert driven.told[-1].actor == "jd"
    assert driven.do(act(driven, "assign", assignee="al")) == []
    row = driven.row()
    assert (row.notes, row.assignee, row.ticket) == (1, "al", "")
    assert (row.severity, row.state, row.changed_ms) == (
        before.severity,
        before.state,
        before.changed_ms,
    )


def test_an_act_on_what_is_over_does_nothing(driven):
    assert driven.do(Acted("ack", "0" * 16, "jd")) == []


def test_a_clear_by_hand_is_not_in_our_digest_so_what_the_node_holds_comes_back(driven):
    driven.do(said())
    held = driven.core.index.digest("lab.n1")
    assert driven.do(act(driven, "clear", note="fixed")) == ["clear"]
    assert (driven.told[-1].actor, driven.told[-1].note) == ("jd", "fixed")
    assert driven.core.index.digest("lab.n1") != held
    assert driven.do(*whole(("100.001", "fs=/var", S.MAJOR))) == ["raise"]


def test_a_latched_alarm_stays_listed_until_it_is_acknowledged(driven):
    driven.do(said("100.004"))
    driven.do(cleared("100.004"))
    row = driven.row("100.004")
    assert row.state == "cleared"
    assert driven.do(Acted("clear", row.key_id, "jd")) == []
    assert driven.do(cleared("100.004")) == []
    assert driven.do(Acted("ack", row.key_id, "jd")) == ["ack"]
    assert driven.row("100.004") is None


def test_a_latched_alarm_that_was_acknowledged_goes_with_its_clear(driven):
    driven.do(said("100.004"))
    driven.do(Acted("ack", driven.row("100.004").key_id, "jd"))
    driven.do(cleared("100.004"))
    assert driven.row("100.004") is None


def test_a_latched_alarm_comes_again_as_a_new_episode(driven):
    driven.do(said("100.004"))
    first = driven.row("100.004").id
    driven.do(cleared("100.004"), wait_ms=1)
    assert driven.do(said("100.004"), wait_ms=1) == ["raise"]
    assert driven.row("100.004").id != first


# -- incidents ---------------------------------------------------------------------------------


def test_an_alarm_that_joins_or_leaves_an_incident_tells_so_and_what_explains_it_is_quiet(driven):
    driven.do(said())
    key_id = key_of(driven)
    assert driven.do(Attached([key_id, "0" * 16], "INC-1")) == ["change"]
    assert driven.do(Attached([key_id, "0" * 16], "INC-1", {key_id: False})) == []
    assert (driven.row().incident, driven.row().explained) == ("INC-1", False)
    assert driven.do(Attached([key_id], "")) == ["change"]
    assert (driven.row().incident, driven.row().explained) == ("", None)


def test_what_is_raised_in_an_incident_joins_it_with_its_acknowledgement(driven):
    ack = Ack("jd", 1, "all of it")
    driven.core.join_incidents(lambda row: ("INC-1", ack) if row.site == "lab" else None)
    driven.do(said(), said(node="labs.n1"))
    assert (driven.row().incident, driven.row().ack) == ("INC-1", ack)
    assert driven.row(entity="site=labs,node=n1,fs=/var").incident == ""


# -- drafts ------------------------------------------------------------------------------------


def test_nothing_of_a_draft_is_seen_before_it_is_adopted(driven):
    driven.do(said())
    draft = driven.core.draft()
    driven.core.handle(draft, cleared()(driven.now_ms), driven.now_ms)
    driven.core.handle(draft, ShelfPut(shelf()), driven.now_ms)
    assert driven.row() is not None
    assert driven.core.shelves == {}
    assert driven.core.seq == 1


def test_a_core_begins_with_what_storage_has(driven, catalogue):
    driven.do(said(), ShelfPut(shelf(matches=lambda _row: True)))
    driven.do(said("100.004"))
    driven.do(SuppressionPut(Suppression("u1", "100.001", "jd", "x", 0)))
    again = Driven(AlarmCore(catalogue), now_ms=driven.now_ms)
    again.core.load(
        driven.core.index.rows.values(),
        driven.core.seq,
        driven.core.shelves.values(),
        driven.core.suppressions.values(),
    )
    assert again.rows == driven.rows
    assert again.core.index.digest("lab.n1") == driven.core.index.digest("lab.n1")
    assert again.core.index.find(driven.row().id) == driven.row()
    again.do(Tick(), said(entity="fs=/"))
    assert again.told[-1].seq == driven.core.seq + 1


@pytest.mark.parametrize("count", [1, 2])
def test_time_is_looked_at_when_it_comes_and_not_before(driven, count):
    fault = OwnRaised("100.002", "site=lab", S.MAJOR, site="lab", ttl_ms=60_000)
    for _ in range(count):
        driven.do(fault, wait_ms=10)
    assert not driven.core.is_due(driven.now_ms)
    assert driven.core.is_due(driven.now_ms + 60_000)
