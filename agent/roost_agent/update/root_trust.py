"""What root keeps of trust (trust/kept.py), as far as updates go by it: its word on the clock."""

from pathlib import Path
from typing import Final

import msgspec

NAME: Final = "state.json"  # which everybody may read
STATE_BYTES_MAX: Final = 1 << 20


class RootTrust(msgspec.Struct, frozen=True):
    """Moments, UTC; 0: there is none.

    Attributes:
        clock_floor_ms: of the newest that was signed for this node: its clock is never before.
        clock_ok_ms: when root vouched for the clock.
    """

    clock_floor_ms: int = 0
    clock_ok_ms: int = 0


def read(folder: Path) -> RootTrust:
    """Return it; blocking.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    with (folder / NAME).open("rb") as stream:
        return msgspec.json.decode(stream.read(STATE_BYTES_MAX), type=RootTrust)
