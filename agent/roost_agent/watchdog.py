"""Tells systemd that the agent's loop did its work; where it does not, the unit is begun anew.

sd_notify(3): ``WATCHDOG=1`` to the socket that NOTIFY_SOCKET names. Nothing is told while something
that was due has not been done, or when the loop came late to its own turn: a process that merely
lives is no agent. The agent sets the time itself (``WATCHDOG_USEC``) and not its unit: before it
runs, the same process may wait for days until a human lets a box in (enrol/anew.py).
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from roost_agent.ports import Clock

log = logging.getLogger(__name__)

SILENCE_MS_MAX: Final = 30_000  # then systemd begins the unit anew
EVERY_MS: Final = 10_000  # two words may be lost
FED: Final = f"WATCHDOG_USEC={SILENCE_MS_MAX * 1000}\nWATCHDOG=1".encode()


class Watchdog:
    """The feed of one agent.

    Args:
        address: of systemd's socket.
        undone: says what was due and is not done, empty where nothing is.
        clock: for turns that come late.
        every_ms: from one word to the next.
    """

    def __init__(
        self, address: str, undone: Callable[[], str], clock: Clock, *, every_ms: int = EVERY_MS
    ) -> None:
        self._address = address.replace("@", "\0", 1) if address.startswith("@") else address
        self._every_ms = every_ms
        self._undone = undone
        self._clock = clock
        self._said = ""

    async def run(self) -> None:
        """Feed until cancelled."""
        with socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        ) as sock:
            late_ms = 0
            while True:
                self._feed(sock, late_ms)
                due_ms = self._clock.boot_ms() + self._every_ms
                await asyncio.sleep(self._every_ms / 1000)
                late_ms = self._clock.boot_ms() - due_ms

    def _feed(self, sock: socket.socket, late_ms: int) -> None:
        why = self._undone()
        if late_ms > self._every_ms:
            why = why or f"the loop came {late_ms / 1000:.1f} s late"
        if why != self._said:
            self._said = why
            if why:
                log.warning("watchdog: not fed: %s", why)
        if not why:
            with suppress(OSError):  # systemd is being replaced: the next word reaches it
                sock.sendto(FED, self._address)


def watchdog(
    undone: Callable[[], str], clock: Clock, env: Mapping[str, str] = os.environ
) -> Watchdog | None:
    """Return the feed of an agent whose unit listens; None for one that nobody started so."""
    address = env.get("NOTIFY_SOCKET", "")
    return Watchdog(address, undone, clock) if address.startswith(("/", "@")) else None
