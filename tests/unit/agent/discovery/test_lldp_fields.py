"""The optional elements of LLDP as fields."""

from lldp_sender import own, switch, tlv

from roost_agent.discovery.lldp_fields import VLANS_MAX, fields
from roost_agent.discovery.lldp_frame import neighbour, split
from roost_agent.discovery.section import ABSENT, Missing


def read(*elements):
    return fields(split(b"".join(elements)))


def test_a_switch_tells_all_of_this():
    assert fields(neighbour(switch()).tlvs) == {
        "port_description": "to the rack",
        "system_name": "sw1",
        "description": "Acme OS 7",
        "capabilities": ["bridge", "router"],
        "management_addresses": ["192.0.2.9", "::1"],
        "pvid": 10,
        "vlans": ["10 voice", "20"],
        "frame_bytes_max": 9216,
        "aggregated": True,
        "med_class": "network",
        "med_serial": "SN-1",
    }


def test_only_what_is_told_is_there():
    assert read() == {}
    assert read(tlv(5)) == {"system_name": Missing(ABSENT)}


def test_a_capability_that_is_off_is_none():
    assert read(tlv(7, b"\0\x14\0\x04")) == {"capabilities": ["bridge"]}
    assert read(tlv(7, b"\0\x14")) == {}


def test_a_pvid_of_zero_is_none():
    assert read(own("0080c2", 1, b"\0\0")) == {}


def test_an_address_that_is_not_what_its_family_says_is_left_out():
    assert read(tlv(8, b"\4\1\1\2\3"), tlv(8, b"\xff\1"), tlv(8)) == {}
    assert read(tlv(8, b"\7\6\2\0\0\0\0\1")) == {"management_addresses": ["02:00:00:00:00:01"]}


def test_control_characters_of_a_neighbour_reach_nobody():
    assert read(tlv(5, b"sw\x1b[2J1")) == {"system_name": "sw\ufffd[2J1"}


def test_vlans_are_bounded():
    many = [own("0080c2", 3, bytes([0, vlan, 0])) for vlan in range(1, 200)]
    assert len(read(*many)["vlans"]) == VLANS_MAX
