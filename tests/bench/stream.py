"""The beats of a fleet as MQTT packets, and the process that sends them at a given rate.

``python stream.py PORT NODES RATE SECONDS FIRST`` publishes beats FIRST, FIRST + 1, ... of every
node in turn over one raw socket and prints how many it sent and in how long. A packet is encoded
once; before it is sent again, two numbers are written into it.
"""

import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from packets import DISCONNECT, connect, publish

from roost_protocol.beat import (
    Beat,
    InventoryMark,
    LaneReport,
    PathKind,
    PathReport,
    PathState,
)
from roost_protocol.codec import VERSION, encode
from roost_protocol.topics import NodeTopics, node_id

FIRST = 1 << 20  # of the beats: encoded in four bytes from here to the end of any run
FIRST_MS = 1 << 40  # likewise eight bytes; a date of 2004
STEP_S = 0.01
NODES_A_SITE = 5
CONNACK = b"\x20\x02\x00\x00"


def nodes(count: int) -> Iterator[str]:
    """Yield the node ids of the fleet."""
    for index in range(count):
        site, number = divmod(index, NODES_A_SITE)
        yield node_id(f"edge-{site:05}", f"n{number + 1}")


PATHS = [
    PathReport("wan1", PathKind.WAN, PathState.UP, FIRST_MS, 18_000, 0),
    PathReport("lan-a", PathKind.SITE, PathState.UP, FIRST_MS, 900, 0),
]


def beat(
    node: str,
    n: int = FIRST,
    sent_ms: int = FIRST_MS,
    *,
    paths: list[PathReport] = PATHS,
    interval_ms: int = 30_000,
) -> Beat:
    """Return a beat as an agent with two paths, two lanes and an inventory sends it."""
    return Beat(
        v=VERSION,
        node=node,
        boot_id=node.encode().ljust(16, b"-")[:16],
        incarnation=1,
        path="wan1",
        sent_ms=sent_ms,
        n=n,
        interval_ms=interval_ms,
        uptime_s=86_400,
        agent="1.0.0",
        why="timer",
        paths=paths,
        alarm=LaneReport(b"a" * 16, 3),
        bulk=LaneReport(b"b" * 16, 40, 2, 3_000),
        inventory=InventoryMark(7, b"12345678", 40),
    )


def connected(port: int) -> socket.socket:
    """Return a socket on which the broker said welcome."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(connect("stream"))
    if sock.recv(4, socket.MSG_WAITALL) != CONNACK:
        raise ConnectionError("the broker refused")
    return sock


class Packets:
    """The packets of the fleet in one buffer."""

    def __init__(self, count: int) -> None:
        self._buffer = bytearray()
        self._at: list[tuple[int, int]] = []  # of n and sent_ms
        self.ends = [0]
        n_bytes, sent_bytes = struct.pack(">I", FIRST), struct.pack(">Q", FIRST_MS)
        for node in nodes(count):
            packet = publish(NodeTopics.of(node).beat, encode(beat(node)))
            start = len(self._buffer)
            n_at = packet.index(b"\xa1n\xce" + n_bytes) + 3
            sent_at = packet.index(b"\xa7sent_ms\xcf" + sent_bytes) + 9
            self._at.append((start + n_at, start + sent_at))
            self._buffer += packet
            self.ends.append(len(self._buffer))

    def stamped(self, first: int, last: int, n: int, sent_ms: int) -> memoryview:
        """Return the packets of some nodes as their beat ``n``."""
        n_bytes, sent_bytes = struct.pack(">I", n), struct.pack(">Q", sent_ms)
        buffer = self._buffer
        for n_at, sent_at in self._at[first:last]:
            buffer[n_at : n_at + 4] = n_bytes
            buffer[sent_at : sent_at + 8] = sent_bytes
        return memoryview(buffer)[self.ends[first] : self.ends[last]]


class Sender:
    """Starts the sending process, and keeps the numbers of the beats rising."""

    def __init__(self, port: int, count: int) -> None:
        self._port = port
        self._count = count
        self._next = 0

    @contextmanager
    def running(self, rate: int, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
        """Send while the context lasts; what is left of ``seconds`` then is cut off."""
        numbers = [self._port, self._count, rate, seconds, self._next]
        with subprocess.Popen(
            [sys.executable, __file__, *map(str, numbers)], stdout=subprocess.PIPE
        ) as process:
            try:
                yield process
            finally:
                process.terminate()

    def summary(self, process: subprocess.Popen[bytes]) -> dict[str, float]:
        """Wait for the end and return what it sent."""
        answer: dict[str, float] = json.loads(process.communicate(timeout=120)[0])
        self._next = int(answer["next"])
        return answer

    def send(self, rate: int, seconds: float) -> dict[str, float]:
        """Send and return what was sent."""
        with self.running(rate, seconds) as process:
            return self.summary(process)


def main(port: int, count: int, rate: int, seconds: float, first: int) -> dict[str, float]:
    """Send for a time; return how many beats and in how long."""
    packets = Packets(count)
    sock = connected(port)
    began = time.monotonic()
    sent, position, n = 0, 0, FIRST + first
    while (spent := time.monotonic() - began) < seconds:
        due = int(spent * rate) - sent
        while due > 0:
            last = min(count, position + due)
            sock.sendall(packets.stamped(position, last, n, time.time_ns() // 1_000_000))
            due -= last - position
            sent += last - position
            position = last % count
            n += position == 0
        time.sleep(STEP_S)
    spent = time.monotonic() - began
    sock.sendall(DISCONNECT)
    return {"sent": sent, "seconds": spent, "next": n - FIRST + 1}


if __name__ == "__main__":
    port, count, rate, first = (int(sys.argv[place]) for place in (1, 2, 3, 5))
    print(json.dumps(main(port, count, rate, float(sys.argv[4]), first)))
