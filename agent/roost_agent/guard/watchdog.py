"""The watchdog device: resets the node unless it is fed.

``Device`` is the seam: the kernel's interface is Hardware, and the program takes whatever opens
like it.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable

from roost_agent.guard.record import Final, Protocol

SET_TIMEOUT: Final = 0xC0045706  # WDIOC_SETTIMEOUT of linux/watchdog.h
GET_TIMEOUT: Final = 0x80045707  # WDIOC_GETTIMEOUT
GET_SUPPORT: Final = 0x80285700  # WDIOC_GETSUPPORT: struct watchdog_info
FEED_MS_MAX: Final = 1_000

_INT: Final = struct.Struct("i")
_INFO: Final = struct.Struct("II32s")  # options, version of the firmware, identity


class Device(Protocol):
    """An open watchdog: it runs from here on."""

    def set_timeout(self, seconds: int) -> int:
        """Set the time within which it bites; return what the device says it is."""

    def identity(self) -> str:
        """Return what the device calls itself."""

    def feed(self) -> None:
        """Put the bite off by its whole time."""

    def close(self, *, stop: bool) -> None:
        """Close it; with ``stop`` it no longer bites (magic close)."""


class Hardware:
    """The kernel's device.

    Args:
        path: such as /dev/watchdog.

    Raises:
        OSError: it is not there, or another program has it.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)

    def set_timeout(self, seconds: int) -> int:
        """See Device."""
        fcntl.ioctl(self._descriptor, SET_TIMEOUT, _INT.pack(seconds))
        raw = fcntl.ioctl(self._descriptor, GET_TIMEOUT, _INT.pack(0))
        return int(_INT.unpack(raw)[0])

    def identity(self) -> str:
        """See Device."""
        raw = fcntl.ioctl(self._descriptor, GET_SUPPORT, bytes(_INFO.size))
        return bytes(_INFO.unpack(raw)[2]).partition(b"\0")[0].decode(errors="replace")

    def feed(self) -> None:
        """See Device."""
        os.write(self._descriptor, b".")

    def close(self, *, stop: bool) -> None:
        """See Device."""
        if stop:
            os.write(self._descriptor, b"V")
        os.close(self._descriptor)


class Watchdog:
    """A device that passed its start test, or the reason why there is none.

    Attributes:
        timeout_ms: within which it bites, as read back; 0: there is none.
        why_not: a sentence where there is none.
        identity: what the device calls itself; empty where it does not say.
    """

    def __init__(self, path: str, seconds: int, opened: Callable[[str], Device] = Hardware) -> None:
        self.timeout_ms = 0
        self.why_not = ""
        self.identity = ""
        self._device: Device | None = None
        if not path:
            self.why_not = "no watchdog is configured"
            return
        try:
            self._device = opened(path)
            timeout_s = self._device.set_timeout(seconds)
            self._device.feed()
        except OSError as err:
            self._give_up(f"{path}: {err.strerror}")
            return
        if not 1 <= timeout_s <= seconds:  # it would bite later than the promise allows for
            self._give_up(f"{path}: set to {seconds} s, it says {timeout_s}")
            return
        self.timeout_ms = timeout_s * 1000
        try:
            self.identity = self._device.identity()
        except OSError:  # an old driver: it is known by its machine alone
            self.identity = ""

    @property
    def feed_ms(self) -> int | None:
        """Between two feeds; None where there is no device."""
        return min(FEED_MS_MAX, self.timeout_ms // 4) if self.timeout_ms else None

    def feed(self) -> str:
        """Feed it; return what went wrong, if anything."""
        if self._device is None:
            return ""
        try:
            self._device.feed()
        except OSError as err:
            return f"watchdog: not fed: {err.strerror}"
        return ""

    def close(self, *, stop: bool) -> None:
        """Close it; without ``stop`` it bites unless somebody else feeds it."""
        if self._device is not None:
            self._device.close(stop=stop)
            self._device = None

    def _give_up(self, why: str) -> None:
        self.why_not = why
        if self._device is not None:
            self._device.close(stop=True)
            self._device = None
