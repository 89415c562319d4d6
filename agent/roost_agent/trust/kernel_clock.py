"""Whether a time service keeps this machine's clock, by the kernel's word: adjtimex(2).

For children alone, as ctypes is heavy. A clock that nobody keeps may be of any day, and then what
has ended passes for what has not.
"""

import ctypes
import sys
from typing import Final

TIMEX_BYTES: Final = 512  # more than struct timex has on any machine
UNSYNCHRONISED: Final = 5  # TIME_ERROR


def is_kept() -> bool:
    """Say whether a time service has set the clock of late; no where the kernel does not tell."""
    ask = getattr(ctypes.CDLL(None), "adjtimex", None)
    if ask is None:
        return False
    state: int = ask(ctypes.create_string_buffer(TIMEX_BYTES))  # modes 0: it changes nothing
    return 0 <= state < UNSYNCHRONISED


if __name__ == "__main__":
    sys.exit(0 if is_kept() else 1)
