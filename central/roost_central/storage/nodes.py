"""Nodes and their paths as last seen. Written in batches by ingest, never once for each beat."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import update_rows, upsert


@dataclass(frozen=True, slots=True)
class PathRecord:
    """One path of a node."""

    node: str
    path: str
    kind: str
    state: str
    since_ms: int | None = None
    rtt_us: int | None = None
    loss_permille: int | None = None
    heard_ms: int | None = None
    reported_ms: int | None = None


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """One node; the inventory columns are inventory's, labels an operator's: only read here."""

    node: str
    site: str
    name: str
    created_ms: int
    presence: str = "unknown"
    presence_since_ms: int | None = None
    heard_ms: int | None = None
    via: str | None = None
    agent: str | None = None
    boot_id: bytes | None = None
    incarnation: int | None = None
    uptime_s: int | None = None
    interval_ms: int | None = None
    clock_skew_ms: int | None = None
    applied_gen: int | None = None
    applied_digest: bytes | None = None
    pending_reboot: bool | None = None
    drift: int | None = None
    inventory_gen: int | None = field(default=None, kw_only=True)
    inventory_digest: bytes | None = field(default=None, kw_only=True)
    inventory_as_of_ms: int | None = field(default=None, kw_only=True)
    labels: dict[str, str] = field(default_factory=dict, kw_only=True)


_OTHERS = frozenset({"inventory_gen", "inventory_digest", "inventory_as_of_ms", "labels"})


async def load_all(connection: AsyncConnection) -> list[NodeRecord]:
    """Return every node in the order of creation."""
    rows = await connection.execute(
        select(tables.node).order_by(tables.node.c.created_ms, tables.node.c.node)
    )
    return [NodeRecord(**row) for row in rows.mappings()]


async def load_paths(connection: AsyncConnection) -> list[PathRecord]:
    """Return every path of every node."""
    rows = await connection.execute(
        select(tables.path).order_by(tables.path.c.node, tables.path.c.path)
    )
    return [PathRecord(**row) for row in rows.mappings()]


async def save(connection: AsyncConnection, nodes: list[NodeRecord]) -> None:
    """Write nodes, new or changed; inventory, labels and the time of creation stay."""
    rows = [
        {name: value for name, value in row_of(node).items() if name not in _OTHERS}
        for node in nodes
    ]
    await upsert(connection, tables.node, rows, keep={"created_ms"})


async def set_labels(connection: AsyncConnection, labels: Mapping[str, dict[str, str]]) -> None:
    """Write the labels of nodes that are there."""
    rows = [{"node": node, "labels": given} for node, given in labels.items()]
    await update_rows(connection, tables.node, rows)


async def save_paths(
    connection: AsyncConnection, nodes: Collection[str], paths: list[PathRecord]
) -> None:
    """Write the paths of nodes that are there, in place of all that they had.

    Args:
        connection: of a write transaction.
        nodes: some hundreds at most: of one statement's parameters.
        paths: of these nodes.
    """
    kept = {(path.node, path.path) for path in paths}
    had = await connection.execute(
        select(tables.path.c.node, tables.path.c.path).where(tables.path.c.node.in_(nodes))
    )
    for node, path in [(node, path) for node, path in had if (node, path) not in kept]:
        this = (tables.path.c.node == node, tables.path.c.path == path)
        await connection.execute(sql_delete(tables.path).where(*this))
    await upsert(connection, tables.path, [row_of(path) for path in paths])


async def delete(connection: AsyncConnection, node: str) -> bool:
    """Remove a node with its paths, its inventory and its marks; events stay."""
    done = await connection.execute(sql_delete(tables.node).where(tables.node.c.node == node))
    return done.rowcount > 0
