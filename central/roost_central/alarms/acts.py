"""What operators do with one alarm: seen, noted, assigned, cleared. Pure.

Invariants: it never touches the condition, but for a clear, which the next digest takes back where
the node still holds the alarm.
"""

from msgspec.structs import replace

from roost_central.alarms.draft import Draft
from roost_central.alarms.episodes import Episodes
from roost_central.alarms.facts import Acted
from roost_central.alarms.row import CLEARED, Ack, AlarmRow


class Acts:
    """Takes in what operators do."""

    def __init__(self, episodes: Episodes) -> None:
        self._episodes = episodes

    def acted(self, draft: Draft, event: Acted, now_ms: int) -> None:
        """Take in one act on one alarm; of one that is gone nothing."""
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
                self._episodes.close(
                    draft, row, "operator", now_ms, now_ms, actor=event.by, note=event.note
                )
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
