"""``inventory.apply_per_s``: deltas decoded, applied, indexed, and on disk in SQLite.

A delta changes one field of one item, as a cable that was pulled does; each comes from another
node, in transactions as ingest makes them when a region comes back. The peer writes the rows that
such a delta ends in, to the same file and in as large transactions, and does nothing else.
"""

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from figure import QUICK, Figure
from inventories import keep

from roost_central.inventory import apply
from roost_central.inventory.apply import Head
from roost_central.ports import SystemClock
from roost_central.storage.engine import Database
from roost_protocol.codec import encode
from roost_protocol.digest import node_digest, section_digest
from roost_protocol.inventory import Delta, SectionDelta

NODES = 2_000 if QUICK else 10_000
BATCH = 500  # deltas of one transaction
ROUNDS = 2 if QUICK else 4
CLASSES = 24
OTHERS: dict[str, dict[str, dict[str, object]]] = {
    f"class{number}": {f"i{n}": {"name": f"part {n}", "count": n, "driver": "d"} for n in range(6)}
    for number in range(CLASSES - 2)
}  # that stay as they are


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Apply deltas to a fleet that is there."""
    with tempfile.TemporaryDirectory(prefix="roost-inventory-") as folder:
        file = Path(folder) / "roost.db"
        rate, count, busy_us = asyncio.run(_run(file, say))
        bare = _bare(file)
    note = (
        f"{count:,} deltas of {NODES:,} nodes of {CLASSES} classes, {BATCH} a transaction, SQLite "
        f"with FULL; {busy_us:.0f} us of processor time each"
    )
    yield Figure("inventory.apply_per_s", round(rate), "1/s", ">= 5000", note)
    peer = f"sqlite3 alone writes the rows of {bare:,.0f} deltas a second"
    yield Figure("inventory.apply_vs_bare", round(rate / bare, 3), "", "", peer)


async def _run(file: Path, say: Callable[[str], None]) -> tuple[float, int, float]:
    """Return deltas a second, how many there were, and the processor time of one in us."""
    url = f"sqlite+aiosqlite:///{file}"
    database = await Database.open(url, clock=SystemClock())
    names = [f"edge-{number:05}.n1" for number in range(NODES)]
    trees = {name: _tree(1) for name in names}
    for start in range(0, NODES, BATCH):
        await keep(database, {name: trees[name] for name in names[start : start + BATCH]})
    say(f"{NODES:,} nodes are there")
    spent = busy = 0.0
    for gen in range(2, 2 + ROUNDS):
        messages = [(name, encode(_delta(gen))) for name in names]
        began, worked = time.perf_counter(), time.process_time()
        for start in range(0, NODES, BATCH):
            await _apply(database, messages[start : start + BATCH])
        spent += time.perf_counter() - began
        busy += time.process_time() - worked
        say(f"generation {gen}: {NODES * (gen - 1) / spent:,.0f} a second")
    await database.close()
    count = NODES * ROUNDS
    return count / spent, count, 1e6 * busy / count


async def _apply(database: Database, messages: list[tuple[str, bytes]]) -> None:
    async with database.write() as connection:
        batch = apply.Batch(connection, now_ms=1)
        for node, body in messages:
            batch.add(node, apply.decode(body))
        for each in await batch.flush():
            assert isinstance(each.result, Head), f"{each.node}: {each.result}"


def _bare(file: Path) -> float:
    """Return of how many deltas a second the rows are written by a program that only does that."""
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA synchronous = FULL")
    rows = database.execute("SELECT node, body FROM inventory_section WHERE section = 'nic'")
    sections, gen = rows.fetchall(), 2 + ROUNDS
    began = time.perf_counter()
    for start in range(0, len(sections), BATCH):
        some = sections[start : start + BATCH]
        database.execute("BEGIN IMMEDIATE")
        for statement, rows_ in _written(some, gen):
            database.executemany(statement, rows_)
        database.execute("COMMIT")
    spent = time.perf_counter() - began
    database.close()
    return len(sections) / spent


def _written(some: list[tuple[str, bytes]], gen: int) -> Iterator[tuple[str, list[object]]]:
    """Yield the statements of one transaction, each with its rows."""
    yield (
        "UPDATE inventory_section SET gen = ?, digest = ?, as_of_ms = ?, received_ms = ?, body = ? "
        "WHERE node = ? AND section = 'nic'",
        [(gen, gen.to_bytes(8), gen, gen, body, node) for node, body in some],
    )
    yield (
        "UPDATE inventory_value SET number = ? WHERE node = ? AND class = 'nic' AND item = 'n0' "
        "AND field = 'speed_mbps'",
        [(10_000 + gen, node) for node, _ in some],
    )
    yield (
        "INSERT INTO inventory_change (node, at_ms, gen, section, item, field, old, new) "
        "VALUES (?, ?, ?, 'nic', 'n0', 'speed_mbps', ?, ?)",
        [(node, gen, gen, encode(gen), encode(gen + 1)) for node, _ in some],
    )
    yield (
        "UPDATE node SET inventory_gen = ?, inventory_digest = ?, inventory_as_of_ms = ? "
        "WHERE node = ?",
        [(gen, gen.to_bytes(8), gen, node) for node, _ in some],
    )


def _tree(gen: int) -> dict[str, dict[str, dict[str, object]]]:
    nics = {
        f"n{n}": {"ifname": f"ens{n}", "driver": "ice", "firmware": "4.10", "speed_mbps": 25_000,
                  "mac": f"02:00:00:00:00:0{n}", "mtu": 1500}
        for n in range(4)
    }  # fmt: skip
    nics["n0"]["speed_mbps"] = 10_000 + gen
    disks = {f"d{n}": {"type": "nvme", "serial": f"S{n}", "size_bytes": 2**40} for n in range(2)}
    return {"nic": nics, "disk": disks, **OTHERS}


def _delta(gen: int) -> Delta:
    before, after = _tree(gen - 1), _tree(gen)
    digests = {name: section_digest(items, {}) for name, items in after.items()}
    change = SectionDelta(
        base=section_digest(before["nic"], {}),
        digest=digests["nic"],
        as_of_ms=gen,
        put={"n0": {"speed_mbps": 10_000 + gen}},
    )
    return Delta(
        v=1, base_gen=gen - 1, gen=gen, digest=node_digest(digests), sections={"nic": change}
    )
