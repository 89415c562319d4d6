"""Watches the fleet for all dashboards: one pump of changes, many bounded clients.

Leaves HTTP to sse.py. Invariants: at most CLIENTS_MAX clients; a client's memory is bounded by its
backlog; nothing here waits for a client.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from roost_central.alarms.book import AlarmBook
from roost_central.api.answers import Node
from roost_central.api.problem import ApiError
from roost_central.api.rows import node_answer, nodes_of
from roost_central.api.snapshot import SnapshotCache
from roost_central.fleet.view import Changes, FleetView
from roost_central.ports import Clock
from roost_central.stream.backlog import Backlog
from roost_central.stream.columns import FleetColumns
from roost_central.stream.core import (
    FRAME_INTERVAL_MS,
    Action,
    Changed,
    Frame,
    FrameLog,
    LaidOut,
    Tick,
)

CLIENTS_MAX: Final = 256  # one per browser: its tabs share a connection
LAYOUT_INTERVAL_MS: Final = 2_000  # each layout makes every client read the snapshot again
NO_CELLS: Final = b"[]"


class Client:
    """One open stream: what waits for it, and the sites whose nodes it shows."""

    def __init__(self, watch: frozenset[str], unsent: Iterable[str]) -> None:
        self.watch = watch
        self.backlog = Backlog()
        self.wake = asyncio.Event()
        self.alarms_seq: int | None = None  # last transition it knows; None: it wants none
        self.unsent = dict.fromkeys(unsent)  # nodes of watched sites that changed


class LiveFleet:
    """Turns changes of the view into frames and hands them to the clients."""

    def __init__(self, view: FleetView, clock: Clock, epoch: str, book: AlarmBook) -> None:
        self._view = view
        self._clock = clock
        self._book = book
        self._book_version = book.version
        self._columns = FleetColumns(view)
        self._log = FrameLog(epoch, clock.mono_ms())
        self._clients: set[Client] = set()
        self._layout_due = False
        self._laid_out_ms = clock.mono_ms()
        self.snapshots = SnapshotCache(self._columns, self._log, clock)

    @property
    def clients(self) -> int:
        """How many streams are open."""
        return len(self._clients)

    @property
    def epoch(self) -> str:
        """The random name of this process's frames."""
        return self._log.epoch

    async def run(self) -> None:
        """Pump until cancelled."""
        with self._view.listen() as changes:
            self._layout_due = True  # something may have come before we listened
            while True:
                self.advance(changes.drain())
                await asyncio.sleep(FRAME_INTERVAL_MS / 1000)

    def advance(self, changes: Changes) -> None:
        """Take up what changed; send the frame that is due."""
        now_ms = self._clock.mono_ms()
        nodes = {node for node in (*changes.nodes, *changes.heard) if node in self._view.nodes}
        sites = {self._view.nodes[node].site for node in nodes} | changes.sites.keys()
        self._layout_due |= changes.structure or self._columns.has_new_labels(changes.sites)
        actions = self._log.handle(Changed(self._columns.update(sites)), now_ms)
        if self._layout_due and now_ms - self._laid_out_ms >= LAYOUT_INTERVAL_MS:
            self._columns.lay_out()
            self._layout_due, self._laid_out_ms = False, now_ms
            actions += self._log.handle(LaidOut(), now_ms)
        actions += self._log.handle(Tick(), now_ms)
        self._tell(actions, nodes)
        if self._book.version != self._book_version:
            self._book_version = self._book.version
            for client in self._clients:
                if client.alarms_seq is not None:
                    client.wake.set()

    @contextmanager
    def client(self, position: str, watch: frozenset[str]) -> Iterator[Client]:
        """Give a client its backlog while the context lasts, beginning after ``position``.

        Raises:
            ApiError: ``busy``, when CLIENTS_MAX are connected.
        """
        if len(self._clients) >= CLIENTS_MAX:
            raise ApiError(
                "busy",
                f"{CLIENTS_MAX} streams are open, which is the most central serves",
                headers={"Retry-After": "10"},
            )
        rows = [self._view.sites[site] for site in watch if site in self._view.sites]
        client = Client(watch, (node.node for row in rows for node in nodes_of(row, self._view)))
        client.backlog.put(self._log.resume(position))
        client.wake.set()
        self._clients.add(client)
        try:
            yield client
        finally:
            self._clients.discard(client)

    def next_action(self, client: Client) -> Action | None:
        """Return what is to be sent now; None when the client has everything."""
        if client.backlog:
            return client.backlog.take()
        if client.unsent:
            return Frame(self._log.n, NO_CELLS)
        return None

    def take_nodes(self, client: Client) -> list[Node]:
        """Return the watched nodes that changed since they were last sent, as they are now."""
        names, client.unsent = client.unsent, {}
        now_ms = self._clock.wall_ms()
        rows = self._view.nodes
        return [node_answer(rows[name], now_ms) for name in names if name in rows]

    def _tell(self, actions: list[Action], nodes: set[str]) -> None:
        for client in self._clients:
            client.backlog.put(actions)
            if client.watch:
                client.unsent |= dict.fromkeys(
                    node for node in nodes if self._view.nodes[node].site in client.watch
                )
            if client.backlog or client.unsent:
                client.wake.set()
