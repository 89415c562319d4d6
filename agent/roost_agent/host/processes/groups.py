"""Hears when the cgroup of a unit becomes empty or is peopled again: the kernel says so at once.

``cgroup.events`` is not readable but urgent, so there is one epoll of its own beside asyncio's.
systemd removes the cgroup of what has ended: it is watched anew when the unit is found again.
"""

import asyncio
import os
import select
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

EVENTS_BYTES_MAX: Final = 256


class Groups:
    """Those of one node's units.

    Args:
        changed: called with the name of a process whose unit became empty or peopled.
    """

    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed
        self._epoll = select.epoll()
        self._watched: dict[str, tuple[Path, int]] = {}

    def begin(self) -> None:
        """Listen, on the running loop."""
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._heard)

    def watch(self, name: str, group: Path | None) -> None:
        """Listen to this group for a process; one that is not there is tried with the next look."""
        known = self._watched.get(name)
        if known is not None and known[0] == group:
            return
        self.leave(name)
        if group is None:
            return
        try:
            fd = os.open(group / "cgroup.events", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        self._epoll.register(fd, select.EPOLLPRI)
        _is_empty(fd)  # from here on it would say a change only
        self._watched[name] = (group, fd)

    def leave(self, name: str) -> None:
        """Listen no more for a process."""
        _, fd = self._watched.pop(name, (None, None))
        if fd is not None:
            with suppress(OSError):
                self._epoll.unregister(fd)
            os.close(fd)

    def close(self) -> None:
        """Listen to nothing."""
        for name in list(self._watched):
            self.leave(name)
        if not self._epoll.closed:
            asyncio.get_running_loop().remove_reader(self._epoll.fileno())
            self._epoll.close()

    def _heard(self) -> None:
        changed = {fd for fd, _ in self._epoll.poll(0)}
        for name, (_, fd) in list(self._watched.items()):
            if fd not in changed:
                continue
            if _is_empty(fd):
                self.leave(name)  # it may be removed, without another word
            self._changed(name)


def _is_empty(fd: int) -> bool:
    try:
        return b"populated 0" in os.pread(fd, EVENTS_BYTES_MAX, 0)
    except OSError:
        return True  # it was removed
