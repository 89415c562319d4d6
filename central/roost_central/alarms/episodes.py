"""One alarm from its raise to its clear: how an episode begins, changes and ends. Pure.

Invariants: what operators did belongs to one episode; an acknowledgement falls off when it gets
worse; one that flaps stays raised until it was clear for a while.
"""

from collections.abc import Callable

from msgspec.structs import replace

from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.draft import Draft
from roost_central.alarms.facts import Limits
from roost_central.alarms.flaps import Flaps
from roost_central.alarms.hides import Hides
from roost_central.alarms.row import ACTIVE, CLEARED, Ack, AlarmRow
from roost_central.alarms.ulid import ulid

Member = tuple[str, Ack | None]  # of an incident: its id, and its acknowledgement
IncidentOf = Callable[[AlarmRow], Member | None]


class Episodes:
    """The steps of episodes.

    Attributes:
        incident_of: the incident of an alarm that is raised, if it belongs to one.
        clears_unknown: clears of what was not there.
    """

    def __init__(self, catalogue: Catalogue, hides: Hides, limits: Limits) -> None:
        self.incident_of: IncidentOf = lambda _row: None
        self.clears_unknown = 0
        self._catalogue = catalogue
        self._hides = hides
        self._limits = limits
        self._flaps = Flaps(limits)

    def raised(self, draft: Draft, old: AlarmRow | None, new: AlarmRow, now_ms: int) -> None:
        """Take in a raise or a change: a new episode, or the next step of one that is open."""
        if old is None or old.state == CLEARED:
            self._begin(draft, new, now_ms)
            return
        flaps = self._flaps.note(
            new.key_id, new.type, new.changed_ms, is_turn=old.held_ms is not None
        )
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

    def cleared(
        self, draft: Draft, old: AlarmRow | None, reason: str, at_ms: int, now_ms: int
    ) -> None:
        """Take in a clear: the end, while it flaps perhaps; of what is not there it is nothing."""
        if old is None or old.state == CLEARED or old.held_ms is not None:
            self.clears_unknown += 1
        else:
            self._clear_or_hold(draft, old, reason, at_ms, now_ms)

    def close(  # noqa: PLR0913 - when and why it ended, and who said so
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
        """End an episode; one with a latch stays listed until it is acknowledged."""
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
        stays = self._catalogue.record(row.type).latch and row.ack is None and reason != "deleted"
        if stays:
            row = replace(row, shelf=None)
        draft.tell("clear", row, now_ms, at_ms=at_ms, actor=actor, note=note, gone=not stays)
        draft.touched[row.site or ""] = None

    def _begin(self, draft: Draft, new: AlarmRow, now_ms: int) -> None:
        """Begin an episode: whatever operators did belongs to the one before."""
        flaps = self._flaps.note(new.key_id, new.type, new.changed_ms, is_turn=True)
        row = replace(
            new,
            id=ulid(now_ms, new.key_id, str(draft.seq + 1)),
            flapping=new.flapping or flaps,
            calm_ms=now_ms + self._limits.flap_ms if flaps else None,
        )
        incident, ack = self.incident_of(row) or ("", None)
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
        flaps = self._flaps.note(old.key_id, old.type, at_ms, is_turn=True)
        if not flaps:
            self.close(draft, old, reason, at_ms, now_ms)
            return
        held = replace(
            old, flapping=True, calm_ms=None, held_ms=now_ms + self._limits.calm_ms, reason=reason
        )
        if old.flapping:
            draft.put(held)
        else:
            draft.tell("change", held, now_ms, at_ms=at_ms)
