"""Listens on the ports of this machine, writes what was heard, and exits.

Runs as ``roost-facts@lldp.service``. An lldpd beside it is no hindrance: the kernel gives each
socket a copy of its own.

Invariants: only ports with a device behind them; nothing is ever sent.
"""

import fcntl
import os
import select
import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from typing import Final

from roost_agent.helper.facts import FOLDER, write
from roost_agent.helper.ports import boot_ms
from roost_agent.listener.window import Heard, Kept, decoded, encoded, keep

FILE: Final = "lldp.json"
FILE_BYTES_MAX: Final = 1 << 20  # 32 ports with 6 frames each take 400 KiB
LISTEN_MS: Final = 35_000  # a sender's interval is 30 s (IEEE 802.1AB-2016, 9.2.5.7)
ETHERTYPE: Final = 0x88CC
GROUPS: Final = ("0180c200000e", "0180c2000003", "0180c2000000")  # 802.1AB-2016, table 7-1
PORTS_MAX: Final = 32  # listened to at a time; a socket each
FRAME_BYTES_MAX: Final = 1_518  # an LLDPDU fits one frame (802.1AB-2016, 8.1)
PACKET_MR_MULTICAST: Final = 0  # linux/if_packet.h, with the next two
PACKET_ADD_MEMBERSHIP: Final = 1
SOL_PACKET: Final = 263
SIOCGIFINDEX: Final = 0x8933  # linux/sockios.h
_MEMBERSHIP: Final = struct.Struct("iHH8s")


def listen(*, folder: str = FOLDER, root: str = "/", listen_ms: int = LISTEN_MS) -> int:
    """Listen on this machine's ports, write what was heard and return the exit status."""
    kept = known(folder)
    names = list(physical(root))[:PORTS_MAX]
    started_ms = boot_ms()
    hear(names, kept, until_ms=started_ms + listen_ms)
    try:
        write(f"{folder}/{FILE}", encoded(kept, names, boot_ms()))
    except OSError as err:
        sys.stderr.write(f"roost-facts: {folder}/{FILE}: {err.strerror}\n")
        return 1
    return 0


def physical(root: str = "/") -> Iterator[str]:
    """Yield the ports with a device behind them."""
    folder = f"{root.rstrip('/')}/sys/class/net"
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    yield from (name for name in names if os.path.exists(f"{folder}/{name}/device"))


def hear(names: Iterable[str], kept: Kept, *, until_ms: int) -> None:
    """Put into ``kept`` what comes in on these ports until then, by the boot clock."""
    poller, sockets, since_ms = select.poll(), {}, boot_ms()
    for name in names:
        try:
            opened = _opened(name)
        except OSError as err:
            sys.stderr.write(f"roost-facts: {name}: {err.strerror}\n")
            continue
        sockets[opened.fileno()] = name, opened
        poller.register(opened, select.POLLIN)
    while (left_ms := until_ms - boot_ms()) > 0:
        for descriptor, _ in poller.poll(left_ms):
            name, opened = sockets[descriptor]
            try:
                heard = Heard(name, boot_ms(), opened.recv(FRAME_BYTES_MAX))
            except OSError:  # the port went down or away
                poller.unregister(descriptor)
            else:
                keep(kept, heard, since_ms=since_ms)
    for _, opened in sockets.values():
        opened.close()


def known(folder: str) -> Kept:
    """Return what earlier windows heard."""
    try:
        with open(f"{folder}/{FILE}", "rb") as stream:
            return decoded(stream.read(FILE_BYTES_MAX))
    except OSError:
        return {}


def _opened(name: str) -> socket.socket:
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    opened = socket.socket(socket.AF_PACKET, kind, 0)
    try:
        opened.bind((name, ETHERTYPE))
        for group in GROUPS:
            address = bytes.fromhex(group)
            wanted = _MEMBERSHIP.pack(_index(opened, name), PACKET_MR_MULTICAST, 6, address)
            opened.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, wanted)
    except OSError:
        opened.close()
        raise
    return opened


def _index(opened: socket.socket, name: str) -> int:
    """Return a port's number. Python's own way opens a socket of a family that is not allowed."""
    asked = struct.pack("16s24x", name.encode())
    return int(struct.unpack_from("i", fcntl.ioctl(opened, SIOCGIFINDEX, asked), 16)[0])
