"""Frames that ask who has an address and tell who has it now: ARP, and IPv6 neighbour discovery.

RFC 5227 (ARP probe and announcement), RFC 4861 and 4862 (neighbour solicitation from the
unspecified address, unsolicited advertisement with the override flag). Ethernet only.
"""

import ipaddress
import struct
from typing import Final

ARP: Final = 0x0806
IPV6: Final = 0x86DD
BROADCAST: Final = b"\xff" * 6
NOBODY: Final = b"\x00" * 6
ALL_NODES: Final = ipaddress.IPv6Address("ff02::1").packed
UNSPECIFIED: Final = b"\x00" * 16
SOLICITATION: Final = 135
ADVERTISEMENT: Final = 136
ICMPV6: Final = 58
OVERRIDE: Final = 0x2000_0000
OWN_LINK: Final = b"\x02\x01"  # option: target link-layer address, 8 octets

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_ETHERNET: Final = struct.Struct("!6s6sH")
_ARP: Final = struct.Struct("!HHBBH6s4s6s4s")
_IPV6: Final = struct.Struct("!IHBB16s16s")


def question(address: Address, mac: bytes) -> bytes:
    """Return the frame that asks who has an address, without claiming it."""
    if isinstance(address, ipaddress.IPv4Address):
        body = _ARP.pack(1, 0x0800, 6, 4, 1, mac, b"\x00" * 4, NOBODY, address.packed)
        return _ETHERNET.pack(BROADCAST, mac, ARP) + body
    group = b"\xff\x02" + b"\x00" * 9 + b"\x01\xff" + address.packed[-3:]
    body = struct.pack("!I16s", 0, address.packed)
    to = b"\x33\x33" + group[-4:]
    return _ETHERNET.pack(to, mac, IPV6) + _icmpv6(SOLICITATION, body, UNSPECIFIED, group)


def claim(address: Address, mac: bytes) -> bytes:
    """Return the frame that tells everybody to send the address's packets here."""
    if isinstance(address, ipaddress.IPv4Address):
        body = _ARP.pack(1, 0x0800, 6, 4, 1, mac, address.packed, NOBODY, address.packed)
        return _ETHERNET.pack(BROADCAST, mac, ARP) + body
    body = struct.pack("!I16s", OVERRIDE, address.packed) + OWN_LINK + mac
    to = b"\x33\x33" + ALL_NODES[-4:]
    return _ETHERNET.pack(to, mac, IPV6) + _icmpv6(ADVERTISEMENT, body, address.packed, ALL_NODES)


def owner(frame: bytes, address: Address) -> bytes | None:
    """Return the MAC that a frame says has the address; None where it says nothing of it."""
    if len(frame) < _ETHERNET.size:
        return None
    _, source, kind = _ETHERNET.unpack_from(frame)
    body = frame[_ETHERNET.size :]
    if isinstance(address, ipaddress.IPv4Address):
        if kind != ARP or len(body) < _ARP.size:
            return None
        _, _, _, _, _, mac, sender, _, _ = _ARP.unpack_from(body)
        return bytes(mac) if sender == address.packed else None
    if kind != IPV6 or len(body) < _IPV6.size + 24 or body[6] != ICMPV6:
        return None
    icmp = body[_IPV6.size :]
    return source if icmp[0] == ADVERTISEMENT and icmp[8:24] == address.packed else None


def _icmpv6(kind: int, body: bytes, source: bytes, to: bytes) -> bytes:
    pseudo = source + to + struct.pack("!II", len(body) + 4, ICMPV6)
    check = _checksum(pseudo + struct.pack("!BBH", kind, 0, 0) + body)
    header = _IPV6.pack(0x6000_0000, len(body) + 4, ICMPV6, 255, source, to)
    return header + struct.pack("!BBH", kind, 0, check) + body


def _checksum(raw: bytes) -> int:
    """Return the internet checksum (RFC 1071) of an even number of octets."""
    total: int = sum(struct.unpack(f"!{len(raw) // 2}H", raw))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
