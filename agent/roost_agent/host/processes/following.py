"""Follows processes by pidfd: the kernel says at once that one has ended, whoever is its parent.

A pidfd means one process, not a number, and works on those of any user. Where the kernel gives
none, the looks of every two seconds tell by when the process began.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Final

from roost_agent.host.processes.finder import Finder, Found

log = logging.getLogger(__name__)

NO_FD: Final = -1


class Following:
    """The processes that are followed, one a name.

    Args:
        finder: knows when a process began.
        died: called with the name and the number, on the loop.
    """

    def __init__(self, finder: Finder, died: Callable[[str, int], None]) -> None:
        self.fault = ""
        self._finder = finder
        self._died = died
        self._followed: dict[str, tuple[Found, int]] = {}

    def follow(self, name: str, found: Found) -> bool:
        """Follow this process from now on; False: it is not there any more."""
        before = self._followed.get(name)
        if before is not None and (before[0].pid, before[0].began) == (found.pid, found.began):
            self._followed[name] = (found, before[1])  # its pid file may have been written again
            return True
        try:
            fd = os.pidfd_open(found.pid)
        except ProcessLookupError:
            return False
        except OSError as err:
            self._note_fault(err)
            fd = NO_FD
        if self._finder.began(found.pid) != found.began:
            _close(fd)
            return False  # the number is another's already
        self.leave(name)
        self._followed[name] = (found, fd)
        if fd != NO_FD:
            asyncio.get_running_loop().add_reader(fd, self._ended, name)
        return True

    def audit(self, name: str) -> None:
        """Note the death of one that the kernel does not tell us of."""
        found, fd = self._followed.get(name, (None, NO_FD))
        if found is not None and fd == NO_FD and self._finder.began(found.pid) != found.began:
            self._ended(name)

    def leave(self, name: str) -> None:
        """Follow it no more."""
        found, fd = self._followed.pop(name, (None, NO_FD))
        if found is not None and fd != NO_FD:
            asyncio.get_running_loop().remove_reader(fd)
            _close(fd)

    def leave_all(self) -> None:
        """Follow nobody."""
        for name in list(self._followed):
            self.leave(name)

    def _ended(self, name: str) -> None:
        found = self._followed[name][0]
        self.leave(name)
        self._finder.gone(name, found)
        self._died(name, found.pid)

    def _note_fault(self, err: OSError) -> None:
        fault = f"no pidfd, deaths are seen every 2 s: {err.strerror}"
        if fault != self.fault:
            self.fault = fault
            log.warning("processes: %s", fault)


def _close(fd: int) -> None:
    if fd != NO_FD:
        os.close(fd)
