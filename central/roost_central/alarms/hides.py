"""What operators hide alarms by: shelves, for a time, and suppressions, of a type. Pure.

A shelf holds the alarms it names or its query matches, future ones too; a suppression those of its
type that its query matches. Either hides an alarm from lists, not from queries, and ends by its
time or by hand: what is still there is told again.
"""

from msgspec.structs import replace

from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.draft import Draft
from roost_central.alarms.facts import ShelfPut, ShelfTaken, SuppressionPut, SuppressionTaken
from roost_central.alarms.row import CLEARED, AlarmRow, Shelved


class Hides:
    """Keeps each alarm's shelf and suppression as those that are there make it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def shelf_of(self, draft: Draft, row: AlarmRow, now_ms: int) -> Shelved | None:
        """Return the first shelf that an alarm is on."""
        for shelf in draft.shelves.values():
            if shelf.until_ms > now_ms and shelf.covers(row):
                return Shelved(shelf.id, shelf.by, shelf.until_ms, shelf.reason)
        return None

    def suppression_of(self, draft: Draft, row: AlarmRow) -> str:
        """Return the id of the first suppression of an alarm, or the empty text."""
        if not self._catalogue.record(row.type).suppressible:
            return ""
        return next((one.id for one in draft.suppressions.values() if one.covers(row)), "")

    def on_shelf_put(self, draft: Draft, event: ShelfPut, now_ms: int) -> None:
        """Put up a shelf."""
        shelf = event.shelf
        draft.shelves[shelf.id] = shelf
        self._put_on_shelves(draft, now_ms, shelf.by, shelf.reason)

    def on_shelf_taken(self, draft: Draft, event: ShelfTaken, now_ms: int) -> None:
        """Take down a shelf."""
        draft.shelves.pop(event.id, None)
        self._put_on_shelves(draft, now_ms, event.by, "")

    def on_suppression_put(self, draft: Draft, event: SuppressionPut, now_ms: int) -> None:
        """Begin a suppression."""
        one = event.suppression
        draft.suppressions[one.id] = one
        self._suppress(draft, now_ms, one.type, one.by, one.reason)

    def on_suppression_taken(self, draft: Draft, event: SuppressionTaken, now_ms: int) -> None:
        """End a suppression."""
        one = draft.suppressions.pop(event.id, None)
        if one is not None:
            self._suppress(draft, now_ms, one.type, event.by, "")

    def expire(self, draft: Draft, now_ms: int) -> None:
        """End what is over; alarms leave an expired shelf by themselves, each when it is due."""
        for shelf in [each.id for each in draft.shelves.values() if each.until_ms <= now_ms]:
            del draft.shelves[shelf]
        over = [
            one
            for one in draft.suppressions.values()
            if one.until_ms is not None and one.until_ms <= now_ms
        ]
        for one in over:
            del draft.suppressions[one.id]
            self._suppress(draft, now_ms, one.type, "", "expired")

    def _put_on_shelves(self, draft: Draft, now_ms: int, by: str, note: str) -> None:
        """Look at every alarm: shelves changed."""
        for row in draft.all():
            shelf = self.shelf_of(draft, row, now_ms) if row.state != CLEARED else None
            if shelf != row.shelf:
                event = "unshelve" if shelf is None else "shelve"
                draft.tell(event, replace(row, shelf=shelf), now_ms, actor=by, note=note)

    def _suppress(self, draft: Draft, now_ms: int, type_: str, by: str, note: str) -> None:
        """Look at every alarm of a type: suppressions changed."""
        for row in draft.all():
            if row.type != type_:
                continue
            now = self.suppression_of(draft, row)
            if now != row.suppressed_by:
                event = "suppress" if now else "unsuppress"
                draft.tell(event, replace(row, suppressed_by=now), now_ms, actor=by, note=note)
