"""A decoder raises nothing but its own error, within bounded time and memory."""

import contextlib
import resource
import time
import zlib

import msgpack
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost_protocol.alarm import Alarm, Event
from roost_protocol.beat import Beat
from roost_protocol.codec import Decoder, encode, pack, unpack
from roost_protocol.envelope import Gap, Gone, Receipt, Report
from roost_protocol.errors import ProtocolError
from roost_protocol.inventory import InventoryDocument
from roost_protocol.limits import BODY_BYTES_MAX, MESSAGE_BYTES_MAX

KINDS = [Beat, Report, Gone, Receipt, Gap, InventoryDocument, Alarm, Event]
SECONDS_MAX = 0.05 * 10  # ten times the promise: this machine may be shared with other tests
MIB = 1 << 20

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=20,
)
payloads = st.binary(max_size=300) | documents.map(msgpack.packb)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@given(payload=payloads)
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_a_message_or_the_typed_error(kind, payload):
    with contextlib.suppress(ProtocolError):
        Decoder(kind).decode(payload)


HOSTILE = {
    "containers in containers": b"\x91" * MESSAGE_BYTES_MAX,
    "maps in maps": b"\x81\xa0" * (MESSAGE_BYTES_MAX // 2),
    "an array of all small numbers": b"\xdd\x00\x03\xff\xf0" + b"\x01" * (MESSAGE_BYTES_MAX - 16),
    "empty arrays": b"\xdd\x00\x03\xff\xf0" + b"\x90" * (MESSAGE_BYTES_MAX - 16),
    "array headers that lie": b"\xdc\xff\xff" * (MESSAGE_BYTES_MAX // 3),
    "one string": b"\xdb\x00\x03\xff\xf0" + b"a" * (MESSAGE_BYTES_MAX - 16),
}


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_message_costs_bounded_time_and_memory(kind, name):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    with pytest.raises(ProtocolError):
        Decoder(kind).decode(HOSTILE[name])
    assert time.perf_counter() - began < SECONDS_MAX
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 16 * MIB


def test_a_message_past_its_size_is_refused_with_the_bound():
    with pytest.raises(ProtocolError) as refused:
        Decoder(Beat).decode(bytes(MESSAGE_BYTES_MAX + 1))
    assert (refused.value.code, refused.value.bound) == ("oversize", MESSAGE_BYTES_MAX)


class Old(msgspec.Struct, omit_defaults=True):
    v: int
    kept: int


class New(msgspec.Struct, omit_defaults=True):
    v: int
    kept: int
    added: int = 7


def test_version_n_reads_what_version_n_minus_1_wrote():
    assert Decoder[New](New, version=2).decode(encode(Old(v=1, kept=3))) == New(1, 3, 7)


@pytest.mark.parametrize("version", [0, 1, 4])
def test_any_other_version_is_refused_with_the_bound(version):
    with pytest.raises(ProtocolError) as refused:
        Decoder(New, version=3).decode(encode(New(v=version, kept=3)))
    assert (refused.value.code, refused.value.bound) == ("version", "2..3")


@given(document=documents)
@settings(deadline=None)
def test_a_packed_document_comes_back(document):
    body, compressed = pack(document)
    assert unpack(body, compressed=compressed) == encode(document)


def test_a_zip_bomb_is_refused_at_the_bound():
    bomb = zlib.compress(bytes(200 * MIB), 9)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ProtocolError) as refused:
        unpack(bomb, compressed=True)
    assert (refused.value.code, refused.value.bound) == ("oversize", BODY_BYTES_MAX)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 16 * MIB


@pytest.mark.parametrize(
    "body", [b"", b"junk", zlib.compress(b"x")[:-2], zlib.compress(b"x") + b"y"]
)
def test_a_broken_stream_is_refused(body):
    with pytest.raises(ProtocolError) as refused:
        unpack(body, compressed=True)
    assert refused.value.code == "malformed"
