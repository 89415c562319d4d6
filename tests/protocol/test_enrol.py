"""What is signed covers all that is said; the words differ as soon as anything does."""

import msgspec
import pytest

from roost_protocol.enrol import (
    ClaimKind,
    EnrolRequest,
    Issued,
    Proof,
    Waiting,
    code_words,
    commitment,
    transcript,
)
from roost_protocol.hardware import Hardware

REQUEST = EnrolRequest(
    kind=ClaimKind.BARE,
    csr="CSR",
    lan_key="LAN",
    broker_key="BROKER",
    sealing_key=b"s" * 32,
    node_nonce=b"n" * 32,
    server_nonce="1.r.m",
    hardware=Hardware(uuid="u", disks=("a", "bc")),
    agent="0.1",
    signature=b"",
)
CHANGES = {
    "kind": ClaimKind.TOKEN,
    "csr": "CSR2",
    "lan_key": "LANB",
    "broker_key": "ROKER",
    "sealing_key": b"t" * 32,
    "node_nonce": b"m" * 32,
    "server_nonce": "2.r.m",
    "hardware": Hardware(uuid="u", disks=("ab", "c")),
    "agent": "0.2",
    "proof": Proof(claim="abcdefghijkl"),
    "wish": "n1",
}


@pytest.mark.parametrize("field", EnrolRequest.__struct_fields__)
def test_a_signature_covers_every_field_but_itself(field):
    if field == "signature":
        signed = msgspec.structs.replace(REQUEST, signature=b"x")
        assert transcript(signed) == transcript(REQUEST)
    else:
        changed = msgspec.structs.replace(REQUEST, **{field: CHANGES[field]})
        assert transcript(changed) != transcript(REQUEST)


def test_a_signature_covers_the_factory_chain():
    changed = msgspec.structs.replace(REQUEST, proof=Proof(chain="CHAIN"))
    assert transcript(changed) != transcript(REQUEST)


def test_what_moves_from_one_field_to_the_next_is_another_request():
    moved = msgspec.structs.replace(REQUEST, lan_key="LANB", broker_key="ROKER")
    assert transcript(moved) != transcript(REQUEST)


def test_six_words_stand_for_both_keys_and_both_nonces():
    words = code_words(b"root", "CSR", b"n" * 32, "1.r.m")
    assert words == "rojom zurir vavij toror polaf dutop"
    assert [len(word) for word in words.split()] == [5] * 6
    others = {
        code_words(b"boot", "CSR", b"n" * 32, "1.r.m"),
        code_words(b"root", "CSS", b"n" * 32, "1.r.m"),
        code_words(b"root", "CSR", b"m" * 32, "1.r.m"),
        code_words(b"root", "CSR", b"n" * 32, "1.r.n"),
    }
    assert len({words, *others}) == 5


def test_a_commitment_is_to_nonce_and_key():
    assert len({commitment(b"n", "c"), commitment(b"m", "c"), commitment(b"n", "d")}) == 3


def test_an_answer_says_what_it_is():
    waiting = Waiting(ticket=b"t" * 32, retry_after_s=10, reason="somebody decides")
    assert msgspec.json.decode(msgspec.json.encode(waiting), type=Issued | Waiting) == waiting


@pytest.mark.parametrize(
    "change",
    [
        {"sealing_key": b"short"},
        {"csr": "x" * 5_000},
        {"kind": "root"},
        {"extra": 1},
        {"wish": "x" * 33},
        {"hardware": {"uuid": "a\u0000b"}},
        {"hardware": {"macs": ["m"] * 65}},
        {"agent": "\u202e"},
    ],
)
def test_what_breaks_a_bound_is_refused_by_the_field(change):
    given = msgspec.to_builtins(REQUEST) | msgspec.to_builtins(change)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(given), type=EnrolRequest)
