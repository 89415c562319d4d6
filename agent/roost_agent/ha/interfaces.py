"""This machine's interfaces and their addresses, as netdevice(7) and proc(5) have them.

psutil knows the same, and would keep 0.6 MiB of every agent for it.
"""

import array
import fcntl
import socket
import struct
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

ADDRESSES_MAX: Final = 1_024  # IPv4, that are looked at
IFREQ_BYTES: Final = 40  # struct ifreq on 64 bits: a name of 16 bytes, then family, port, address
NAME_BYTES: Final = 16
SIOCGIFCONF: Final = 0x8912
SIOCGIFFLAGS: Final = 0x8913
IFF_RUNNING: Final = 0x40  # up, and the carrier is there


def interfaces() -> dict[str, str]:
    """Return the interface of each address of this machine.

    Raises:
        OSError: the kernel does not say.
    """
    return dict((*_six(), *_four()))


def has_carrier(addresses: Collection[str]) -> bool:
    """Return whether an interface that has one of the addresses is up and has a carrier."""
    with suppress(OSError):
        here = interfaces()
        return any(_is_running(here[each]) for each in addresses if each in here)
    return False


def _four() -> Iterator[tuple[str, str]]:
    room = array.array("B", bytes(ADDRESSES_MAX * IFREQ_BYTES))
    place, size = room.buffer_info()
    asked = struct.pack("iP", size, place)  # struct ifconf
    filled, _ = struct.unpack("iP", _ioctl(SIOCGIFCONF, asked))
    for at in range(0, filled, IFREQ_BYTES):
        found = room[at : at + IFREQ_BYTES].tobytes()
        label = found[:NAME_BYTES].partition(b"\0")[0].decode()  # of a second address: eth0:1
        yield socket.inet_ntoa(found[NAME_BYTES + 4 : NAME_BYTES + 8]), label.partition(":")[0]


def _six() -> Iterator[tuple[str, str]]:
    with suppress(FileNotFoundError):  # a kernel without IPv6
        for line in Path("/proc/net/if_inet6").read_text().splitlines():
            address, *_, name = line.split()
            yield socket.inet_ntop(socket.AF_INET6, bytes.fromhex(address)), name


def _is_running(interface: str) -> bool:
    asked = struct.pack(f"{IFREQ_BYTES}s", interface.encode())
    (flags,) = struct.unpack_from("H", _ioctl(SIOCGIFFLAGS, asked), NAME_BYTES)
    return bool(flags & IFF_RUNNING)


def _ioctl(request: int, asked: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        return fcntl.ioctl(sock, request, asked)
