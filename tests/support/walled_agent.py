"""roost-agent whose wall clock is off by the seconds that a file says, read at each look.

Time namespaces leave the wall clock alone, and setting it would set the whole machine's. What
Python reads is shifted, before anything of the agent is imported; the boot clock is untouched.
``walled_agent.py FILE ARGUMENT...``
"""

import sys
import time
from pathlib import Path

OFF = Path(sys.argv.pop(1))
MISSING = 0.0


def off_s() -> float:
    """Return by how much the wall clock is off now; a file that is just written counts as 0."""
    return float(OFF.read_text() or MISSING)


read_s, read_ns = time.time, time.time_ns
time.time = lambda: read_s() + off_s()
time.time_ns = lambda: read_ns() + round(off_s() * 1e9)

from roost_agent.__main__ import main  # noqa: E402 - after the clock was set

if __name__ == "__main__":
    sys.exit(main())
