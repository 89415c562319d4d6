"""Waits that end: every test that looks at a process uses these."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
STEP_S = 0.02
PATIENCE_S = 60.0  # longer than any retry of the product, on a machine that does other things too


def wait_until(
    look: Callable[[], T], what: str, *, seconds: float = PATIENCE_S, step_s: float = STEP_S
) -> T:
    """Return the first truthy value of ``look``; fail with ``what`` when there is none in time."""
    ends = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < ends, f"not within {seconds} s: {what}"
        time.sleep(step_s)
    return found


async def until(look: Callable[[], T], what: str, *, seconds: float = PATIENCE_S) -> T:
    """See wait_until, on a running loop: ``look`` may block, it runs in a thread."""
    ends = time.monotonic() + seconds
    while not (found := await asyncio.to_thread(look)):
        assert time.monotonic() < ends, f"not within {seconds} s: {what}"
        await asyncio.sleep(STEP_S)
    return found
