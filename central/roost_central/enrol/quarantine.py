"""Who is in quarantine: what puts a node there, and what shows it.

A node in quarantine is heard and shown, and given nothing: no renewal, no order, no roll-out. What
serves its site goes on. Leaves the states to states.py, the way out to probation.py and the API.
Invariants: who puts a node there is one row of the audit log, in the same transaction; the alarm
stands exactly as long as the quarantine.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.alarms.facts import OwnCleared, OwnRaised
from roost_central.enrol.states import Cause
from roost_central.fleet.entity import entity_of
from roost_central.fleet.view import FleetView
from roost_central.storage import audit, identities
from roost_central.storage.identities import Change
from roost_protocol.severity import Severity

SUCCESSOR: Final = "an older key came back after its successor was heard"

CLONE_TYPE: Final = "280.805"
QUARANTINE_TYPE: Final = "280.815"
_TYPES: Final = (CLONE_TYPE, QUARANTINE_TYPE)

# Shows that a node is in quarantine, None that it is in none.
Show = Callable[[str, Change | None], None]


async def suspect(connection: AsyncConnection, node: str, why: str, *, now_ms: int) -> bool:
    """Put a node in quarantine that two boxes seem to be; return whether that is new."""
    reason = f"two boxes use one identity: {why}"
    moved = await identities.quarantine(connection, node, Cause.CLONE, now_ms=now_ms, reason=reason)
    if moved:
        detail = {"cause": Cause.CLONE, "generations": [row.generation for row in moved]}
        act = Act(now_ms, audit.CENTRE, "", "node.quarantine", node, detail, reason=reason)
        await audit.add(connection, act)
    return bool(moved)


class QuarantineSign:
    """Shows quarantines in the view and among the alarms, and since when boxes are let in."""

    def __init__(self, view: FleetView, book: AlarmBook) -> None:
        self._view = view
        self._book = book

    def __call__(self, node: str, held: Change | None) -> None:
        """Show where a node stands now."""
        row = self._view.nodes.get(node)
        if row is not None:
            row.quarantine = held.quarantine if held else Cause.NONE
            row.quarantine_since_ms = held.changed_ms if held else None
            row.quarantine_reason = held.reason if held else ""
            self._view.touch_node(node)
        site = node.partition(".")[0]
        entity = entity_of(site, node)
        type_ = _type_of(held) if held and row is not None else ""
        if type_ and held is not None:
            severity = Severity.CRITICAL if type_ == CLONE_TYPE else Severity.MINOR
            params = {} if type_ == CLONE_TYPE else {"reason": held.reason}
            self._book.signal(OwnRaised(type_, entity, severity, params, site=site, node=node))
        for other in _TYPES:
            if other != type_:
                self._book.signal(OwnCleared(other, entity, "out of quarantine"))

    def enrolled(self, node: str, at_ms: int | None) -> None:
        """Show when the box of a node was let in; None: it has none."""
        row = self._view.nodes.get(node)
        if row is not None and row.enrolled_ms != at_ms:
            row.enrolled_ms = at_ms
            self._view.touch_node(node)

    def settle(self, held: Mapping[str, Change], enrolled: Callable[[str], bool]) -> None:
        """Show all of them at a start, and end what ended while nobody looked."""
        for node, change in held.items():
            self(node, change)
        for row in self._book.open_alarms():
            if row.type in _TYPES and row.node and row.node not in held and enrolled(row.node):
                self._book.signal(OwnCleared(row.type, row.entity, "out of quarantine"))


def _type_of(held: Change) -> str:
    return CLONE_TYPE if held.quarantine is Cause.CLONE else QUARANTINE_TYPE
