"""What of root's rights an installer keeps: root's one-shot has two more, for walls, of its own.

A right that left the bounding set comes back by no program that is started, whoever it runs as;
nor does one that was never held, with no_new_privs (capabilities(7)). Without SYS_ADMIN nobody
takes down a wall; without DAC_READ_SEARCH nobody opens by a handle what stands beside what was
opened (open_by_handle_at(2)).
"""

import ctypes
import errno
import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

CAPABILITIES: Final = {  # of linux/capability.h: those of roost-install@.service, less its two
    "CHOWN": 0, "DAC_OVERRIDE": 1, "DAC_READ_SEARCH": 2, "FOWNER": 3, "FSETID": 4, "KILL": 5,
    "SETGID": 6, "SETUID": 7, "SYS_CHROOT": 18, "SETFCAP": 31,
}  # fmt: skip
OWN: Final = frozenset(CAPABILITIES.values())  # of an installer that came with roost
PLUGIN: Final = OWN - {CAPABILITIES["DAC_READ_SEARCH"]}
PR_CAPBSET_DROP: Final = 24  # linux/prctl.h
PR_SET_NO_NEW_PRIVS: Final = 38
STATUS: Final = Path("/proc/self/status")

_libc: Final = ctypes.CDLL(None, use_errno=True)


def keep(kept: Collection[int]) -> None:
    """Give up all rights but these, for every program that is started from here on.

    Raises:
        OSError: one cannot be given up.
    """
    allowed = sum(1 << number for number in kept)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)  # what is not held now never comes
    more = held("CapPrm") & held("CapBnd") & ~allowed
    for number in range(more.bit_length()):
        if more >> number & 1:
            _prctl(PR_CAPBSET_DROP, number)
    left = held("CapPrm") & held("CapBnd") | held("CapInh") | held("CapAmb")
    if left & ~allowed:  # looked at, not believed
        raise PermissionError(errno.EPERM, f"rights {left & ~allowed:#x} are still there")


def held(name: str) -> int:
    """Return one of this process's sets of rights, a bit each."""
    for line in STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.partition(":")[2], 16)
    raise OSError(errno.ENODATA, f"no {name}", str(STATUS))


def _prctl(option: int, value: int) -> None:
    words = [ctypes.c_ulong(each) for each in (value, 0, 0, 0)]
    if _libc.prctl(option, *words):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"prctl {option} {value}")
