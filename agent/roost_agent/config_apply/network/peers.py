"""Whom the agent speaks with, as the kernel's tables of TCP connections have it."""

import os
import pwd
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from pathlib import Path
from typing import Final

USER: Final = "roost"  # of the agent's unit
TABLES: Final = ("proc/net/tcp", "proc/net/tcp6")
ESTABLISHED: Final = "01"  # net/tcp_states.h
ROWS_MAX: Final = 65_536  # of one table
_WORD: Final = 8  # hexadecimal digits of 32 bits


def remotes(root: str = "/") -> frozenset[str]:
    """Return the addresses that the agent has a TCP connection to, none of them loopback.

    Without a user of its name, as in a trial from a checkout, the connections of ours count.
    """
    try:
        uid = pwd.getpwnam(USER).pw_uid
    except KeyError:
        uid = os.geteuid()
    found = (each for table in TABLES for each in rows(Path(root) / table, uid))
    return frozenset(str(each) for each in found if not each.is_loopback)


def rows(path: Path, uid: int) -> Iterator[IPv4Address | IPv6Address]:
    """Yield the far end of each established connection of a user in one table (proc_net_tcp)."""
    try:
        with path.open(encoding="ascii", errors="replace") as stream:
            for line in islice(stream, 1, ROWS_MAX):
                words = line.split()
                if len(words) > 7 and words[3] == ESTABLISHED and words[7] == str(uid):  # noqa: PLR2004
                    yield _address(words[2].partition(":")[0])
    except OSError:
        return  # a kernel without IPv6 has no second table


def _address(digits: str) -> IPv4Address | IPv6Address:
    """Return an address: 32 bits at a time, the little end first (x86-64 and arm64)."""
    words = [digits[at : at + _WORD] for at in range(0, len(digits), _WORD)]
    raw = b"".join(bytes.fromhex(word)[::-1] for word in words)
    if len(raw) == 4:  # noqa: PLR2004
        return IPv4Address(raw)
    address = IPv6Address(raw)
    return address.ipv4_mapped or address
