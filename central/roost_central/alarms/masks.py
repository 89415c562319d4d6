"""Which alarm hides which: ``inhibited_by`` and containment, site by site. Pure."""

from msgspec.structs import replace

from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.draft import Draft
from roost_central.alarms.row import CLEARED, AlarmRow
from roost_protocol.entity import contains


class Masks:
    """Keeps ``masked_by`` true.

    A child is masked by the first open alarm, by type in the catalogue's order, whose entity
    contains the child's. Containment never leaves a site, so only touched sites are looked at.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._parents = {
            record.id: record.inhibited_by for record in catalogue.values() if record.inhibited_by
        }
        self._inhibitors = frozenset(link for links in self._parents.values() for link in links)

    def settle(self, draft: Draft, now_ms: int) -> None:
        """Bring the touched sites up to date."""
        for site in list(draft.touched):
            rows = draft.of_site(site)
            open_ = [r for r in rows if r.type in self._inhibitors and r.state != CLEARED]
            for row in rows:
                if row.type in self._parents and row.state != CLEARED:
                    self._settle_one(draft, row, open_, now_ms)
        draft.touched.clear()

    def _settle_one(
        self, draft: Draft, row: AlarmRow, parents: list[AlarmRow], now_ms: int
    ) -> None:
        by = ""
        for type_ in self._parents[row.type]:
            for parent in parents:
                if parent.type == type_ and contains(parent.pairs, row.pairs):
                    by = by or parent.key_id
        if by != row.masked_by:
            event = "mask" if by else "unmask"
            draft.tell(event, replace(row, masked_by=by), now_ms, note=by or row.masked_by)
