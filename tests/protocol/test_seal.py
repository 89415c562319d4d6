"""A sealed message is its node's, its topic's and its generation's, or it is refused."""

import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from roost_protocol.codec import encode
from roost_protocol.envelope import Gone
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import GENERATION_MAX, SEAL_BYTES
from roost_protocol.seal import Seal, generation_of, is_sealed, report_key

VECTORS = json.loads((Path(__file__).parent / "vectors" / "seal.json").read_text())["vectors"]
INGEST_KEY = bytes(range(32))
TOPIC = "roost/v1/1f/lab.n1/up/beat"
SEAL = Seal(report_key(INGEST_KEY, "lab.n1", 7), 7)
bodies = st.binary(max_size=200)
topics = st.text(max_size=60)


def refusal(seal, topic, message):
    with pytest.raises(ProtocolError) as refused:
        seal.open(topic, message)
    return refused.value.code


@pytest.mark.parametrize("vector", VECTORS, ids=[each["name"] for each in VECTORS])
def test_a_vector_is_sealed_and_opened_as_it_stands(vector):
    key = report_key(bytes.fromhex(vector["ingest_key"]), vector["node"], vector["generation"])
    assert key.hex() == vector["report_key"]
    seal = Seal(key, vector["generation"])
    wire, body = bytes.fromhex(vector["wire"]), bytes.fromhex(vector["body"])
    assert seal.seal(vector["topic"], body) == wire
    assert seal.open(vector["topic"], wire) == body
    assert generation_of(wire) == vector["generation"]


@given(topics, bodies)
def test_what_is_sealed_is_opened_again(topic, body):
    message = SEAL.seal(topic, body)
    assert len(message) == len(body) + SEAL_BYTES
    assert SEAL.open(topic, message) == body


@given(bodies, st.integers(min_value=0), st.integers(1, 255))
def test_no_changed_byte_is_accepted(body, where, flip):
    message = bytearray(SEAL.seal(TOPIC, body))
    message[where % len(message)] ^= flip
    assert refusal(SEAL, TOPIC, bytes(message)) in {"mac", "kid", "seal"}


@given(topics, topics, bodies)
def test_a_message_of_one_topic_is_none_of_another(said, heard, body):
    assume(said != heard)
    assert refusal(SEAL, heard, SEAL.seal(said, body)) == "mac"


def test_a_byte_does_not_move_between_topic_and_body():
    message = SEAL.seal("ab", b"c")
    moved = message[:SEAL_BYTES] + b"bc"
    assert refusal(SEAL, "a", moved) == "mac"


@given(st.binary(max_size=SEAL_BYTES + 8))
def test_what_is_no_sealed_message_is_refused_with_a_code(junk):
    assume(junk[:6] != SEAL.seal(TOPIC, b"")[:6])
    assert refusal(SEAL, TOPIC, junk) in {"kid", "seal"}


def test_a_sealed_message_that_was_cut_is_refused():
    for size in range(6, SEAL_BYTES):
        assert refusal(SEAL, TOPIC, SEAL.seal(TOPIC, b"")[:size]) == "mac"


def test_another_node_or_generation_has_another_key():
    keys = {
        report_key(INGEST_KEY, node, generation)
        for node in ("lab.n1", "lab.n2", "lab.n1x")
        for generation in (1, 2, GENERATION_MAX)
    }
    assert len(keys) == 9
    other = Seal(report_key(INGEST_KEY, "lab.n2", 7), 7)
    assert refusal(other, TOPIC, SEAL.seal(TOPIC, b"")) == "mac"


@pytest.mark.parametrize(
    ("key", "generation", "field"),
    [(b"short", 1, "ingest key"), (bytes(32), 0, "generation"), (bytes(32), 2**32, "generation")],
)
def test_a_key_or_generation_out_of_bounds_is_refused(key, generation, field):
    with pytest.raises(ProtocolError) as refused:
        report_key(key, "lab.n1", generation)
    assert refused.value.field == field


def test_a_report_key_of_another_length_is_refused():
    with pytest.raises(ProtocolError):
        Seal(b"short", 1)


def test_a_bare_message_is_not_taken_for_a_sealed_one():
    gone = Gone(v=1, node="lab.n1", boot_id=bytes(16), incarnation=1, path="wan1", sent_ms=0)
    assert not is_sealed(encode(gone))
    assert not is_sealed(b"")
    assert is_sealed(SEAL.seal(TOPIC, encode(gone)))


def test_a_client_id_is_of_one_path_of_one_start_and_fits_every_broker():
    ids = {
        SEAL.client_id(boot * 16, incarnation, path)
        for boot in (b"a", b"b")
        for incarnation in (1, 2)
        for path in ("wan1", "wan2")
    }
    ids.add(Seal(report_key(INGEST_KEY, "lab.n2", 7), 7).client_id(b"a" * 16, 1, "wan1"))
    assert len(ids) == 9
    assert all(len(each) == 22 and each.isalnum() for each in ids)


def test_the_bytes_as_sent_are_sealed_not_what_they_mean():
    short, long = b"\x81\xa1v\x01", b"\x81\xa1v\xcc\x01"  # the same document, written otherwise
    message = SEAL.seal(TOPIC, short)
    assert refusal(SEAL, TOPIC, message[:SEAL_BYTES] + long) == "mac"
