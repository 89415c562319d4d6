"""Frames between the nodes of a site: who may read which, and what is refused."""

import hmac

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_protocol.errors import ProtocolError
from roost_protocol.ha import (
    Beat,
    Belief,
    Echo,
    Kind,
    LeaseFrame,
    LeaseState,
    Nonce,
    mac,
    open_frame,
    seal,
)
from roost_protocol.limits import HA_FRAME_BYTES_MAX

KEYS = {1: b"\x01" * 32, 2: b"\x02" * 32}
BOOT = b"b" * 16
HEADER = {
    "site": "lab", "node": 0, "boot": BOOT, "inc": 3, "path": 1, "seq": 77, "boot_ms": 123_456,
    "period_ms": 500, "lhm": 1, "cfgver": 0xCAFE,
    "echo": {1: Echo(4, 99, 12), 2: Echo(1, 5, 250)},
}  # fmt: skip
BEAT = Beat(
    **HEADER,
    defs=b"d" * 8,
    seen={1: 0b11, 2: 0b01},
    leases={"main": Belief(97, 1, 4_000, LeaseState.FOLLOWING)},
    score=1_000,
)
ACQUIRE = LeaseFrame(
    **HEADER, to=1, kind=Kind.ACQUIRE, name="main", epoch=96, nonce=Nonce(b"v" * 16, 3, 8),
    owner=0, owner_boot=BOOT,
)  # fmt: skip


def opened(payload, **changed):
    return open_frame(payload, **({"site": "lab", "me": 1, "keys": {0: KEYS[1]}} | changed))


def sealed(body, macs=None):
    """Return an envelope around any body, with a good mac for node 1 where none is given."""
    macs = {1: hmac.digest(KEYS[1], body, "sha256")[:16]} if macs is None else macs
    return msgpack.packb([body, macs])


def body_of(frame):
    return msgpack.unpackb(seal(frame, KEYS), strict_map_key=False)[0]


@pytest.mark.parametrize("frame", [BEAT, ACQUIRE])
def test_each_receiver_opens_what_was_sealed_for_it(frame):
    payload = seal(frame, KEYS)
    for me, key in KEYS.items():
        assert open_frame(payload, site="lab", me=me, keys={0: key}) == frame


def test_the_oracle_reads_an_array_whose_first_element_is_the_kind():
    assert msgpack.unpackb(body_of(BEAT), strict_map_key=False)[:4] == ["beat", 1, "lab", 0]
    assert msgpack.unpackb(body_of(ACQUIRE), strict_map_key=False)[0] == "lease"


def test_a_beat_of_a_site_of_five_is_half_a_kilobyte():
    echo = {node: Echo(1_000, 10**7, 250) for node in range(5)}
    beat = Beat(
        **HEADER | {"echo": echo, "boot_ms": 10**10},
        defs=b"d" * 8,
        seen=dict.fromkeys(range(5), 2**20),
        leases={"main": BEAT.leases["main"], "site": BEAT.leases["main"]},
        score=1_000,
    )
    assert len(seal(beat, dict.fromkeys(range(1, 5), KEYS[1]))) < 500


def test_what_a_sender_may_not_stand_for_is_named_by_the_order_of_its_leases():
    leases = dict.fromkeys(("web", "main", "db"), BEAT.leases["main"])
    beat = Beat(**HEADER, defs=b"d" * 8, seen={}, leases=leases, score=0, barred=0b110)
    assert opened(seal(beat, KEYS)).barred_leases() == {"main", "web"}
    assert BEAT.barred_leases() == frozenset()


def refusal(payload, **changed):
    with pytest.raises(ProtocolError) as refused:
        opened(payload, **changed)
    return refused.value.code, refused.value.field


def test_a_frame_with_another_key_is_refused():
    assert refusal(seal(BEAT, {1: KEYS[2]})) == ("mac", "macs[1]")


def test_a_frame_that_was_not_made_for_this_node_is_refused():
    assert refusal(seal(BEAT, {2: KEYS[2]})) == ("mac", "macs[1]")


def test_a_member_cannot_speak_as_another():
    forged = seal(BEAT, {1: KEYS[1]})
    assert refusal(forged, keys={0: KEYS[2], 2: KEYS[1]}) == ("mac", "macs[1]")


def test_a_changed_byte_is_refused():
    body = bytearray(body_of(ACQUIRE))
    good = hmac.digest(KEYS[1], bytes(body), "sha256")[:16]
    body[-1] ^= 1  # the epoch's neighbours are small integers: still a frame
    with pytest.raises(ProtocolError):
        opened(sealed(bytes(body), {1: good}))


def test_a_node_outside_the_site_is_refused():
    assert refusal(seal(BEAT, KEYS), keys={2: KEYS[1]}) == ("member", "body.node")


def test_a_frame_of_another_site_is_refused():
    assert refusal(seal(BEAT, KEYS), site="shop") == ("site", "body.site")


def test_a_frame_past_the_bound_is_neither_made_nor_read():
    many = {f"lease-{n:024}": BEAT.leases["main"] for n in range(16)}
    big = Beat(**HEADER, defs=b"d" * 8, seen={}, leases=many, score=0)
    keys = dict.fromkeys(range(1, 32), KEYS[1])
    with pytest.raises(ProtocolError, match=f"oversize, at frame.*bound {HA_FRAME_BYTES_MAX}"):
        seal(big, keys)
    assert refusal(b"\x92\xc5" + b"x" * HA_FRAME_BYTES_MAX)[0] == "oversize"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({1: 0}, "body[1]"),
        ({3: 32}, "body[3]"),
        ({4: b"short"}, "body[4]"),
        ({10: 9}, "body[10]"),
        ({12: {1: [1, 2]}}, "body[12]"),
        ({12: {40: [1, 2, 3]}}, "body[12]"),
        ({14: "please"}, "body[14]"),
        ({15: "no name"}, "body[15]"),
        ({16: -1}, "body[16]"),
    ],
)
def test_what_is_out_of_bounds_is_named(changes, field):
    values = msgpack.unpackb(body_of(ACQUIRE), strict_map_key=False)
    for place, value in changes.items():
        values[place] = value
    code, where = refusal(sealed(msgpack.packb(values)))
    assert code == "type"
    assert where.startswith(field)


def test_another_version_is_refused():
    values = msgpack.unpackb(body_of(BEAT), strict_map_key=False)
    values[1] = 2
    assert refusal(sealed(msgpack.packb(values))) == ("version", "body.v")


@pytest.mark.parametrize("payload", [b"", b"\xc0", msgpack.packb([b"", {}, 1]), b"\x92\xc4"])
def test_no_envelope_no_frame(payload):
    with pytest.raises(ProtocolError):
        opened(payload)


@given(st.binary(max_size=200))
def test_whatever_the_body_nothing_but_a_typed_error_is_raised(body):
    with pytest.raises(ProtocolError):
        opened(sealed(body))


def test_of_one_candidate_a_later_round_compares_greater():
    one = b"v" * 16
    assert Nonce(one, 3, 9) < Nonce(one, 3, 10) < Nonce(one, 4, 0)


def test_a_mac_is_half_of_the_digest():
    assert mac(KEYS[1], b"body") == hmac.digest(KEYS[1], b"body", "sha256")[:16]
