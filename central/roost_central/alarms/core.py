"""The life of alarms: what is said and done makes of the set. Pure.

The committed set is ``index``; every event works on a draft over it, which its caller commits with
``adopt`` or drops. No clock, no storage, no query language: shelves bring their own predicates.

Invariants:
- identity is (type, entity): a second raise is the same row, a clear of what is not there nothing;
- silence never clears: what a dark node said last is ``unknown`` until the node says otherwise;
- what operators do never touches the condition; an acknowledgement falls off when it gets worse;
- a mask lasts as long as its parent; what hides an alarm hides it from lists, not from queries.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec.structs import replace

from roost_central.alarms.acts import Acts
from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.draft import Draft
from roost_central.alarms.episodes import Episodes, IncidentOf
from roost_central.alarms.facts import (
    Acted,
    Attached,
    Event,
    Limits,
    NodeBack,
    NodeDark,
    OwnCleared,
    OwnRaised,
    Removed,
    Said,
    SetSaid,
    Shelf,
    ShelfPut,
    ShelfTaken,
    Suppression,
    SuppressionPut,
    SuppressionTaken,
    Tick,
    ToldApart,
)
from roost_central.alarms.hides import Hides
from roost_central.alarms.index import AlarmIndex
from roost_central.alarms.masks import Masks
from roost_central.alarms.row import ACTIVE, CLEARED, UNKNOWN, AlarmRow
from roost_central.alarms.said import NodeWords, text_of
from roost_protocol.entity import contains, key_id, parse

DEFAULT_LIMITS: Final = Limits()
UNEXPLAINED: Final = "unexplained"  # why a member of an incident is told apart

_Handler = Callable[[Draft, Any, int], None]


class AlarmCore:
    """The alarm set and its rules.

    Attributes:
        index: the committed set.
        shelves, suppressions: by id, the committed ones.
    """

    def __init__(self, catalogue: Catalogue, *, limits: Limits = DEFAULT_LIMITS) -> None:
        self.catalogue = catalogue
        self.index = AlarmIndex()
        self.shelves: dict[str, Shelf] = {}
        self.suppressions: dict[str, Suppression] = {}
        self.seq = 0
        self._masks = Masks(catalogue)
        self._hides = Hides(catalogue)
        self._episodes = Episodes(catalogue, self._hides, limits)
        words = NodeWords(catalogue, self._episodes, limits)
        self._handlers: dict[type, _Handler] = {
            Said: words.said,
            SetSaid: words.set_said,
            OwnRaised: self._on_own_raised,
            OwnCleared: self._on_own_cleared,
            NodeDark: self._on_dark,
            NodeBack: self._on_back,
            Removed: self._on_removed,
            Tick: self._on_tick,
            Acted: Acts(self._episodes).acted,
            ShelfPut: self._hides.on_shelf_put,
            ShelfTaken: self._hides.on_shelf_taken,
            SuppressionPut: self._hides.on_suppression_put,
            SuppressionTaken: self._hides.on_suppression_taken,
            Attached: self._on_attached,
            ToldApart: self._on_told_apart,
        }

    def join_incidents(self, incident_of: IncidentOf) -> None:
        """Ask this for the incident of each alarm that is raised."""
        self._episodes.incident_of = incident_of

    @property
    def clears_unknown(self) -> int:
        """Clears of what was not there."""
        return self._episodes.clears_unknown

    def load(
        self,
        rows: Iterable[AlarmRow],
        seq: int,
        shelves: Iterable[Shelf] = (),
        suppressions: Iterable[Suppression] = (),
    ) -> None:
        """Begin with what storage has."""
        self.index.load(rows)
        self.seq = seq
        self.shelves = {shelf.id: shelf for shelf in shelves}
        self.suppressions = {one.id: one for one in suppressions}

    def draft(self) -> Draft:
        """Return an empty draft over the committed set."""
        return Draft(self.index, self.seq, self.shelves, self.suppressions)

    def handle(self, draft: Draft, event: Event, now_ms: int) -> None:
        """Take one event into a draft."""
        self._handlers[type(event)](draft, event, now_ms)

    def settle(self, draft: Draft, now_ms: int) -> None:
        """Bring the masks of touched sites up to date; before each commit."""
        self._masks.settle(draft, now_ms)

    def is_due(self, now_ms: int) -> bool:
        """Return whether a tick would change anything."""
        over = [shelf.until_ms for shelf in self.shelves.values()]
        over += [one.until_ms for one in self.suppressions.values() if one.until_ms is not None]
        return self.index.is_due(now_ms) or any(due_ms <= now_ms for due_ms in over)

    def adopt(self, draft: Draft) -> None:
        """Take over a draft that is committed."""
        self.index.adopt(draft.rows)
        self.shelves, self.suppressions = draft.shelves, draft.suppressions
        self.seq = draft.seq

    # -- what the centre sees --------------------------------------------------------------

    def _on_own_raised(self, draft: Draft, event: OwnRaised, now_ms: int) -> None:
        if event.is_one_of_many:
            draft.stormy.add(event.type)
        old = draft.get(key_id(event.type, event.entity))
        is_open = old is not None and old.state != CLEARED
        new = AlarmRow(
            key_id=key_id(event.type, event.entity),
            id="",
            type=event.type,
            entity=event.entity,
            site=event.site,
            node=event.node,
            severity=event.severity,
            count=old.count + (event.ttl_ms is not None) if old is not None and is_open else 1,
            text=text_of(self.catalogue, event.type, event.severity, event.entity, event.params),
            params=dict(event.params),
            raised_ms=now_ms,
            changed_ms=now_ms,
            received_ms=now_ms,
            expires_ms=None if event.ttl_ms is None else now_ms + event.ttl_ms,
        )
        self._episodes.raised(draft, old, new, now_ms)

    def _on_own_cleared(self, draft: Draft, event: OwnCleared, now_ms: int) -> None:
        old = draft.get(key_id(event.type, event.entity))
        self._episodes.cleared(draft, old, event.reason, now_ms, now_ms)

    def _on_dark(self, draft: Draft, event: NodeDark, now_ms: int) -> None:
        for row in draft.of_reporter(event.node):
            if row.state == ACTIVE:
                draft.tell("unknown", replace(row, state=UNKNOWN, unknown_ms=now_ms), now_ms)

    def _on_back(self, draft: Draft, event: NodeBack, now_ms: int) -> None:
        for row in draft.of_reporter(event.node):
            if row.state == UNKNOWN:
                draft.tell("back", replace(row, state=ACTIVE, unknown_ms=None), now_ms)

    def _on_removed(self, draft: Draft, event: Removed, now_ms: int) -> None:
        gone = parse(event.entity)
        for row in draft.of_site(event.site):
            if not contains(gone, row.pairs):
                continue
            if row.state == CLEARED:
                draft.rows[row.key_id] = None
            else:
                self._episodes.close(draft, row, "deleted", now_ms, now_ms, note=event.entity)

    def _on_tick(self, draft: Draft, _event: Tick, now_ms: int) -> None:
        for name in self.index.due(now_ms):
            row = draft.get(name)
            if row is not None:
                self._let_pass(draft, row, now_ms)
        self._hides.expire(draft, now_ms)

    def _let_pass(self, draft: Draft, row: AlarmRow, now_ms: int) -> None:
        """Do to one alarm what time does."""
        if row.shelf is not None and row.shelf.until_ms <= now_ms:
            row = replace(row, shelf=self._hides.shelf_of(draft, row, now_ms))
            if row.shelf is None:
                draft.tell("unshelve", row, now_ms, note="expired")
            else:
                draft.put(row)
        if row.held_ms is not None and row.held_ms <= now_ms:
            self._episodes.close(draft, row, row.reason, row.changed_ms, now_ms)
        elif row.expires_ms is not None and row.expires_ms <= now_ms:
            self._episodes.close(draft, row, "ttl-expired", now_ms, now_ms)
        elif row.calm_ms is not None and row.calm_ms <= now_ms:
            draft.tell("change", replace(row, flapping=False, calm_ms=None), now_ms)

    # -- incidents -------------------------------------------------------------------------

    def _on_attached(self, draft: Draft, event: Attached, now_ms: int) -> None:
        for name in event.key_ids:
            old = draft.get(name)
            if old is None:
                continue
            explained = event.explained.get(name) if event.incident else None
            apart = old.apart and bool(event.incident)
            row = replace(old, incident=event.incident, explained=explained, apart=apart)
            if old.incident == row.incident or draft.amend(row):
                draft.put(row)
            else:
                draft.tell("change", row, now_ms, note=row.incident or old.incident)

    def _on_told_apart(self, draft: Draft, event: ToldApart, now_ms: int) -> None:
        for name in event.key_ids:
            old = draft.get(name)
            if old is not None and old.is_open and old.incident and not old.apart:
                draft.tell("change", replace(old, apart=True), now_ms, note=UNEXPLAINED)
