"""Nodes with a backlog: they report numbered events until central has receipted all of them.

``python reporting.py PORT NODES REPORTS ITEMS`` gives each node so many reports of so many items,
encoded before the clock starts, keeps at most as many in flight as an agent, says again what is
not receipted, and prints what it said and in how long. Over one raw socket: the generator shares
the cores with what it measures.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field

import uvloop
from packets import PUBLISH, SUBACK, connect, puback, publish, split, subscribe
from stream import nodes

from roost_protocol.alarm import Event
from roost_protocol.codec import VERSION, Decoder, encode
from roost_protocol.envelope import Item, ItemKind, Lane, Receipt, Report
from roost_protocol.limits import REPORTS_IN_FLIGHT_MAX
from roost_protocol.severity import Severity
from roost_protocol.topics import NodeTopics

PATIENCE_S = 30.0  # without a receipt, as an agent; then a node goes back to its mark
SECONDS_MAX = 120.0  # of a run: then what is receipted is counted, and the rest is lost
NUMBERS = 65_535  # of packets
RECEIPT_QOS = 1


@dataclass(slots=True)
class Backlog:
    """One node's reports, as packets."""

    packets: list[bytes]
    items: int  # of each report
    sent: int = 0  # reports
    receipted: int = 0  # reports
    heard_s: float = field(default_factory=time.monotonic)

    def due(self) -> list[bytes]:
        """Return what may be sent now, as sent."""
        last = min(self.receipted + REPORTS_IN_FLIGHT_MAX, len(self.packets))
        due = self.packets[self.sent : last]
        self.sent = max(self.sent, last)
        return due

    def hear(self, seq: int) -> None:
        """Take in a receipt."""
        self.heard_s = time.monotonic()
        self.receipted = max(self.receipted, seq // self.items)
        self.sent = max(self.sent, self.receipted)

    def go_back(self) -> int:
        """Return to what is receipted; return how many reports will be said again."""
        again, self.sent = self.sent - self.receipted, self.receipted
        self.heard_s = time.monotonic()
        return again


def backlog(node: str, reports: int, items: int) -> Backlog:
    """Return the packets of one node; the text of an event is its number."""
    topic, stream = NodeTopics.of(node).report, node.encode().ljust(16, b"-")[:16]
    packets = []
    for number in range(reports):
        first = number * items + 1
        report = Report(
            v=VERSION,
            node=node,
            boot_id=b"b" * 16,
            incarnation=1,
            path="wan1",
            sent_ms=time.time_ns() // 1_000_000,
            lane=Lane.BULK,
            stream=stream,
            prev=first - 1,
            items=[
                Item(seq, ItemKind.EVENT, 1_700_000_000_000, event(seq))
                for seq in range(first, first + items)
            ],
        )
        packets.append(publish(topic, encode(report), number=number % NUMBERS + 1))
    return Backlog(packets, items)


def event(number: int) -> bytes:
    """Return an event as an agent tells one."""
    return encode(
        Event(
            v=VERSION,
            type="100.801",
            severity=Severity.WARNING,
            entity="disk=nvme0n1",
            text=str(number),
            params={"wear_permille": 910},
        )
    )


class Reporters(asyncio.Protocol):
    """All nodes on one connection."""

    def __init__(self, backlogs: dict[str, Backlog]) -> None:
        self.ready = asyncio.Event()
        self.done = asyncio.Event()
        self.again = 0
        self._backlogs = backlogs
        self._open = set(backlogs)
        self._rest = b""
        self._receipt = Decoder[Receipt](Receipt).decode

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # TCP
        """Say who we are and what we want."""
        self._transport = transport
        receipts = subscribe("roost/v1/+/+/down/receipt", qos=RECEIPT_QOS)
        transport.write(connect("reporting") + receipts)

    def data_received(self, data: bytes) -> None:
        """Answer each receipt with the reports for which it makes room."""
        data, end = self._rest + data, 0
        answer: list[bytes] = []
        for first, start, end in split(data):
            if first >> 4 == PUBLISH:
                number = start + 2 + int.from_bytes(data[start : start + 2], "big")
                answer.append(puback(data[number : number + 2]))
                answer += self._hear(self._receipt(data[number + 2 : end]))
            elif first >> 4 == SUBACK:
                self.ready.set()
        self._rest = data[end:]
        self._transport.write(b"".join(answer))

    def begin(self) -> None:
        """Send what may be sent at first."""
        for each in self._backlogs.values():
            each.heard_s = time.monotonic()
            self._transport.write(b"".join(each.due()))

    def repeat(self) -> None:
        """Say again what is not receipted for too long."""
        for node in self._open:
            each = self._backlogs[node]
            if time.monotonic() - each.heard_s > PATIENCE_S:
                self.again += each.go_back()
                self._transport.write(b"".join(each.due()))

    def _hear(self, receipt: Receipt) -> list[bytes]:
        each = self._backlogs.get(receipt.node)
        if each is None:
            return []
        each.hear(receipt.seq)
        if each.receipted == len(each.packets):
            self._open.discard(receipt.node)
            if not self._open:
                self.done.set()
        return each.due()


async def main(port: int, count: int, reports: int, items: int) -> dict[str, float]:
    """Report everything; return the counts."""
    backlogs = {node: backlog(node, reports, items) for node in nodes(count)}
    loop = asyncio.get_running_loop()
    _, reporters = await loop.create_connection(lambda: Reporters(backlogs), "127.0.0.1", port)
    await reporters.ready.wait()
    began = time.monotonic()
    reporters.begin()
    while not reporters.done.is_set() and time.monotonic() - began < SECONDS_MAX:
        try:
            async with asyncio.timeout(1):
                await reporters.done.wait()
        except TimeoutError:
            reporters.repeat()
    return {
        "seconds": time.monotonic() - began,
        "said": count * reports * items,
        "receipted": sum(each.receipted * items for each in backlogs.values()),
        "again": reporters.again,
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(*map(int, sys.argv[1:5])))))
