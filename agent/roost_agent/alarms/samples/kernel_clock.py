"""Prints the kernel's clock status and maximum error in microseconds: adjtimex(2), reading only.

A program of its own, run as a file: ctypes would stay in the resident agent's memory.
"""

import ctypes
import sys


def main() -> int:
    """Print ``STATUS MAXERROR`` or fail."""
    timex = (ctypes.c_long * 64)()  # struct timex is 208 bytes on 64 bits: modes 0 only reads
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.adjtimex(timex) < 0:
        return 1
    # modes, offset, freq, maxerror, esterror, status: longs, but for modes and status.
    status = timex[5] & 0xFFFF
    sys.stdout.write(f"{status} {timex[3]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
