"""A feed of alarms in memory: real transitions, numbers and cursors, without a centre around it."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from roost_central.alarms.flat import FlatAlarm, FlatIncident, FlatSummary

WORDS = ("cleared", "warning", "minor", "major", "critical")


class Row(FlatAlarm, frozen=True, kw_only=True):
    """A flat object that answers as the centre's rows do."""

    @property
    def is_open(self) -> bool:
        return self.state != "cleared"

    @property
    def is_withheld(self) -> bool:
        return self.suppressed


@dataclass(frozen=True)
class Change:
    """A transition; rows are flat objects already."""

    seq: int
    event: str
    alarm: FlatAlarm | None = None
    incident: FlatIncident | None = None
    note: str = ""
    received_ms: int = 0


def alarm(number: int = 1, *, sev: int = 3, **more) -> FlatAlarm:
    """An alarm; the number makes its identity."""
    entity = more.pop("entity", f"site=s{number:05},path=p1")
    found = {
        "id": f"01MDWJ52S05T0Q4N2V9B{number:06}",
        "key_id": hashlib.blake2b(f"280.801|{entity}".encode(), digest_size=8).hexdigest(),
        "type": "280.801",
        "name": "site.path.down",
        "event": "raise",
        "state": "active",
        "op_state": "none",
        "severity": WORDS[sev],
        "sev": sev,
        "site": f"s{number:05}",
        "node": "",
        "entity": entity,
        "event_type": "communication",
        "cause": "loss-of-signal",
        "text": "WAN path p1 lost; 1 left",
        "repair": "Check the carrier circuit.",
        "raised": "2027-02-03T03:00:04Z",
        "changed": "2027-02-03T03:00:04Z",
        "ts": 1801623604,
        "region": "r02",
        "labels": {"carrier": "carB"},
        "url": f"https://roost.example/a/{number}",
    }
    return Row(**(found | {"suppressed": bool(more.get("incident"))} | more))


def over(row: FlatAlarm, **more) -> FlatAlarm:
    """An alarm at its end."""
    return msgspec.structs.replace(row, state="cleared", severity="cleared", sev=0, **more)


def incident(name: str = "INC-7F3A", **more) -> FlatIncident:
    """An incident."""
    found = {
        "id": name,
        "event": "open",
        "state": "open",
        "severity": "critical",
        "sev": 4,
        "cause": "carrier=carB AND region IN r00..r11",
        "precision": 1.0,
        "covered": 2000,
        "sites": 2002,
        "unexplained": 2,
        "dark": 129,
        "recovered": 0,
        "ack_by": "",
        "started": "2027-02-03T03:00:02Z",
        "ts": 1801623609,
    }
    return FlatIncident(**(found | more))


class MemoryFeed:
    """See AlarmFeed."""

    def __init__(self) -> None:
        self.last_seq = 0
        self.changes: list[Change] = []
        self.rows: dict[str, FlatAlarm] = {}
        self._incidents: dict[str, FlatIncident] = {}
        self.own: dict[str, Mapping[str, object]] = {}
        self.outstanding: set[str] = set()  # key ids
        self.candidates: set[str] = set()  # key ids
        self._news = asyncio.Event()

    def tell(self, event: str, row: FlatAlarm) -> int:
        """Commit a transition of an alarm."""
        if event == "clear":
            row = over(row)
            self.rows.pop(row.key_id, None)
        else:
            self.rows[row.key_id] = row
        return self._commit(event, row, None)

    def remove(self, site: str) -> int:
        """Commit the removal of a site: the ends of all its alarms, in one transaction."""
        began = self.last_seq + 1
        gone = [row for row in self.rows.values() if row.site == site]
        for row in gone:
            self.rows.pop(row.key_id)
        for row in gone:
            gone_with_it = {"note": f"site={site}", "received_ms": began}
            self._commit("clear", over(row, reason="deleted"), None, **gone_with_it)
        return self.last_seq

    def tell_incident(self, event: str, row: FlatIncident) -> int:
        """Commit a transition of an incident."""
        if event == "close":
            row = msgspec.structs.replace(row, state="closed")
            self._incidents.pop(row.id, None)
        else:
            self._incidents[row.id] = row
        return self._commit(f"incident-{event}", None, row)

    async def transitions(self, after: int, limit: int = 500) -> Sequence[Change]:
        return self.changes[after : after + limit]

    async def wait(self, after: int) -> int:
        while self.last_seq <= after:
            self._news.clear()
            await self._news.wait()
        return self.last_seq

    def open_alarms(self) -> Sequence[FlatAlarm]:
        return list(self.rows.values())

    def open_incidents(self) -> Sequence[FlatIncident]:
        return list(self._incidents.values())

    def stands_out(self, row: FlatAlarm) -> bool:
        return row.key_id in self.outstanding

    def is_candidate(self, row: FlatAlarm) -> bool:
        return row.key_id in self.candidates

    def flat(self, row: FlatAlarm, event: str, seq: int) -> FlatAlarm:
        return msgspec.structs.replace(row, event=event, seq=seq)

    def flat_incident(self, row: FlatIncident, event: str, seq: int) -> FlatIncident:
        return msgspec.structs.replace(row, event=event, seq=seq)

    def flat_summary(self, sites=None) -> FlatSummary:
        counts = dict.fromkeys(WORDS[1:], 0)
        rows = [row for row in self.rows.values() if sites is None or row.site in sites]
        for row in rows:
            counts[row.severity] += 1
        return FlatSummary(
            **counts,
            unknown=0,
            shelved=0,
            masked=0,
            sites_ok=0,
            sites_degraded=0,
            sites_maintenance=0,
            sites_down=0,
            sites_unknown=0,
            incidents=len({row.incident for row in rows} - {""} if sites else self._incidents),
            status="critical" if counts["critical"] else "ok",
            ts=1801623609,
        )

    def raise_own(self, type_, entity, severity, params, *, ttl_s=None) -> None:
        self.own[f"{type_}|{entity}"] = params

    def clear_own(self, type_, entity, reason="gone") -> None:
        self.own.pop(f"{type_}|{entity}", None)

    def _commit(self, event, row, of_incident, **more) -> int:
        self.last_seq += 1
        self.changes.append(Change(self.last_seq, event, row, of_incident, **more))
        self._news.set()
        return self.last_seq
