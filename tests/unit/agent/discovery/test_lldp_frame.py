"""Frames of LLDP: split, and what a neighbour must say of itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lldp_sender import frame, lldpdu, switch, tlv

from roost_agent.discovery.lldp_fields import fields
from roost_agent.discovery.lldp_frame import TLVS_MAX, Tlv, neighbour, split


def test_a_neighbour_is_its_chassis_and_its_port():
    found = neighbour(frame())
    assert (found.chassis_kind, found.chassis) == ("mac", "02:00:00:00:00:01")
    assert (found.port_kind, found.port) == ("ifname", "Gi1/0/1")
    assert found.ttl_s == 120


@pytest.mark.parametrize(
    ("chassis", "kind", "text"),
    [
        (b"\1shelf 3", "component", "shelf 3"),
        (b"\5\1" + bytes([192, 0, 2, 1]), "ip", "192.0.2.1"),
        (b"\5\2" + bytes(15) + b"\1", "ip", "::1"),
        (b"\5\1\1\2", "ip", "010102"),  # too short for its family: as it came
        (b"\4\1\2", "mac", "0102"),
        (b"\7edge", "local", "edge"),
        (b"\x09\1\2", "type9", "0102"),
    ],
)
def test_an_identity_is_read_as_its_subtype_says(chassis, kind, text):
    found = neighbour(frame(chassis=chassis))
    assert (found.chassis_kind, found.chassis) == (kind, text)


@pytest.mark.parametrize(
    "lldpdu_",
    [
        tlv(2, b"\5e0") + tlv(1, b"\7x") + tlv(3, b"\0\1") + tlv(0),
        tlv(1, b"\7x") + tlv(2, b"\5e0") + tlv(0),
        tlv(1, b"\7x") + tlv(2, b"\5e0") + tlv(3, b"\1") + tlv(0),
        tlv(1, b"\7") + tlv(2, b"\5e0") + tlv(3, b"\0\1") + tlv(0),
        lldpdu(tlv(3, b"\0\5")),
        b"",
    ],
    ids=["order", "no ttl", "short ttl", "empty chassis", "two ttls", "empty"],
)
def test_what_lacks_a_mandatory_element_is_no_neighbour(lldpdu_):
    assert neighbour(bytes(12) + b"\x88\xcc" + lldpdu_) is None


def test_another_ethertype_is_no_neighbour():
    assert neighbour(frame().replace(b"\x88\xcc", b"\x08\x00", 1)) is None


def test_an_element_that_is_longer_than_the_frame_ends_it():
    assert split(tlv(5, b"name") + b"\x0a\xff" + b"short") == [Tlv(5, b"name")]


def test_nothing_after_the_end_is_read():
    assert split(tlv(0) + tlv(5, b"late")) == []


def test_a_frame_of_empty_elements_ends():
    assert len(split(tlv(5) * (TLVS_MAX + 9))) == TLVS_MAX


def looked_at(raw):
    found = neighbour(raw)
    return None if found is None else fields(found.tlvs)


@given(st.binary(max_size=1_600))
def test_whatever_comes_is_read_or_left(raw):
    looked_at(raw)
    looked_at(bytes(12) + b"\x88\xcc" + raw)
    looked_at(frame(raw))


@given(st.integers(0, 1_600), st.integers(0, 1_600), st.binary(max_size=40))
def test_a_frame_that_was_damaged_anywhere_is_read_or_left(cut, at, patch):
    whole = switch()
    looked_at(whole[: cut % len(whole)])
    looked_at(whole[: at % len(whole)] + patch + whole[at % len(whole) + len(patch) :])
