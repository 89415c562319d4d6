"""Whether this node's clock may open a window: who keeps it, and what it is never before.

The centre's word counts first. Without one a time service of the site does, by the kernel's word,
so that a site without its WAN goes on by its own time. A clock that neither has kept for a day may
be of any hour, and one before what was signed for this node is wrong for sure.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from roost_agent.child import run as run_child
from roost_agent.known_time import LASTING_MS, KnownTime
from roost_agent.update import root_trust

log = logging.getLogger(__name__)

OFF_S_MAX: Final = 60.0  # off the centre's, and no window is believed to be open
LOOK_MS: Final = 600_000  # between two looks at the kernel's clock, which take a child
ASK_S: Final = 30.0


class NodeClock:
    """One node's.

    Args:
        known: what time it is, and how far this clock is off the centre's.
        trust: root's folder of what it trusts, with the clock's floor.
        is_kept: asks whether a time service keeps this machine's clock now.
    """

    def __init__(
        self, known: KnownTime, trust: Path, is_kept: Callable[[], Awaitable[bool]] | None = None
    ) -> None:
        self._known = known
        self._trust = trust
        self._is_kept = by_kernel if is_kept is None else is_kept
        self._kept_ms: int | None = None  # boot clock: when one was seen to keep it last
        self._looked_ms: int | None = None
        self._floor_ms = 0

    async def look(self) -> None:
        """Ask again, where it is time to; the kernel only where the centre has told nothing."""
        now_ms = self._known.boot_ms()
        if self._looked_ms is not None and now_ms - self._looked_ms < LOOK_MS:
            return
        self._looked_ms = now_ms
        self._floor_ms = max(self._floor_ms, await asyncio.to_thread(floor_ms, self._trust))
        if self._known.offset_s() is None and await self._is_kept():
            self._kept_ms = now_ms

    def distrust(self) -> str:
        """Return why this clock opens no window; empty: it may."""
        if self._known.wall_ms() < self._floor_ms:
            return "it is before what was signed for this node"
        off_s = self._known.offset_s()
        if off_s is not None:
            is_near = abs(off_s) <= OFF_S_MAX
            return "" if is_near else f"it is {abs(off_s):.0f} s off the centre's"
        kept_ms = self._kept_ms
        if kept_ms is not None and self._known.boot_ms() - kept_ms <= LASTING_MS:
            return ""
        return "for a day neither the centre nor a time service has set it"


def floor_ms(trust: Path) -> int:
    """Return before which moment this clock never is, UTC; 0: nothing is known. Blocking."""
    try:
        return root_trust.read(trust).clock_floor_ms
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as err:
        log.warning("update: the clock's floor cannot be read: %s", err)
        return 0


async def by_kernel() -> bool:
    """Say whether a time service keeps this clock, by a child that asks the kernel."""
    words = [sys.executable, "-m", "roost_agent.trust.kernel_clock"]
    try:
        return (await run_child(words, seconds=ASK_S, bytes_max=64)).status == 0
    except (OSError, TimeoutError) as err:
        log.warning("update: the kernel's clock cannot be asked: %s", str(err) or "no end of it")
        return False
