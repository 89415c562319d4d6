"""What is proven of other nodes, and what lacks a proof."""

from roost_agent.ha.lease_events import Clear, Raise
from roost_agent.ha.proofs import NO_PROOF, Proofs
from roost_protocol.electorate import Electorate

PAIR = Electorate(7, (0, 1), (0, 1), sticky=True)
THREE = Electorate(7, (0, 1, 2), (0, 1, 2))


def lack(proofs, electorate=PAIR, lost=(1,), *, wanted=True):
    out = []
    proofs.tell_lack(electorate, frozenset(lost), wanted=wanted, out=out)
    return out


def test_a_pair_without_proof_is_told_once_and_cleared_once():
    proofs = Proofs("main")
    (raised,) = lack(proofs)
    assert raised == Raise(NO_PROOF, "main is not taken over: nothing proves that node 1 is off")
    assert lack(proofs) == []
    proofs.known[1] = b"1" * 16
    assert lack(proofs) == [Clear(NO_PROOF)]
    assert lack(proofs) == []


def test_nothing_lacks_where_a_majority_decides_or_nobody_stands():
    assert lack(Proofs("main"), THREE) == []
    assert lack(Proofs("main"), lost=()) == []
    assert lack(Proofs("main"), wanted=False) == []


def test_who_is_heard_is_not_proven_to_be_off():
    proofs = Proofs("main")
    proofs.known = {1: b"1" * 16, 2: b"2" * 16}
    proofs.seen({0, 1})
    assert proofs.known == {2: b"2" * 16}
