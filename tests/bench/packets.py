"""MQTT 3.1.1 packets as bytes, for what in the bench has to be faster than a client library."""

import struct
from collections.abc import Iterator

SUBACK = 9
PUBLISH = 3
DISCONNECT = b"\xe0\x00"


def packet(first: int, body: bytes) -> bytes:
    """Return a packet by its first byte and what follows the length."""
    size, length = len(body), bytearray()
    while True:
        size, rest = divmod(size, 128)
        length.append(rest | (0x80 if size else 0))
        if not size:
            return bytes((first, *length)) + body


def connect(client: str) -> bytes:
    """Return a CONNECT with a clean session and no keepalive."""
    return packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x00" + _text(client))


def subscribe(topic: str, *, qos: int = 0) -> bytes:
    """Return a SUBSCRIBE."""
    return packet(0x82, b"\x00\x01" + _text(topic) + bytes([qos]))


def publish(topic: str, payload: bytes, *, number: int | None = None) -> bytes:
    """Return a PUBLISH: of QoS 1 where it has a number."""
    if number is None:
        return packet(0x30, _text(topic) + payload)
    return packet(0x32, _text(topic) + struct.pack(">H", number) + payload)


def puback(number: bytes) -> bytes:
    """Return the acknowledgement of a PUBLISH by the two bytes of its number."""
    return b"\x40\x02" + number


def split(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the whole packets in ``data``: first byte, start and end of the body.

    The last end is where the rest begins.
    """
    at, size = 0, len(data)
    while at + 2 <= size:
        length, shift, start = 0, 0, at + 1
        while start < size:
            byte = data[start]
            length |= (byte & 0x7F) << shift
            shift += 7
            start += 1
            if byte < 0x80:
                break
        else:
            return
        if start + length > size:
            return
        yield data[at], start, start + length
        at = start + length


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()
