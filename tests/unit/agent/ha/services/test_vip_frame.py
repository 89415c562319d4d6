import ipaddress

import pytest

from roost_agent.ha.services.vip_frame import claim, owner, question

MAC = bytes.fromhex("020000000001")
FOUR = ipaddress.ip_address("10.0.0.9")
SIX = ipaddress.ip_address("fd00::9")


def test_an_arp_question_claims_nothing():
    frame = question(FOUR, MAC)
    assert frame == bytes.fromhex(
        "ffffffffffff 020000000001 0806"
        "0001 0800 06 04 0001 020000000001 00000000 000000000000 0a000009"
    )
    assert owner(frame, FOUR) is None


def test_an_arp_claim_names_address_and_owner():
    frame = claim(FOUR, MAC)
    assert frame == bytes.fromhex(
        "ffffffffffff 020000000001 0806"
        "0001 0800 06 04 0001 020000000001 0a000009 000000000000 0a000009"
    )
    assert owner(frame, FOUR) == MAC
    assert owner(frame, ipaddress.ip_address("10.0.0.8")) is None


def test_a_solicitation_goes_to_its_group_from_nobody():
    frame = question(SIX, MAC)
    assert frame[:14] == bytes.fromhex("3333ff000009 020000000001 86dd")
    assert frame[22:38] == bytes(16)
    assert frame[38:54] == ipaddress.ip_address("ff02::1:ff00:9").packed
    assert frame[21] == 255  # hop limit, or it is dropped
    assert (frame[54], frame[62:78]) == (135, SIX.packed)
    assert owner(frame, SIX) is None


def test_an_advertisement_overrides():
    frame = claim(SIX, MAC)
    assert frame[:6] == bytes.fromhex("333300000001")
    assert (frame[54], frame[58]) == (136, 0x20)
    assert frame[-8:] == b"\x02\x01" + MAC
    assert owner(frame, SIX) == MAC
    assert owner(frame, ipaddress.ip_address("fd00::8")) is None


def test_the_checksum_is_right():
    for frame in (question(SIX, MAC), claim(SIX, MAC)):
        body = frame[54:]
        pseudo = frame[22:54] + len(body).to_bytes(4, "big") + (58).to_bytes(4, "big")
        raw = pseudo + body
        total = sum(int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        assert total == 0xFFFF


@pytest.mark.parametrize("address", [FOUR, SIX])
@pytest.mark.parametrize("length", [0, 13, 14, 30, 41])
def test_a_short_or_foreign_frame_says_nothing(address, length):
    assert owner(claim(address, MAC)[:length], address) is None
    assert owner(claim(SIX if address == FOUR else FOUR, MAC), address) is None
