"""The committed marks in memory: loaded a node at a time, moved only after COMMIT.

Bounded by the fleet: at most STREAMS_MAX streams of each lane of a node are kept in storage, and a
node that has begun another past them is read anew, so that no more are kept here.
"""

from collections.abc import Collection, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.ingest.core import StreamKey
from roost_central.storage import marks
from roost_central.storage.engine import Database


class Marks:
    """A cache in front of the mark table, of which this worker is the only writer."""

    def __init__(self) -> None:
        self._by_node: dict[str, dict[bytes, int]] = {}
        self._flat: dict[StreamKey, int] = {}
        self._thinned: set[str] = set()  # nodes of which storage has let go streams

    @property
    def committed(self) -> Mapping[StreamKey, int]:
        """The marks of all nodes that were loaded."""
        return self._flat

    def of(self, node: str, stream: bytes) -> int | None:
        """Return a stream's mark, 0 where it has none; None: this node's are not loaded."""
        known = self._by_node.get(node)
        return None if known is None else known.get(stream, 0)

    async def load(self, database: Database, nodes: Collection[str]) -> None:
        """Load the marks of those nodes that are not here."""
        absent = {node for node in nodes if node not in self._by_node}
        if not absent:
            return
        async with database.read() as connection:
            found = await marks.load(connection, absent)
        for node in absent:
            self._by_node[node] = {}
        for mark in found:
            self._put((mark.node, mark.stream), mark.seq)

    async def save(
        self,
        connection: AsyncConnection,
        moved: Mapping[StreamKey, int],
        lanes: Mapping[StreamKey, str],
        *,
        now_ms: int,
    ) -> None:
        """Write moved marks, and keep the streams of a lane few."""
        await marks.save(
            connection,
            [
                marks.Mark(node, stream, lanes[node, stream], seq, now_ms)
                for (node, stream), seq in moved.items()
            ],
        )
        for node, stream in moved:
            known = self._by_node.get(node, {})
            if stream not in known and len(known) >= marks.STREAMS_MAX:
                await marks.forget_old(connection, node, lanes[node, stream])
                self._thinned.add(node)

    def commit(self, moved: Mapping[StreamKey, int]) -> None:
        """Take over the marks of a committed transaction."""
        for key, seq in moved.items():
            self._put(key, seq)
        self.forget(self._thinned)
        self._thinned.clear()

    def forget(self, nodes: Collection[str]) -> None:
        """Read these nodes' marks anew: a transaction's outcome is not known, or they are gone."""
        for node in nodes:
            for stream in self._by_node.pop(node, {}):
                del self._flat[node, stream]

    def _put(self, key: StreamKey, seq: int) -> None:
        self._by_node.setdefault(key[0], {})[key[1]] = seq
        self._flat[key] = seq
