"""A second look into the centre's database: another connection, other code, only what is committed.

Invariants it watches:
- a receipt names nothing that is not on disk, and carries the epoch that is on disk;
- a mark never goes back but by a restore from a backup;
- each numbered thing is there once, in its lane's order, and was said by that node;
- what a mark covers is there, or a gap was said in its place;
- an inventory has the digest that its node said for that generation, and its sections make it;
- no two alarms stand for one type and entity.
"""

import hashlib
import sqlite3
import zlib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgpack
from sim.oracle import NUMBERED

if TYPE_CHECKING:
    from sim.world import World

LANE_OF = {type_: lane for lane, type_ in NUMBERED.items()}


class Audit:
    """See the module."""

    def __init__(self, world: "World", file: Path) -> None:
        self._world = world
        self._file = file
        self._db: sqlite3.Connection | None = None
        self.restored()

    def restored(self) -> None:
        """Forget what was seen: the database is an older one now."""
        self._event_seq = 0
        self._marks: dict[tuple[str, bytes], int] = {}
        self._covered: dict[tuple[str, bytes], int] = {}
        self._inventories: dict[str, bytes] = {}
        self.effects: dict[tuple[str, str], dict[int, None]] = defaultdict(dict)
        self._last: dict[tuple[str, str], int] = defaultdict(int)

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def copy_to(self, target: Path) -> None:
        """Write what is committed to another file."""
        copy = sqlite3.connect(target)
        self._connection().backup(copy)
        copy.close()

    def receipt(self, payload: bytes) -> None:
        """Check a receipt that the centre is about to send."""
        said = msgpack.unpackb(payload)
        key = (said["node"], said["stream"])
        mark = self._one("SELECT seq FROM mark WHERE node = ? AND stream = ?", key) or 0
        if said["seq"] > mark:
            self._world.violate(
                f"a receipt to {said['node']} names {said['seq']} of {said['lane']}, "
                f"on disk is {mark}"
            )
        epoch = self._one("SELECT value FROM setting WHERE key = 'central_epoch'", ())
        if said["central_epoch"] != epoch:
            self._world.violate(f"a receipt to {said['node']} has another epoch than the disk")
        if mark < self._marks.get(key, 0):
            self._world.violate(f"the mark of {key[0]} went back to {mark}")
        self._marks[key] = mark
        if said.get("resync"):
            self._world.trace.met("central asked for an inventory again")

    def look(self) -> None:
        """Check all that is committed and was not seen before."""
        if not self._file.exists():
            return
        self._look_at_events()
        self._look_at_marks()
        self._look_at_inventories()

    def sections(self, node: str) -> dict[str, tuple[Any, Any]]:
        """Return the stored inventory of a node."""
        rows = self._connection().execute(
            "SELECT section, body FROM inventory_section WHERE node = ?", (node,)
        )
        return {name: tuple(msgpack.unpackb(zlib.decompress(body))) for name, body in rows}

    def alarms(self, node: str, type_: str) -> dict[str, int]:
        """Return entity and severity of each alarm of a type that stands for a node."""
        rows = self._connection().execute(
            "SELECT severity, body FROM alarm WHERE node = ? AND type = ? AND state = 'active'",
            (node, type_),
        )
        found: dict[str, int] = {}
        for severity, body in rows.fetchall():
            alarm = msgpack.unpackb(body)
            if alarm["said"] in found:
                self._world.violate(f"two alarms of {node} stand for {alarm['entity']}")
            if "held_ms" not in alarm:  # over, and shown a little longer
                found[alarm["said"]] = severity
        return found

    def count_events(self, type_: str) -> int:
        """Return how many events of a type are kept."""
        return self._one("SELECT count(*) FROM event WHERE type = ?", (type_,))

    def _look_at_events(self) -> None:
        rows = self._connection().execute(
            "SELECT seq, node, kind, type, params FROM event WHERE seq > ? ORDER BY seq",
            (self._event_seq,),
        )
        for seq, node, kind, type_, params in rows.fetchall():
            self._event_seq = seq
            if type_ in LANE_OF and kind == "node":
                self._effect(node, LANE_OF[type_], msgpack.unpackb(params)["n"])

    def _effect(self, node: str, lane: str, number: int) -> None:
        key = (node, lane)
        if self._world.oracle.nodes[node].offered.get(number) != lane:
            self._world.violate(f"{node} never said {number} on {lane}, and central has it")
        if number in self.effects[key]:
            self._world.violate(f"{number} of {node} took effect twice")
        elif number < self._last[key]:
            self._world.violate(f"{number} of {node} took effect after {self._last[key]}")
        self.effects[key][number] = None
        self._last[key] = max(number, self._last[key])

    def _look_at_marks(self) -> None:
        for node, stream, mark in self._connection().execute("SELECT node, stream, seq FROM mark"):
            said = self._world.oracle.streams.get((node, stream))
            if said is None:
                self._world.violate(f"central has a stream of {node} that it never said")
                continue
            first = self._covered.get((node, stream), 0) + 1
            for seq in range(first, mark + 1):
                number = said.numbers.get(seq)
                if number in self.effects[node, said.lane] or said.is_gap(seq):
                    continue
                if seq not in said.seen:
                    self._world.violate(f"central marked {seq} of {node}, which was never said")
                elif number is not None:
                    self._world.violate(
                        f"central marked {seq} of {node} {said.lane} and has not kept {number}"
                    )
            self._covered[node, stream] = mark

    def _look_at_inventories(self) -> None:
        rows = self._connection().execute(
            "SELECT node, inventory_gen, inventory_digest FROM node WHERE inventory_gen NOT NULL"
        )
        for node, gen, digest in rows.fetchall():
            if self._inventories.get(node) == digest:
                continue
            self._inventories[node] = digest
            if self._world.oracle.nodes[node].generations.get(gen) != digest:
                self._world.violate(f"generation {gen} of {node} is none that it told")
            if digest_of(self.sections(node)) != digest:
                self._world.violate(f"the sections of {node} are not those of its digest")

    def _one(self, sql: str, values: tuple[Any, ...]) -> Any:
        row = self._connection().execute(sql, values).fetchone()
        return None if row is None else row[0]

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = sqlite3.connect(self._file, isolation_level=None)
        return self._db


def digest_of(sections: dict[str, tuple[Any, Any]]) -> bytes:
    """Return the digest of an inventory, by the protocol's page and not by its code."""
    return _digest(sorted([name, _digest(list(content))] for name, content in sections.items()))


def _digest(document: Any) -> bytes:
    return hashlib.blake2b(msgpack.packb(_canonical(document)), digest_size=8).digest()


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(value[key]) for key in sorted(value)}
    return [_canonical(each) for each in value] if isinstance(value, list) else value
