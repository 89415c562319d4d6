"""Storms: many alarms of one kind at once become one incident, which knows when it is over. Pure.

Takes in what is raised meanwhile, follows which sites are back. Leaves when something is a storm
to storm.py, the search for a shared cause to correlate.py and its caller, and the rows of alarms to
the core.

Receivers outside are told of an incident HOLD_MS after its beginning, when its cause is known: one
notification with a reason, instead of one without and another soon after. With it come those few
members, one by one, that the cause does not explain: what else is wrong must not drown.

An incident of what turns out to be a consequence (nodes without an uplink) becomes that of its
cause (their sites offline), under the id it has.

Invariants: one open incident a type, beside those that operators split from it, which keep the
sites they took; a site is back only when none of its members is open for
BACK_MS; an incident ends when all are back, or by an operator.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.draft import Draft
from roost_central.alarms.incident_row import CLOSED, IncidentNote, IncidentRow
from roost_central.alarms.open_incident import OpenIncident
from roost_central.alarms.row import Ack, AlarmRow
from roost_central.alarms.storm import SITES_MIN, RegionOf, Storm, StormWatch
from roost_central.alarms.transition import Transition
from roost_central.alarms.ulid import ulid

CHANGE_MS: Final = 2_000  # at most so often is a growing incident told
NOT_BACK_MAX: Final = 1_000  # names of sites in one row
NOTES_MAX: Final = 100
APART_MAX: Final = SITES_MIN - 1  # sites told apart: more that are unexplained are a storm too


class Incidents:
    """All open incidents, and what may become one."""

    def __init__(self, catalogue: Catalogue, region_of: RegionOf) -> None:
        self._catalogue = catalogue
        self._region_of = region_of
        self._open: dict[str, OpenIncident] = {}
        self._by_type: dict[str, str] = {}
        self._watch = StormWatch(region_of)

    @property
    def open_rows(self) -> list[IncidentRow]:
        """The open incidents, the oldest first."""
        return [each.row for each in self._open.values()]

    def load(self, rows: Iterable[IncidentRow], alarms: Iterable[AlarmRow]) -> None:
        """Begin with the open ones that storage has, and the alarms that belong to them."""
        self._open = {row.id: OpenIncident(row) for row in rows}
        self._by_type = {row.type: row.id for row in self.open_rows if not row.split_from}
        self._watch.clear()
        for alarm in alarms:
            found = self._open.get(alarm.incident)
            if found is not None and alarm.is_open and alarm.site:
                found.members.setdefault(alarm.site, set()).add(alarm.key_id)

    def find(self, id_: str) -> IncidentRow | None:
        """Return an open incident."""
        found = self._open.get(id_)
        return None if found is None else found.row

    def of_alarm(self, row: AlarmRow) -> tuple[str, Ack | None] | None:
        """Return the incident that an alarm raised now belongs to, with its acknowledgement."""
        if row.site is None:
            return None
        related = self._related(row.type)
        for each in self._open.values():
            if each.row.split_from and each.row.type in related and each.has(row.site):
                return each.row.id, each.row.ack
        for type_ in related:
            found = self._open.get(self._by_type.get(type_, ""))
            if found is not None and found.row.region in {"", self._region_of(row.site)}:
                return found.row.id, found.row.ack
        return None

    def unexplained(self) -> list[tuple[str, list[str]]]:
        """Return the incidents that grew since they were explained, with the sites they hit."""
        return [(each.row.id, each.sites) for each in self._open.values() if each.grown]

    def observe(self, draft: Draft, now_ms: int) -> dict[str, str]:
        """Take in what a draft tells; return key_ids that join an incident by its opening."""
        joined: dict[str, str] = {}
        for step in list(draft.transitions):
            if step.alarm is None or step.alarm.site is None:
                continue
            if step.event == "raise":
                self._raised(draft, step.alarm, now_ms, joined)
            elif step.event == "clear":
                self._cleared(step)
        for each in list(self._open.values()):
            self._review(draft, each, now_ms)
        return joined

    def take_apart(self) -> list[str]:
        """Return the members, once, that receivers hear of for themselves; after ``observe``."""
        keys: list[str] = []
        for each in self._open.values():
            if each.apart and not each.row.held:
                keys += [key_id for site in each.apart for key_id in each.members.get(site, ())]
                each.apart = ()
        return keys

    def is_candidate(self, alarm: AlarmRow, now_ms: int) -> bool:
        """Return whether an incident may yet take an alarm that was raised just now."""
        return not alarm.incident and self._watch.is_candidate(alarm, now_ms)

    def is_due(self, now_ms: int) -> bool:
        """Return whether time alone changes an open incident."""
        return any(
            (now_ms - each.told_ms >= CHANGE_MS and each.back(now_ms) != each.row.recovered)
            or each.must_notify(now_ms)
            for each in self._open.values()
        )

    def explained(
        self,
        draft: Draft,
        id_: str,
        change: Mapping[str, object],
        unexplained: Iterable[str],
        now_ms: int,
    ) -> dict[str, bool]:
        """Show what was found; return for each member whether the causes explain it."""
        found = self._open.get(id_)
        if found is None:
            return {}
        found.grown = False
        rest = set(unexplained)
        found.apart = tuple(sorted(rest)) if change.get("causes") and len(rest) <= APART_MAX else ()
        alarms = max(found.row.alarms, sum(map(len, found.members.values())))
        new = replace(found.row, sites=len(found.sites), alarms=alarms, **change)
        if new != found.row:
            self._tell(draft, found, new, now_ms)
        return {key_id: site not in rest for site, keys in found.members.items() for key_id in keys}

    def acked(self, draft: Draft, id_: str, ack: Ack, now_ms: int) -> list[str]:
        """Acknowledge an incident; return its open members."""
        found = self._open[id_]
        row = replace(found.row, ack=ack)
        self._tell(draft, found, row, now_ms, actor=ack.by, note=ack.note)
        return [key_id for keys in found.members.values() for key_id in keys]

    def noted(self, draft: Draft, id_: str, note: IncidentNote, now_ms: int) -> None:
        """Add a note, the oldest of too many go."""
        found = self._open[id_]
        row = replace(found.row, notes=[*found.row.notes, note][-NOTES_MAX:])
        self._tell(draft, found, row, now_ms, actor=note.by, note=note.text)

    def close(self, draft: Draft, id_: str, by: str, reason: str, now_ms: int) -> list[str]:
        """End an incident by hand; return its open members, which are their own again."""
        found = self._open[id_]
        members = [key_id for keys in found.members.values() for key_id in keys]
        self._end(draft, found, now_ms, reason=reason, actor=by)
        return members

    def members(self, id_: str) -> set[str]:
        """Return the open members of an open incident."""
        return {key_id for keys in self._open[id_].members.values() for key_id in keys}

    def split(  # noqa: PLR0913 - who takes what from where, and why
        self, draft: Draft, id_: str, key_ids: Iterable[str], *, by: str, reason: str, now_ms: int
    ) -> str:
        """Make some members of an incident, not all, an incident of their own; return its id."""
        found, taken = self._open[id_], set(key_ids)
        row = replace(
            found.row,
            id=f"INC-{ulid(now_ms, id_, str(draft.seq))}",
            split_from=id_,
            opened_ms=now_ms,
            causes=[],
            rejected=[],
            covered=0,
            dark=0,
            recovered=0,
            held=False,
            ack=None,
            notes=[],
        )
        other = self._open[row.id] = OpenIncident(row, told_ms=now_ms)
        for site, keys in list(found.members.items()):
            for key_id in sorted(keys & taken):
                self._join(other, site, key_id)
            keys.difference_update(taken)
            if not keys:
                del found.members[site]
        row = replace(row, sites=len(other.sites), alarms=len(self.members(row.id)))
        draft.tell_incident("incident-open", row, now_ms, actor=by, note=reason)
        other.row = draft.incidents[row.id]
        found.grown = True
        left = replace(found.row, sites=len(found.sites), alarms=len(self.members(id_)))
        self._tell(draft, found, left, now_ms, actor=by, note=reason)
        return row.id

    # -- what happens ----------------------------------------------------------------------

    def _raised(self, draft: Draft, alarm: AlarmRow, now_ms: int, joined: dict[str, str]) -> None:
        site = alarm.site or ""
        member = self.of_alarm(alarm)  # also where it opened within this very draft
        if member is not None:
            self._join(self._open[member[0]], site, alarm.key_id)
            if alarm.incident != member[0]:
                joined[alarm.key_id] = member[0]
            return
        storm = self._watch.raised(alarm, now_ms, is_storm=alarm.type in draft.stormy)
        if storm is not None and alarm.type not in self._by_type:
            self._begin(draft, alarm, storm, joined=joined, now_ms=now_ms)

    def _begin(
        self, draft: Draft, alarm: AlarmRow, storm: Storm, *, joined: dict[str, str], now_ms: int
    ) -> None:
        found = self._consequence(storm.type, storm.region)
        event = "incident-open" if found is None else "incident-change"
        if found is None:
            found = self._opened(draft, alarm, storm.region, now_ms)
        for site, key_id in storm.members:
            member = draft.get(key_id)
            if member is not None and member.is_open:
                self._join(found, site, key_id)
                joined[key_id] = found.row.id
        row = replace(
            found.row,
            type=alarm.type,
            severity=max(found.row.severity, alarm.severity),
            sites=len(found.sites),
            alarms=sum(map(len, found.members.values())),
        )
        self._by_type.pop(found.row.type, None)
        self._by_type[row.type] = row.id
        draft.tell_incident(event, row, now_ms)
        found.row = draft.incidents[row.id]
        found.told_ms = now_ms
        found.grown = True

    def _consequence(self, type_: str, region: str) -> OpenIncident | None:
        """Return the open incident of what ``type_`` causes or hides: it is the same one.

        One that an operator has split or acknowledged stays what they saw.
        """
        for each in self._open.values():
            row = each.row
            if row.split_from or row.ack is not None or row.region != region:
                continue
            if type_ in self._related(row.type):
                return each
        return None

    def _opened(self, draft: Draft, alarm: AlarmRow, region: str, now_ms: int) -> OpenIncident:
        row = IncidentRow(
            id=f"INC-{ulid(now_ms, alarm.type, region, str(draft.seq))}",
            kind="rate" if region else "types",
            type=alarm.type,
            region=region,
            severity=alarm.severity,
            opened_ms=now_ms,
            changed_ms=now_ms,
            held=True,
        )
        self._open[row.id] = OpenIncident(row)
        return self._open[row.id]

    def _join(self, found: OpenIncident, site: str, key_id: str) -> None:
        found.grown |= site not in found.members
        found.back_ms.pop(site, None)
        found.members.setdefault(site, set()).add(key_id)

    def _cleared(self, step: Transition) -> None:
        alarm = step.alarm
        if alarm is None or alarm.incident not in self._open:
            return
        found, site = self._open[alarm.incident], alarm.site or ""
        keys = found.members.get(site, set())
        keys.discard(alarm.key_id)
        if not keys:
            found.members.pop(site, None)
            found.back_ms[site] = step.received_ms

    def _review(self, draft: Draft, found: OpenIncident, now_ms: int) -> None:
        """Count who is back; tell what changed, or the end."""
        back = found.back(now_ms)
        row = found.row
        alarms = sum(map(len, found.members.values()))
        new = replace(row, sites=len(found.sites), recovered=back, alarms=max(row.alarms, alarms))
        if not found.members and back == len(found.back_ms):
            found.row = new
            self._end(draft, found, now_ms, reason="recovered")
        elif found.must_notify(now_ms):
            self._tell(draft, found, replace(new, held=False), now_ms, event="incident-notify")
        elif new != row and now_ms - found.told_ms >= CHANGE_MS:
            self._tell(draft, found, new, now_ms)

    def _end(
        self, draft: Draft, found: OpenIncident, now_ms: int, *, reason: str, actor: str = ""
    ) -> None:
        left = sorted(found.members)[:NOT_BACK_MAX]
        row = replace(found.row, state=CLOSED, closed_ms=now_ms, reason=reason, not_back=left)
        draft.tell_incident("incident-close", row, now_ms, actor=actor, note=reason)
        del self._open[row.id]
        if self._by_type.get(row.type) == row.id:
            del self._by_type[row.type]
        self._watch.calm(row.type)

    def _tell(  # noqa: PLR0913 - a step is these words
        self,
        draft: Draft,
        found: OpenIncident,
        row: IncidentRow,
        now_ms: int,
        *,
        event: str = "incident-change",
        actor: str = "",
        note: str = "",
    ) -> None:
        draft.tell_incident(event, row, now_ms, actor=actor, note=note)
        found.row = draft.incidents[row.id]
        found.told_ms = now_ms

    def _related(self, type_: str) -> tuple[str, ...]:
        """Return the type and those it may be caused or hidden by."""
        record = self._catalogue.record(type_)
        return (type_, *record.root_causes, *record.inhibited_by)
