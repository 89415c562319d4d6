"""What is kept of what nodes should be: read for many at once, written in parts."""

from collections.abc import Collection, Container, Iterator, Sequence
from typing import Final, TypeVar

from roost_central.fleet.fields import FIELDS
from roost_central.inventory.search import by_index, unsure
from roost_central.profiles.desired import Known
from roost_central.profiles.possible import SECTIONS_READ, Machine, machine_of
from roost_central.profiles.selector import NOTHING_ASKED, Answers, Part
from roost_central.profiles.settle import Writes
from roost_central.storage import desired, inventory
from roost_central.storage.engine import Database

WRITTEN_MAX: Final = 5_000  # rows of one transaction: it holds the only writer for some 0.2 s

T = TypeVar("T")


class Ledger:
    """Reads and writes; decides nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self, nodes: Collection[str] | None = None) -> Known:
        """Return what nodes should be by now, all or the named."""
        async with self._database.read() as connection:
            heads = await desired.heads(connection, nodes)
            keys = {head.document for head in heads.values() if head.generation}
            return Known(heads, await desired.documents(connection, keys))

    async def machines(self, nodes: Collection[str]) -> dict[str, Machine]:
        """Return what the inventory tells of nodes; those without one are left out."""
        if not nodes:
            return {}
        async with self._database.read() as connection:
            found = await inventory.items_of(connection, nodes, SECTIONS_READ)
        return {node: machine_of(sections) for node, sections in found.items()}

    async def answers(self, parts: Sequence[Part], nodes: Collection[str], now_ms: int) -> Answers:
        """Return what the inventory answers to parts of selectors; of few nodes for those alone."""
        if not parts:
            return NOTHING_ASKED
        within = nodes if len(nodes) <= inventory.NODES_MAX else None
        holders: dict[Part, Container[str]] = {}
        doubted: set[str] = set()
        async with self._database.read() as connection:
            for part in parts:
                holders[part] = await by_index(connection, part, FIELDS, now_ms, within)
                doubted |= await unsure(connection, part, within)
        return Answers(holders, frozenset(doubted))

    async def write(self, writes: Writes) -> None:
        """Write all; a process that ends in between leaves nodes with what they had."""
        for documents in _parts(list(writes.documents.values())):
            async with self._database.write() as connection:
                await desired.save_documents(connection, documents)
        changes = {change.node: change for change in writes.changes}
        for records in _parts(writes.records):
            own = [changes[record.node] for record in records if record.node in changes]
            async with self._database.write() as connection:
                await desired.save(connection, records, own)


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), WRITTEN_MAX):
        yield rows[start : start + WRITTEN_MAX]
