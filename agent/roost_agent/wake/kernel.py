"""What the kernel says unasked: a link moved, a device came or went. Nothing else is read from it.

Two raw netlink sockets; both bind without privilege. A message of the first is not looked into;
of the second only its SUBSYSTEM. A full queue (ENOBUFS) is news as well: something moved.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from typing import Final

from roost_agent.wake.core import DeviceMoved, LinksMoved

log = logging.getLogger(__name__)

NETLINK_ROUTE: Final = 0
NETLINK_KOBJECT_UEVENT: Final = 15
# linux/rtnetlink.h: links, IPv4 addresses, IPv6 addresses
LINK_GROUPS: Final = 0x1 | 0x10 | 0x100
UEVENT_GROUPS: Final = 0x1  # the kernel's own, not udev's
QUEUE_BYTES: Final = 1 << 20
DATAGRAM_BYTES: Final = 8 * 1024  # a uevent's environment is 2 KiB at most
READS_MAX: Final = 64  # of one turn: a storm must not starve the beats

News = LinksMoved | DeviceMoved


class KernelNews:
    """Both sockets on the running loop."""

    def __init__(self, tell: Callable[[News], None]) -> None:
        self._tell = tell
        self._sockets: list[socket.socket] = []

    def open(self) -> None:
        """Begin to listen; where the kernel refuses, the probes at intervals remain."""
        for name, family, groups, on_datagram in (
            ("links", NETLINK_ROUTE, LINK_GROUPS, self._link),
            ("devices", NETLINK_KOBJECT_UEVENT, UEVENT_GROUPS, self._device),
        ):
            try:
                sock = _open(family, groups)
            except OSError as err:
                log.warning("wake: not told when %s change: %s", name, err)
                continue
            self._sockets.append(sock)
            asyncio.get_running_loop().add_reader(sock, self._read, sock, on_datagram)

    def close(self) -> None:
        """Stop listening."""
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()
        self._sockets.clear()

    def _read(self, sock: socket.socket, on_datagram: Callable[[bytes], None]) -> None:
        for _ in range(READS_MAX):
            try:
                datagram = sock.recv(DATAGRAM_BYTES)
            except BlockingIOError:
                return
            except OSError as err:
                if err.errno != errno.ENOBUFS:
                    log.warning("wake: %s", err)
                datagram = b""
            on_datagram(datagram)

    def _link(self, _datagram: bytes) -> None:
        self._tell(LinksMoved())

    def _device(self, datagram: bytes) -> None:
        self._tell(DeviceMoved(subsystem(datagram)))


def subsystem(uevent: bytes) -> str:
    """Return the SUBSYSTEM of a kernel uevent, empty when it has none."""
    for line in uevent.split(b"\0"):
        if line.startswith(b"SUBSYSTEM="):
            return line[10:].decode("ascii", "replace")
    return ""


def _open(family: int, groups: int) -> socket.socket:
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    sock = socket.socket(socket.AF_NETLINK, kind, family)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE_BYTES)
        sock.bind((0, groups))
    except OSError:
        sock.close()
        raise
    return sock
