"""Writes frames of LLDP as a switch does: the tests' own encoder (IEEE 802.1AB-2016, clause 8)."""

import base64
import struct

NEAREST_BRIDGE = "0180c200000e"
SENDER = "020000000001"


def tlv(kind, value=b""):
    """One element: seven bits of type, nine of length."""
    return struct.pack(">H", kind << 9 | len(value)) + value


def own(oui, subtype, value):
    """An element of an organisation."""
    return tlv(127, bytes.fromhex(oui) + bytes([subtype]) + value)


def lldpdu(*optional, chassis=b"\4\2\0\0\0\0\1", port=b"\5Gi1/0/1", ttl=120):
    """The three that must be, then these, then the end."""
    head = tlv(1, chassis) + tlv(2, port) + tlv(3, struct.pack(">H", ttl))
    return head + b"".join(optional) + tlv(0)


def frame(*optional, to=NEAREST_BRIDGE, sender=SENDER, **mandatory):
    """A whole Ethernet frame."""
    ethernet = bytes.fromhex(to) + bytes.fromhex(sender) + b"\x88\xcc"
    return ethernet + lldpdu(*optional, **mandatory)


def switch(name="sw1", **mandatory):
    """What a switch with all that is understood sends."""
    return frame(
        tlv(4, b"to the rack"),
        tlv(5, name.encode()),
        tlv(6, b"Acme OS 7"),
        tlv(7, struct.pack(">HH", 0b10100, 0b10100)),
        tlv(8, b"\5\1" + bytes([192, 0, 2, 9]) + b"\2" + struct.pack(">I", 7) + b"\0"),
        tlv(8, b"\x11\2" + bytes(15) + b"\1" + b"\2" + struct.pack(">I", 7) + b"\0"),
        own("0080c2", 1, struct.pack(">H", 10)),
        own("0080c2", 3, struct.pack(">HB", 10, 5) + b"voice"),
        own("0080c2", 3, struct.pack(">HB", 20, 0)),
        own("00120f", 4, struct.pack(">H", 9216)),
        own("0080c2", 7, b"\3" + bytes(4)),
        own("0012bb", 1, b"\0\x0f\4"),
        own("0012bb", 8, b"SN-1"),
        own("aabbcc", 1, b"not understood"),
        **mandatory,
    )


def heard(port, raw, heard_ms=0):
    """A frame as the file of the last window has it."""
    return {"port": port, "heard_ms": heard_ms, "frame": base64.b64encode(raw).decode()}
