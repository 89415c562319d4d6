"""Takes in what the child that polls boards says: reports, records of logs and alarms.

They come into the tables and alarms that nodes' own words come into; the speaker is the centre.
"""

import logging
from collections.abc import Collection, Iterable
from typing import assert_never

import msgspec

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.facts import OwnCleared, OwnRaised
from roost_central.alarms.row import CENTRE
from roost_central.boards import found
from roost_central.boards.found import Key
from roost_central.fleet.entity import entity_of
from roost_central.ports import Clock
from roost_central.storage import bmc_reports, boards, events
from roost_central.storage.bmc_reports import SPEAKER, BmcRecord
from roost_central.storage.engine import Database
from roost_protocol.board_lines import Logged, Told
from roost_protocol.entity import key_id
from roost_protocol.severity import Severity
from roost_protocol.topics import split_node_id

TYPES = frozenset({"200.010", "200.014", "200.015", "200.813"})
LOG_TYPE = "200.814"

logger = logging.getLogger(__name__)


class BoardWords:
    """See the module.

    Args:
        database: open.
        book: all alarms.
        clock: for when it was heard.
    """

    def __init__(self, database: Database, book: AlarmBook, clock: Clock) -> None:
        self._database = database
        self._book = book
        self._clock = clock
        self._raised: dict[str, set[Key]] = {}
        self._is_read = False

    async def take(self, words: Collection[Told | Logged]) -> None:
        """Keep what was said.

        Raises:
            StorageError: it is not kept; it is said again when it changes, or within ten minutes.
        """
        now_ms = self._clock.wall_ms()
        told = {each.node: each for each in words if isinstance(each, Told)}
        async with self._database.write() as connection:
            records = [
                BmcRecord(node, SPEAKER, now_ms, now_ms, each.report) for node, each in told.items()
            ]
            await bmc_reports.save(connection, records)
            learned = {node: msgspec.json.encode(each.learned) for node, each in told.items()}
            await boards.save_learned(connection, learned)
            logged = [_event(each, now_ms) for each in words if isinstance(each, Logged)]
            await events.append(connection, logged)
        for each in told.values():
            self._alarms(each)

    async def forget(self, polled: Collection[str]) -> None:
        """Forget the boards that are polled no more, and end their alarms."""
        self._read()
        async with self._database.write() as connection:
            kept = await boards.load_learned(connection)
            await boards.forget_learned(connection, sorted(kept.keys() - set(polled)))
        for node in sorted(self._raised.keys() - set(polled)):
            for event in found.over(self._raised.pop(node), "not polled by the centre any more"):
                self._book.signal(event)

    def _alarms(self, told: Told) -> None:
        self._read()
        known = self._raised.setdefault(told.node, set())
        site, _ = split_node_id(told.node)
        asked = [(each.type, entity_of(site, told.node, each.entity)) for each in told.found]
        for event in found.changes(told.node, told.found, known, self._open([*known, *asked])):
            self._book.signal(event)
            match event:
                case OwnRaised():
                    known.add((event.type, event.entity))
                case OwnCleared():
                    known.discard((event.type, event.entity))
                case _:
                    assert_never(event)

    def _open(self, keys: Iterable[Key]) -> dict[Key, Severity]:
        rows = {key: self._book.find(key_id(*key)) for key in keys}
        return {
            key: Severity(row.severity)
            for key, row in rows.items()
            if row is not None and row.is_open
        }

    def _read(self) -> None:
        """Learn once which alarms a centre before this one raised."""
        if self._is_read:
            return
        for row in self._book.open_alarms():
            if row.type in TYPES and row.reporter == CENTRE and row.node:
                self._raised.setdefault(row.node, set()).add((row.type, row.entity))
        self._is_read = True


def _event(said: Logged, now_ms: int) -> events.NewEvent:
    site, name = split_node_id(said.node)
    return events.NewEvent(
        at_ms=now_ms,
        received_ms=now_ms,
        kind="node",
        type=LOG_TYPE,
        severity=said.severity,
        text=said.text,
        site=site,
        node=said.node,
        entity=entity_of(site, said.node, f"bmc={name}"),
        params={"record": said.record, "at": said.at},
    )
