"""What a box said it is, as it is kept: JSON of protocol/hardware.py."""

import msgspec

from roost_protocol.hardware import Hardware


def hardware_of(text: str) -> Hardware:
    """Return what a box said it is."""
    return msgspec.json.decode(text, type=Hardware)
