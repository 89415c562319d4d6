"""A node gone wild: ``PORT NODE RATE`` says an empty report so often each second, until killed.

It writes MQTT 3.1.1 to its socket by hand: a flood must cost the machine little where it is made.
"""

import socket
import sys
import time

from reporters import Reporter

TICK_S = 0.02
KEEPALIVE_S = 600  # nobody floods for longer without a word


def field(data: bytes) -> bytes:
    """Return bytes with their length in front."""
    return len(data).to_bytes(2, "big") + data


def packet(kind: int, body: bytes) -> bytes:
    """Return a packet; its length is a number of seven bits a byte."""
    length, rest = bytearray(), len(body)
    while True:
        rest, low = divmod(rest, 128)
        length.append(low | (128 if rest else 0))
        if not rest:
            return bytes([kind]) + bytes(length) + body


def main(port: int, node: Reporter, rate: int) -> None:
    """Publish at the rate; what the machine does not manage is not made up for."""
    head = field(b"MQTT") + bytes([4, 2]) + KEEPALIVE_S.to_bytes(2, "big")
    publish = packet(0x30, field(node.topics.report.encode()) + node.report(0, []))
    with socket.create_connection(("127.0.0.1", port)) as broker:
        broker.sendall(packet(0x10, head + field(b"wild")))
        broker.recv(4)  # it is let in
        due = time.monotonic()
        while True:
            broker.sendall(publish * round(rate * TICK_S))
            due = max(due + TICK_S, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main(int(sys.argv[1]), Reporter(sys.argv[2]), int(sys.argv[3]))
