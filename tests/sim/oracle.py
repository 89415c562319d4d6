"""What every node said and meant to say, kept apart from the product: the truth to compare with.

Reads the wire with the reference ``msgpack`` package, not with the product's codec. Knows numbers:
each thing a node is made to say carries one, rising in its lane.
"""

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgpack

from roost_protocol.envelope import Lane

if TYPE_CHECKING:
    from sim.world import World

ALARM_TYPE = "100.104"  # of the alarms that nodes raise and clear
NUMBERED = {"bulk": "200.005", "alarm": "200.006"}  # lane: the type of its numbered events


@dataclass(slots=True)
class Stream:
    """One lane of one node as it went over the wire."""

    lane: str
    numbers: dict[int, int] = field(default_factory=dict)  # seq -> number
    gaps: list[tuple[int, int]] = field(default_factory=list)
    seen: dict[int, int] = field(default_factory=dict)  # seq -> hash of the item that is no gap

    def is_gap(self, seq: int) -> bool:
        """Whether a gap was ever said for a sequence number."""
        return any(first <= seq <= last for first, last in self.gaps)


@dataclass(slots=True)
class Told:
    """One node: what it was made to say, and how far its own counters got."""

    offered: dict[int, str] = field(default_factory=dict)  # number -> lane
    accepted: dict[int, bool] = field(default_factory=dict)  # number -> keep
    generations: dict[int, bytes] = field(default_factory=dict)  # inventory: gen -> digest
    incarnation: int = 0
    beats: dict[str, int] = field(default_factory=dict)  # path -> number of its last beat
    beat_s: float = float("-inf")  # when it last beat


class Oracle:
    """See the module."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.nodes: dict[str, Told] = {name: Told() for name in world.plan.node_names}
        self.streams: dict[tuple[str, bytes], Stream] = {}

    def offer(self, node: str, lane: Lane) -> int:
        """Return the number of the next thing that a node says."""
        told = self.nodes[node]
        number = len(told.offered) + 1
        told.offered[number] = lane.value
        return number

    def accept(self, node: str, number: int, *, keep: bool) -> None:
        """Note that the node's outbox has it on disk: from now on it may not be lost."""
        self.nodes[node].accepted[number] = keep

    def said(self, node: str, topic: str, payload: bytes) -> None:
        """Take in what a node sent, before the network had it."""
        leaf = topic.rpartition("/")[2]
        if leaf == "report":
            self._report(node, msgpack.unpackb(payload, strict_map_key=False))
        elif leaf == "beat":
            self._beat(node, msgpack.unpackb(payload, strict_map_key=False))

    def _beat(self, node: str, beat: dict[str, Any]) -> None:
        told = self.nodes[node]
        told.beat_s = self._world.loop.time()
        if beat["incarnation"] < told.incarnation:
            self._world.violate(f"{node} went back to incarnation {beat['incarnation']}")
        if beat["incarnation"] > told.incarnation:
            told.incarnation = beat["incarnation"]
            told.beats.clear()
        if beat["n"] <= told.beats.get(beat["path"], 0):
            self._world.violate(f"{node} used beat {beat['n']} of {beat['path']} twice")
        told.beats[beat["path"]] = beat["n"]

    def _report(self, node: str, report: dict[str, Any]) -> None:
        key = (node, report["stream"])
        stream = self.streams.get(key)
        if stream is None:
            stream = self.streams[key] = Stream(report["lane"])
        prev = report["prev"]
        for seq, kind, _at_ms, body, *compressed in report["items"]:
            if kind == "gap":
                gap = msgpack.unpackb(body)
                stream.gaps.append((gap["first"], gap["last"]))
                if gap["first"] != prev + 1 or gap["last"] != seq:
                    self._world.violate(f"{node} left a hole before {seq}: {gap}")
            else:
                if seq != prev + 1:
                    self._world.violate(f"{node} left a hole between {prev} and {seq}")
                plain = zlib.decompress(body) if compressed and compressed[0] else body
                self._item(node, stream, seq, kind, plain)
            prev = seq

    def _item(self, node: str, stream: Stream, seq: int, kind: str, body: bytes) -> None:
        fingerprint = zlib.crc32(body, len(kind))
        known = stream.seen.setdefault(seq, fingerprint)
        if known != fingerprint:
            self._world.violate(f"{node} gave number {seq} of {stream.lane} to two things")
        document = msgpack.unpackb(body)
        if kind == "event" and document["type"] in NUMBERED.values():
            stream.numbers[seq] = document["params"]["n"]
        elif kind == "inventory":
            self.nodes[node].generations[document["gen"]] = document["digest"]
