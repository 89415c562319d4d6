"""Who has said since a start what it holds."""

from roost_protocol.attestation import Attestation, Said
from roost_protocol.voter_state import VoterState


def said(node, max_epoch=0, epoch=0):
    return Said(node, bytes(16), epoch, max_epoch)


def test_who_says_that_it_holds_the_lease_is_known_until_it_is_doubted():
    attestation = Attestation([0, 1, 2])
    attestation.attested("main", said(1, 64, epoch=33))
    attestation.attested("main", said(2))
    assert attestation.holders("main") == [said(1, 64, epoch=33)]
    assert attestation.holders("site") == []
    attestation.doubt("main")
    assert attestation.lacking("main") == [0, 1]


def test_everybody_is_lacking_until_it_said_so():
    attestation = Attestation([1, 2])
    assert attestation.lacking("main") == [1, 2]
    attestation.attested("main", said(2, 64))
    assert attestation.lacking("main") == [1]
    assert attestation.lacking("site") == [1, 2]


def test_the_highest_epoch_that_was_told_is_remembered():
    attestation = Attestation([1, 2])
    assert attestation.max_epoch("main") == 0
    attestation.attested("main", said(2, 64))
    attestation.attested("main", said(1, 0, epoch=33))
    assert attestation.max_epoch("main") == 64


def test_each_round_of_asking_has_a_nonce_of_its_own():
    attestation, state = Attestation([1]), VoterState.blank(b"v" * 16)
    assert attestation.nonce(state) < attestation.nonce(state)


def test_what_is_forgotten_must_be_said_again():
    attestation = Attestation([1])
    attestation.attested("main", said(1, 64))
    attestation.complete.add("main")
    attestation.forget()
    assert (attestation.lacking("main"), attestation.complete) == ([1], set())
