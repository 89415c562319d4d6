"""Decisions on their way up: bounded, none doubled, a change of role with its reason."""

import pytest

from roost_agent.ha.decisions import (
    BURST,
    PACE_MS,
    WAITING_MAX,
    Allowance,
    Decisions,
    fitting,
    named,
)
from roost_protocol.codec import encode
from roost_protocol.explain import Explain
from roost_protocol.ha_report import HA_DECISION, HA_ROLE, HaRole
from roost_protocol.limits import ALARM_TEXT_BYTES_MAX, PARAMS_BYTES_MAX, PARAMS_MAX

NOW_MS = 1_000_000
TOOK = Explain(
    "took main (epoch 33): c0 silent on 4 of 4 paths for 3.1 s",
    {"group": "main", "own": True, "epoch": 33, "was": 0, "votes": 2},
)
ACTIVE = {"main": (HaRole.ACTIVE, 33)}
STANDBY = {"main": (HaRole.STANDBY, 33)}


@pytest.fixture
def decisions():
    return Decisions("c1", NOW_MS)


def explain(decisions, said, now_ms=NOW_MS):
    decisions.explained(said, at_ms=7, now_ms=now_ms)


def change(decisions, roles, now_ms=NOW_MS):
    decisions.changed(roles, at_ms=8, now_ms=now_ms)


def events(decisions):
    return [told.event for told in decisions.take(WAITING_MAX)]


def test_a_decision_becomes_an_event_with_its_evidence(decisions):
    explain(decisions, Explain("c0: alive -> lost", {"node": "c0", "new": "lost"}))
    (told,) = decisions.take(10)
    assert (told.at_ms, told.event.type, told.event.entity) == (7, HA_DECISION, "")
    assert told.event.text == "c0: alive -> lost"
    assert told.event.params == {"node": "c0", "new": "lost"}
    assert decisions.take(10) == []


def test_a_takeover_is_one_event_that_says_role_and_reason(decisions):
    explain(decisions, TOOK)
    change(decisions, ACTIVE)
    (event,) = events(decisions)
    assert (event.type, event.entity) == (HA_ROLE, "group=main")
    assert event.text == f"c1 {TOOK.sentence}"
    assert event.params["role"] == "active"
    assert (event.params["epoch"], event.params["votes"]) == (33, 2)


def test_another_turn_s_sentence_is_no_reason_for_this_one(decisions):
    explain(
        decisions, Explain("took main (epoch 1): nobody held it", {**TOOK.evidence, "epoch": 1})
    )
    explain(decisions, Explain("granted main", {"group": "main", "epoch": 33}))  # a voter's word
    explain(decisions, Explain("took web", {"group": "web", "own": True, "epoch": 33}))
    change(decisions, ACTIVE)
    *others, role = events(decisions)
    assert [each.type for each in others] == [HA_DECISION] * 3
    assert role.text == "c1 is active of main (epoch 33)"


def test_a_role_that_stays_is_told_once_and_its_end_too(decisions):
    for _ in range(3):
        change(decisions, ACTIVE)
    for _ in range(3):
        change(decisions, STANDBY)
    assert [each.params["role"] for each in events(decisions)] == ["active", "standby"]


def test_the_next_turn_is_another_role(decisions):
    change(decisions, ACTIVE)
    change(decisions, {"main": (HaRole.ACTIVE, 65)})
    assert [each.params["epoch"] for each in events(decisions)] == [33, 65]


def test_who_was_never_active_tells_nothing(decisions):
    change(decisions, {"main": (HaRole.BARRED, 0), "site": (HaRole.VOTER, 3)})
    change(decisions, STANDBY)
    assert events(decisions) == []


def test_too_many_decisions_are_counted_and_the_next_one_says_so(decisions):
    for number in range(BURST + 25):
        explain(decisions, Explain(f"path {number}", {}))
    assert decisions.left_out == 25
    assert len(events(decisions)) == BURST
    explain(decisions, Explain("again", {}), NOW_MS + PACE_MS)
    (event,) = events(decisions)
    assert "25 decisions" in event.text
    explain(decisions, Explain("and on", {}), NOW_MS + 2 * PACE_MS)
    assert [each.text for each in events(decisions)] == ["and on"]


def test_a_change_of_role_does_not_wait_behind_decisions(decisions):
    for _ in range(2 * BURST):
        explain(decisions, Explain("noise", {}))
    explain(decisions, TOOK)
    change(decisions, ACTIVE)
    last = events(decisions)[-1]
    assert (last.type, last.params["votes"]) == (HA_ROLE, 2), "and has its reason"


def test_roles_that_change_without_end_are_bounded_too(decisions):
    for epoch in range(1, 2 * BURST):
        change(decisions, {"main": (HaRole.ACTIVE, epoch)})
    assert len(events(decisions)) == BURST


def test_what_the_outbox_never_takes_is_bounded_and_the_newest_stay(decisions):
    for number in range(WAITING_MAX + 40):
        explain(decisions, Explain(str(number), {}), NOW_MS + number * PACE_MS)
    texts = [each.text for each in events(decisions)]
    assert len(texts) == WAITING_MAX
    assert texts[-1].startswith(str(WAITING_MAX + 39))


def test_what_was_put_back_goes_first_and_in_order(decisions):
    for word in "abc":
        explain(decisions, Explain(word, {}))
    taken = decisions.take(2)
    explain(decisions, Explain("d", {}))
    decisions.put_back(taken)
    assert [each.text for each in events(decisions)] == list("abcd")


def test_an_allowance_is_whole_again_after_a_while():
    allowance = Allowance(0)
    assert sum(allowance.take(0) for _ in range(1_000)) == BURST
    assert [allowance.take(PACE_MS), allowance.take(PACE_MS)] == [True, False]
    assert sum(allowance.take(10 * BURST * PACE_MS) for _ in range(1_000)) == BURST


def test_nodes_have_their_names():
    said = Explain("granted main to node 2, by node 11; knode 2 is no node", {"owner": 2})
    told = named(said, lambda node: f"n{node}")
    assert told == Explain("granted main to n2, by n11; knode 2 is no node", {"owner": 2})
    evidence = named(Explain("", {"by": "node 0, node 2", "owner": None}), lambda node: f"n{node}")
    assert evidence.evidence == {"by": "n0, n2", "owner": None}


def test_evidence_is_cut_to_what_an_event_carries():
    many = {f"k{number}": number for number in range(20)}
    assert len(fitting(many)) == PARAMS_MAX
    long = {"a": "x" * 5_000, "b": "y" * 5_000, "c": "z" * 255, "d": "w" * 255, "e": 1}
    kept = fitting(long)
    assert len(encode(kept)) <= PARAMS_BYTES_MAX
    assert len(kept["a"].encode()) <= ALARM_TEXT_BYTES_MAX
    assert "a" in kept


def test_a_long_sentence_is_cut(decisions):
    explain(decisions, Explain("é" * 1_000, {}))
    (event,) = events(decisions)
    assert len(event.text.encode()) <= ALARM_TEXT_BYTES_MAX
