"""One round of asking: what counts, when it is won, and when it cannot be any more."""

import pytest

from roost_agent.ha.quorum import Round
from roost_protocol.electorate import Electorate
from roost_protocol.ha import Kind, LeaseFrame, Nonce

THREE = Electorate(7, (0, 1, 2), (0, 1, 2, 3))
PAIR = Electorate(7, (0, 1), (0, 1), sticky=True)
NONCE = Nonce(b"v" * 16, 1, 5)


def answer(node, kind=Kind.GRANT, **more):
    given = {
        "site": "lab", "node": node, "boot": bytes(16), "inc": 1, "path": 0, "seq": 1, "boot_ms": 0,
        "period_ms": 500, "lhm": 1, "cfgver": 7, "echo": {}, "to": 0, "kind": kind, "name": "main",
        "epoch": 32, "nonce": NONCE, "owner": 0, "owner_boot": bytes(16),
    }  # fmt: skip
    return LeaseFrame(**given | more)


def asked():
    return Round(Kind.ACQUIRE, 32, NONCE, 100)


@pytest.mark.parametrize(
    "frame",
    [answer(1, nonce=Nonce(b"v" * 16, 1, 4)), answer(1, cfgver=8), answer(3)],
    ids=["another nonce", "another configuration", "no voter"],
)
def test_an_answer_that_is_none_to_this_round_does_not_count(frame):
    round_ = asked()
    assert not round_.count(frame, THREE)
    assert not round_.grants


def test_a_majority_wins_and_the_same_vote_twice_is_one():
    round_ = asked()
    for _ in range(2):
        assert round_.count(answer(0), THREE)
        assert not round_.is_won(THREE, {})
    round_.count(answer(2), THREE)
    assert round_.is_won(THREE, {})


def test_a_round_is_lost_once_too_few_are_left():
    round_ = asked()
    round_.count(answer(1, Kind.REFUSE, remaining_ms=300), THREE)
    assert not round_.is_lost(THREE, {})
    round_.count(answer(2, Kind.REFUSE, remaining_ms=None), THREE)
    assert round_.is_lost(THREE, {})
    assert round_.bound_ms() == 0


def test_a_grant_replaces_a_refusal_and_is_not_replaced_by_one():
    round_ = asked()
    for kind in (Kind.REFUSE, Kind.GRANT, Kind.REFUSE):
        round_.count(answer(1, kind), THREE)
    assert (round_.grants, round_.refusals) == ({1}, {})
    assert round_.bound_ms() == 0


def test_in_a_pair_a_proof_stands_in_for_the_dead_peers_vote_and_never_for_both():
    round_ = asked()
    assert not round_.is_won(PAIR, {1: b"b"})
    round_.count(answer(0), PAIR)
    assert not round_.is_won(PAIR, {})
    assert round_.is_won(PAIR, {1: b"b"})
    round_.count(answer(1), PAIR)
    assert round_.is_won(PAIR, {1: b"b"})


def test_where_a_majority_decides_a_proof_is_no_vote():
    round_ = asked()
    round_.count(answer(0), THREE)
    assert not round_.is_won(THREE, {1: b"b", 2: b"b"})


def test_a_dead_peers_refusal_of_before_loses_no_round():
    round_ = asked()
    round_.count(answer(1, Kind.REFUSE), PAIR)
    assert round_.is_lost(PAIR, {})
    assert not round_.is_lost(PAIR, {1: b"b"})


def test_who_refused_is_told_with_to_whom_it_is_bound_and_for_how_long():
    round_ = asked()
    round_.count(answer(1, Kind.REFUSE, reason="promised", owner=2, remaining_ms=3_240), THREE)
    assert round_.refused() == "node 1 is bound to node 2 for 3.2 s more"
    round_.count(answer(1, Kind.REFUSE, reason="promised", owner=2, remaining_ms=None), THREE)
    round_.count(answer(2, Kind.REFUSE, reason="boot-wait"), THREE)
    assert round_.refused() == (
        "node 1 is bound to node 2 until that one gives it back or is proven to be off; "
        "node 2 started a moment ago"
    )
