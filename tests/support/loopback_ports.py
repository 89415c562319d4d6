"""TCP ports of loopback for the servers that tests start."""

import itertools
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

# Below those that the kernel gives out of itself.
PORTS_FROM, BLOCK, BLOCKS = 20_000, 200, 60


def free_port() -> int:
    """Return a port that nobody listens on now, and that no other process of tests will choose.

    A port is free for a moment before its server takes it, and several processes of tests run at
    once: each has a block of ports to itself.
    """
    for port in _own(os.getpid()):
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
    raise AssertionError("a block of ports ended")  # it is a cycle


@cache
def _own(pid: int) -> Iterator[int]:
    """Return this process's block, over and over; a fork has another than its parent."""
    for block in range(BLOCKS):
        begins = PORTS_FROM + (pid + block) % BLOCKS * BLOCK
        with suppress(OSError):
            _marks.append(_mark(begins))
            return itertools.cycle(range(begins, begins + BLOCK))
    raise AssertionError(f"{BLOCKS} processes of tests run already")


def _mark(begins: int) -> socket.socket:
    """Take a block while this process lives.

    An abstract name goes with its process, however that ends, and is one of a network namespace,
    as ports are.
    """
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0roost-test-ports-{begins}")
    except OSError:
        mark.close()
        raise
    return mark


_marks: list[socket.socket] = []
