"""The life of alarms: what is said and done makes of the set. Pure.

The committed set is ``index``; every event works on a draft over it, which its caller commits with
``adopt`` or drops. No clock, no storage, no query language: shelves bring their own predicates.

Invariants:
- identity is (type, entity): a second raise is the same row, a clear of what is not there nothing;
- silence never clears: what a dark node said last is ``unknown`` until the node says otherwise;
- what operators do never touches the condition; an acknowledgement falls off when it gets worse;
- a mask lasts as long as its parent; what hides an alarm hides it from lists, not from queries.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec.structs import replace

from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.draft import Draft
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
from roost_central.alarms.row import ACTIVE, CLEARED, UNKNOWN, Ack, AlarmRow
from roost_central.alarms.ulid import ulid
from roost_protocol.alarm import Alarm, AlarmState, Change
from roost_protocol.catalogue import cut, render
from roost_protocol.entity import contains, key, key_id, parse
from roost_protocol.severity import Severity

DEFAULT_LIMITS: Final = Limits()
UNEXPLAINED: Final = "unexplained"  # why a member of an incident is told apart

Member = tuple[str, Ack | None]  # of an incident: its id, and its acknowledgement

_Handler = Callable[[Draft, Any, int], None]


class AlarmCore:
    """The alarm set and its rules.

    Attributes:
        index: the committed set.
        shelves, suppressions: by id, the committed ones.
        clears_unknown: clears of what was not there.
    """

    def __init__(self, catalogue: Catalogue, *, limits: Limits = DEFAULT_LIMITS) -> None:
        self.catalogue = catalogue
        self.index = AlarmIndex()
        self.shelves: dict[str, Shelf] = {}
        self.suppressions: dict[str, Suppression] = {}
        self.seq = 0
        self.clears_unknown = 0
        self._limits = limits
        self._masks = Masks(catalogue)
        self._hides = Hides(catalogue)
        self._flaps: OrderedDict[str, tuple[int, ...]] = OrderedDict()
        self._incident_of: Callable[[AlarmRow], Member | None] = lambda _row: None
        self._handlers: dict[type, _Handler] = {
            Said: self._on_said,
            SetSaid: self._on_set,
            OwnRaised: self._on_own_raised,
            OwnCleared: self._on_own_cleared,
            NodeDark: self._on_dark,
            NodeBack: self._on_back,
            Removed: self._on_removed,
            Tick: self._on_tick,
            Acted: self._on_acted,
            ShelfPut: self._hides.on_shelf_put,
            ShelfTaken: self._hides.on_shelf_taken,
            SuppressionPut: self._hides.on_suppression_put,
            SuppressionTaken: self._hides.on_suppression_taken,
            Attached: self._on_attached,
            ToldApart: self._on_told_apart,
        }

    def join_incidents(self, incident_of: Callable[[AlarmRow], Member | None]) -> None:
        """Ask this for the incident of each alarm that is raised."""
        self._incident_of = incident_of

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

    # -- what nodes say --------------------------------------------------------------------

    def _on_said(self, draft: Draft, event: Said, now_ms: int) -> None:
        said = event.alarm
        entity = full_entity(event.node, said.entity)
        old = draft.get(key_id(said.type, entity))
        if said.change is not Change.CLEAR:
            self._raise(draft, old, self._heard(event, entity, old, now_ms), now_ms)
        elif old is None or old.state == CLEARED or old.held_ms is not None:
            self.clears_unknown += 1
        else:
            self._clear_or_hold(draft, old, said.reason or "gone", event.at_ms, now_ms)

    def _heard(self, event: Said, entity: str, old: AlarmRow | None, now_ms: int) -> AlarmRow:
        """Return the row that a raise or a change makes, whatever was there before."""
        said = event.alarm
        raised_ms = said.raised_ms or event.at_ms
        count = said.count
        if old is not None and old.state != CLEARED:
            raised_ms = old.raised_ms
            count = max(count, old.count + (said.change is Change.RAISE))
        site = event.node.partition(".")[0]
        return AlarmRow(
            key_id=key_id(said.type, entity),
            id="",
            type=said.type,
            entity=entity,
            site=site,
            node=event.node,
            reporter=event.node,
            said=said.entity,
            severity=said.severity,
            flapping=said.flapping,
            count=count,
            text=said.text or self._text(said.type, said.severity, entity, said),
            params=said.params,
            raised_ms=raised_ms,
            changed_ms=event.at_ms,
            received_ms=now_ms,
            unsynced=said.unsynced,
            late=self._is_late(event.at_ms, now_ms, unsynced=said.unsynced),
        )

    def _raise(self, draft: Draft, old: AlarmRow | None, new: AlarmRow, now_ms: int) -> None:
        if old is None or old.state == CLEARED:
            self._begin(draft, new, now_ms)
            return
        flaps = self._note_flap(new, is_turn=old.held_ms is not None)
        row = replace(
            old,
            severity=new.severity,
            state=ACTIVE,
            count=new.count,
            text=new.text,
            params=new.params,
            changed_ms=new.changed_ms,
            unsynced=new.unsynced,
            flapping=new.flapping or old.flapping or flaps,
            held_ms=None,
            unknown_ms=None,
            expires_ms=new.expires_ms,
            calm_ms=now_ms + self._limits.flap_ms if old.calm_ms is not None or flaps else None,
            ack=None if new.severity > old.severity else old.ack,
        )
        told = ("severity", "text", "flapping", "state")
        if any(getattr(row, name) != getattr(old, name) for name in told) or old.held_ms:
            draft.tell("change", row, now_ms, at_ms=new.changed_ms)
            draft.touched[row.site or ""] = None
        elif row != replace(old, changed_ms=row.changed_ms):
            draft.put(row)

    def _begin(self, draft: Draft, new: AlarmRow, now_ms: int) -> None:
        """Begin an episode: whatever operators did belongs to the one before."""
        flaps = self._note_flap(new, is_turn=True)
        row = replace(
            new,
            id=ulid(now_ms, new.key_id, str(draft.seq + 1)),
            flapping=new.flapping or flaps,
            calm_ms=now_ms + self._limits.flap_ms if flaps else None,
        )
        incident, ack = self._incident_of(row) or ("", None)
        row = replace(
            row,
            shelf=self._hides.shelf_of(draft, row, now_ms),
            suppressed_by=self._hides.suppression_of(draft, row),
            incident=incident,
            ack=ack,
        )
        draft.tell("raise", row, now_ms, at_ms=row.raised_ms)
        draft.touched[row.site or ""] = None

    def _clear_or_hold(
        self, draft: Draft, old: AlarmRow, reason: str, at_ms: int, now_ms: int
    ) -> None:
        flaps = self._note_flap(replace(old, changed_ms=at_ms), is_turn=True)
        if not flaps:
            self._close(draft, old, reason, at_ms, now_ms)
            return
        held = replace(
            old, flapping=True, calm_ms=None, held_ms=now_ms + self._limits.calm_ms, reason=reason
        )
        if old.flapping:
            draft.put(held)
        else:
            draft.tell("change", held, now_ms, at_ms=at_ms)

    def _close(  # noqa: PLR0913 - when and why it ended, and who said so
        self,
        draft: Draft,
        old: AlarmRow,
        reason: str,
        at_ms: int,
        now_ms: int,
        *,
        actor: str = "",
        note: str = "",
    ) -> None:
        row = replace(
            old,
            state=CLEARED,
            cleared_ms=at_ms,
            changed_ms=at_ms,
            reason=reason,
            held_ms=None,
            expires_ms=None,
            calm_ms=None,
            unknown_ms=None,
            masked_by="",
        )
        stays = self.catalogue.record(row.type).latch and row.ack is None and reason != "deleted"
        if stays:
            row = replace(row, shelf=None)
        draft.tell("clear", row, now_ms, at_ms=at_ms, actor=actor, note=note, gone=not stays)
        draft.touched[row.site or ""] = None

    def _on_set(self, draft: Draft, event: SetSaid, now_ms: int) -> None:
        """Make our set of a node equal to what it says, within the part's bounds."""
        part = event.part
        held = {alarm_key(state): state for state in part.alarms}
        for row in draft.of_reporter(event.node):
            name = key(row.type, row.said)
            inside = name > part.after and (part.through is None or name <= part.through)
            if inside and name not in held and row.state != CLEARED and row.held_ms is None:
                self._close(draft, row, "reconciled", event.at_ms, now_ms)
        for state in part.alarms:
            self._reconcile(draft, event, state, now_ms)

    def _reconcile(self, draft: Draft, event: SetSaid, state: AlarmState, now_ms: int) -> None:
        said = Alarm(
            v=event.part.v,
            type=state.type,
            change=Change.CHANGE,
            severity=state.severity,
            entity=state.entity,
            text=state.text,
            params=state.params,
            raised_ms=state.raised_ms,
            count=state.count,
            flapping=state.flapping,
            unsynced=event.part.unsynced,
        )
        self._on_said(draft, Said(event.node, said, state.changed_ms), now_ms)

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
            text=self._text(event.type, event.severity, event.entity, None, event.params),
            params=dict(event.params),
            raised_ms=now_ms,
            changed_ms=now_ms,
            received_ms=now_ms,
            expires_ms=None if event.ttl_ms is None else now_ms + event.ttl_ms,
        )
        self._raise(draft, old, new, now_ms)

    def _on_own_cleared(self, draft: Draft, event: OwnCleared, now_ms: int) -> None:
        old = draft.get(key_id(event.type, event.entity))
        if old is None or old.state == CLEARED or old.held_ms is not None:
            self.clears_unknown += 1
            return
        self._clear_or_hold(draft, old, event.reason, now_ms, now_ms)

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
                self._close(draft, row, "deleted", now_ms, now_ms, note=event.entity)

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
            self._close(draft, row, row.reason, row.changed_ms, now_ms)
        elif row.expires_ms is not None and row.expires_ms <= now_ms:
            self._close(draft, row, "ttl-expired", now_ms, now_ms)
        elif row.calm_ms is not None and row.calm_ms <= now_ms:
            draft.tell("change", replace(row, flapping=False, calm_ms=None), now_ms)

    # -- what operators do -----------------------------------------------------------------

    def _on_acted(self, draft: Draft, event: Acted, now_ms: int) -> None:
        row = draft.get(event.key_id)
        if row is None:
            return
        match event.verb:
            case "ack":
                self._ack(draft, row, event, now_ms)
            case "unack" if row.ack is not None:
                row = replace(row, ack=None)
                draft.tell("unack", row, now_ms, actor=event.by, note=event.note)
            case "note":
                row = replace(row, notes=row.notes + 1)
                draft.tell("note", row, now_ms, actor=event.by, note=event.note)
            case "assign":
                self._assign(draft, row, event, now_ms)
            case "clear" if row.state != CLEARED:
                self._close(draft, row, "operator", now_ms, now_ms, actor=event.by, note=event.note)
            case _:
                pass

    def _ack(self, draft: Draft, row: AlarmRow, event: Acted, now_ms: int) -> None:
        if row.ack is not None:
            return
        row = replace(row, ack=Ack(event.by, now_ms, event.note))
        gone = row.state == CLEARED
        draft.tell("ack", row, now_ms, actor=event.by, note=event.note, gone=gone)

    def _assign(self, draft: Draft, row: AlarmRow, event: Acted, now_ms: int) -> None:
        new = replace(
            row,
            assignee=row.assignee if event.assignee is None else event.assignee,
            ticket=row.ticket if event.ticket is None else event.ticket,
        )
        if new != row:
            draft.tell("assign", new, now_ms, actor=event.by, note=event.note)

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

    # -- rules -----------------------------------------------------------------------------

    def _note_flap(self, row: AlarmRow, *, is_turn: bool) -> bool:
        """Note a turn (a raise or a clear) and return whether the alarm flaps."""
        limits = self._limits
        seen = self._flaps.get(row.key_id, ())
        if is_turn and seen[-1:] != (
            row.changed_ms,
        ):  # not twice: a transaction may be tried again
            seen = (*seen, row.changed_ms)[-limits.flap_count :]
            self._flaps[row.key_id] = seen
            self._flaps.move_to_end(row.key_id)
            while len(self._flaps) > limits.known_flaps_max:
                self._flaps.popitem(last=False)
        return len(seen) >= limits.flap_count and 0 <= seen[-1] - seen[0] <= limits.flap_ms

    def _is_late(self, at_ms: int, now_ms: int, *, unsynced: bool) -> bool:
        behind_ms = now_ms - at_ms
        return not unsynced and behind_ms > self._limits.late_ms

    def _text(
        self,
        type_: str,
        severity: Severity,
        entity: str,
        said: Alarm | None,
        params: Any = None,  # noqa: ANN401 - a mapping of scalars
    ) -> str:
        record = self.catalogue.record(type_)
        template = record.severities.get(severity.word, "")
        values = {**dict(parse(entity)), **(said.params if said else params or {})}
        return cut(render(template, values)) or record.name


def full_entity(node: str, said: str) -> str:
    """Return the entity from ``site=`` on of what a node says."""
    site, _, name = node.partition(".")
    return f"site={site},node={name},{said}" if said else f"site={site},node={name}"


def alarm_key(state: AlarmState) -> str:
    """Return the key of an alarm of a set, as the node orders them."""
    return key(state.type, state.entity)
