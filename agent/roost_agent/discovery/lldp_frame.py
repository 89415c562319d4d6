"""Splits a frame of LLDP into its elements and reads what every neighbour must tell of itself.

IEEE 802.1AB-2016, clause 8 (TLV formats) and 9.2.7.7 (what makes an LLDPDU void). Leaves the
optional elements to ``lldp_fields``.

Invariants: never raises and never reads past an element, whatever the bytes; an LLDPDU without its
three mandatory elements in their order is none.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

ETHERTYPE: Final = b"\x88\xcc"
TLVS_MAX: Final = 256  # of one frame of 1,500 bytes; a switch sends about 20
_HEADER_BYTES: Final = 14  # of Ethernet
_LENGTH_BITS: Final = 9
_LENGTH: Final = (1 << _LENGTH_BITS) - 1
_END, _CHASSIS, _PORT, _TTL = range(4)
_TTL_BYTES: Final = 2
_ID_BYTES: Final = range(2, 257)  # 8.5.2, 8.5.3: subtype, and 1 to 255 of the identity
_MAC_BYTES: Final = 6
_CHASSIS_KINDS: Final = {  # table 8-2
    1: "component", 2: "ifalias", 3: "port", 4: "mac", 5: "ip", 6: "ifname", 7: "local",
}  # fmt: skip
_PORT_KINDS: Final = {  # table 8-3
    1: "ifalias", 2: "component", 3: "mac", 4: "ip", 5: "ifname", 6: "circuit", 7: "local",
}  # fmt: skip
_FAMILY_BYTES: Final = {1: 4, 2: 16, 6: 6}  # IANA address family numbers: IPv4, IPv6, 802
_802: Final = 6


@dataclass(frozen=True, slots=True)
class Tlv:
    """One element: its type and what it holds."""

    kind: int
    value: bytes

    def number(self, offset: int, size: int) -> int | None:
        """Return the big-endian number of so many bytes at an offset, None past the end."""
        if offset + size > len(self.value):
            return None
        return int.from_bytes(self.value[offset : offset + size], "big")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What one LLDPDU says: who, through which port, for how long, and the optional elements."""

    chassis_kind: str
    chassis: str
    port_kind: str
    port: str
    ttl_s: int
    tlvs: tuple[Tlv, ...]


def neighbour(frame: bytes) -> Neighbour | None:
    """Return what an Ethernet frame of LLDP says, None where it is not a valid one."""
    if frame[12:_HEADER_BYTES] != ETHERTYPE:
        return None
    tlvs = split(frame[_HEADER_BYTES:])
    if [tlv.kind for tlv in tlvs[:3]] != [_CHASSIS, _PORT, _TTL]:
        return None
    chassis, port = (_identity(tlv, kinds) for tlv, kinds in zip(tlvs, _KINDS, strict=False))
    ttl_s = tlvs[2].number(0, _TTL_BYTES)
    if chassis is None or port is None or ttl_s is None:
        return None
    rest = tuple(tlvs[3:])
    if any(tlv.kind in {_CHASSIS, _PORT, _TTL} for tlv in rest):  # 9.2.7.7.1: each just once
        return None
    return Neighbour(*chassis, *port, ttl_s, rest)


def split(lldpdu: bytes) -> list[Tlv]:
    """Return the elements up to the end mark, the first that is cut short, or TLVS_MAX."""
    found: list[Tlv] = []
    at = 0
    while at + 2 <= len(lldpdu) and len(found) < TLVS_MAX:
        head = int.from_bytes(lldpdu[at : at + 2], "big")
        kind, size = head >> _LENGTH_BITS, head & _LENGTH
        at += 2
        if kind == _END or at + size > len(lldpdu):
            break
        found.append(Tlv(kind, lldpdu[at : at + size]))
        at += size
    return found


def mac(raw: bytes) -> str:
    """Return an address as the kernel writes it."""
    return raw.hex(":")


def address(raw: bytes) -> str | None:
    """Return a network address: its IANA family in a byte, then as many bytes as that has."""
    if len(raw) - 1 != _FAMILY_BYTES.get(raw[0] if raw else 0):
        return None
    return mac(raw[1:]) if raw[0] == _802 else str(ip_address(raw[1:]))


def text(raw: bytes) -> str:
    """Return what a neighbour wrote; bytes that are not UTF-8 become U+FFFD."""
    return raw.decode("utf-8", "replace").strip("\0 \t\r\n")


_KINDS: Final = (_CHASSIS_KINDS, _PORT_KINDS)


def _identity(tlv: Tlv, kinds: dict[int, str]) -> tuple[str, str] | None:
    """Return kind and text of a chassis or port; one that is not what its kind says is hex."""
    if len(tlv.value) not in _ID_BYTES:
        return None
    subtype, raw = tlv.value[0], tlv.value[1:]
    kind = kinds.get(subtype, f"type{subtype}")
    if kind == "mac":
        found = mac(raw) if len(raw) == _MAC_BYTES else None
    elif kind == "ip":
        found = address(raw)
    else:
        found = text(raw) if kind in kinds.values() else None
    return kind, found or raw.hex()
