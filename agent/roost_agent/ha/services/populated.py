"""Hears when a cgroup becomes empty: the kernel says so through cgroup.events."""

import asyncio
import os
import select
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


class Populated:
    """All cgroups of this node that somebody waits for.

    One epoll of its own, as asyncio's waits for readable files and this one is only urgent.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, tuple[Path, Callable[[], None]]] = {}
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._look)

    def watch(self, group: Path, emptied: Callable[[], None]) -> None:
        """Call ``emptied`` once, soon, when nothing runs in a group and those below it.

        Raises:
            OSError: there is no such group.
        """
        self.forget(group)
        descriptor = os.open(group / "cgroup.events", os.O_RDONLY | os.O_CLOEXEC)
        self._watched[descriptor] = (group, emptied)
        self._epoll.register(descriptor, select.EPOLLPRI)
        if _is_empty(descriptor):  # from here on it would say a change only
            asyncio.get_running_loop().call_soon(self._check, descriptor)

    async def emptied(self, group: Path) -> None:
        """Return once nothing runs in a group and below it; one that is not there is empty."""
        ended = asyncio.Event()
        try:
            self.watch(group, ended.set)
        except FileNotFoundError:
            return
        try:
            await ended.wait()
        finally:
            self.forget(group)

    def forget(self, group: Path) -> None:
        """Wait no more for a group."""
        for descriptor, (watched, _) in list(self._watched.items()):
            if watched == group:
                self._close(descriptor)

    def close(self) -> None:
        """Wait for nothing more."""
        for descriptor in list(self._watched):
            self._close(descriptor)
        asyncio.get_running_loop().remove_reader(self._epoll.fileno())
        self._epoll.close()

    def _look(self) -> None:
        for descriptor, _ in self._epoll.poll(0):
            self._check(descriptor)

    def _check(self, descriptor: int) -> None:
        if descriptor in self._watched and _is_empty(descriptor):
            _, emptied = self._watched[descriptor]
            self._close(descriptor)
            emptied()

    def _close(self, descriptor: int) -> None:
        del self._watched[descriptor]
        with suppress(OSError):
            self._epoll.unregister(descriptor)
        os.close(descriptor)


def _is_empty(descriptor: int) -> bool:
    try:
        return b"populated 0" in os.pread(descriptor, 256, 0)
    except OSError:
        return True  # the group was removed, which only an empty one can be
