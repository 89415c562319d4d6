"""Keeps the guard running where others wait: memory that stays, a real-time place in the queue."""

from __future__ import annotations

import ctypes
import gc
import os

from roost_agent.guard.record import Final

PRIORITY: Final = 10  # of SCHED_FIFO: above every ordinary program, below the kernel's own
LOCK_ALL_ON_FAULT: Final = 1 | 2 | 4  # MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT: no page it never uses


def lock() -> str:
    """Keep all memory that is used resident; return why not, if so."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(LOCK_ALL_ON_FAULT) != 0:
        return f"memory not locked: {os.strerror(ctypes.get_errno())}"
    return ""


def prefer() -> str:
    """Be scheduled before every ordinary program; return why not, if so."""
    if os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO:
        return ""  # its unit did
    try:
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(PRIORITY))
    except OSError as err:
        return f"not scheduled in real time: {err.strerror}"
    return ""


def settle() -> None:
    """Never stop to collect garbage, as the loop makes no cycles; give back what the start took."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # the GNU C library has it
    if trim is not None:
        trim(0)
    gc.freeze()
    gc.disable()
