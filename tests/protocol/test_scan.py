"""The strict walk: what it lets through, what it stops at, and what that costs."""

import contextlib
import resource
import time

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost_protocol.errors import ProtocolError
from roost_protocol.limits import DEPTH_MAX, MESSAGE_BYTES_MAX, VALUES_MAX
from roost_protocol.scan import scan

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


@given(document=documents)
@settings(max_examples=200, deadline=None)
def test_the_scan_agrees_with_the_oracle_on_what_is_whole(document):
    wire = msgpack.packb(document)
    with contextlib.suppress(ProtocolError):  # not-finite numbers, which the oracle takes
        scan(wire)
    with pytest.raises(ProtocolError):
        scan(wire[:-1])


HOSTILE = {
    "containers in containers": b"\x91" * MESSAGE_BYTES_MAX,
    "maps in maps": b"\x81\xa0" * (MESSAGE_BYTES_MAX // 2),
    "an array of all small numbers": b"\xdd\x00\x03\xff\xf0" + b"\x01" * (MESSAGE_BYTES_MAX - 16),
    "empty arrays": b"\xdd\x00\x03\xff\xf0" + b"\x90" * (MESSAGE_BYTES_MAX - 16),
    "array headers that lie": b"\xdc\xff\xff" * (MESSAGE_BYTES_MAX // 3),
    "one string": b"\xdb\x00\x03\xff\xf0" + b"a" * (MESSAGE_BYTES_MAX - 16),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_costs_bounded_time_and_memory(name):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    with pytest.raises(ProtocolError):
        scan(HOSTILE[name])
    assert time.perf_counter() - began < SECONDS_MAX
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 16 * MIB


@pytest.mark.parametrize("header", [b"\x91", b"\x81\xa1a", b"\xdc\x00\x01", b"\xde\x00\x01\xa1a"])
def test_containers_may_be_as_deep_as_the_bound_and_no_deeper(header):
    scan(header * DEPTH_MAX + b"\x01")
    with pytest.raises(ProtocolError) as refused:
        scan(header * (DEPTH_MAX + 1) + b"\x01")
    assert (refused.value.code, refused.value.bound) == ("depth", DEPTH_MAX)


def test_the_scan_stops_at_its_count_of_values():
    wire = b"\x95" + 5 * (b"\xdc\x27\x10" + b"\x90" * 10_000)
    with pytest.raises(ProtocolError) as refused:
        scan(wire)
    assert (refused.value.code, refused.value.bound) == ("too-many", VALUES_MAX)
