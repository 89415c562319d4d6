"""What the API says of incidents, as types, and how it is made of their rows."""

import msgspec

from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.incident_row import Cause, IncidentRow
from roost_central.api.answers import Time
from roost_central.api.instants import instant


class NoteAnswer(msgspec.Struct, frozen=True):
    """Words of an operator."""

    at: Time | None
    by: str
    text: str


class IncidentAck(msgspec.Struct, frozen=True):
    """Who has seen it."""

    by: str
    at: Time | None
    note: str


class Incident(msgspec.Struct, frozen=True):
    """One incident; ``cause`` is empty where none was found.

    ``covered`` of its ``sites`` are explained, ``dark`` are not heard, ``recovered`` are back.
    While it is ``held`` receivers outside are not told of it yet.
    """

    id: str
    state: str
    severity: str
    kind: str
    type: str
    name: str
    region: str
    opened: Time | None
    closed: Time | None
    cause: str
    precision: float
    coverage: float
    causes: list[Cause]
    rejected: list[Cause]
    sites: int
    covered: int
    unexplained: int
    dark: int
    recovered: int
    not_back: list[str]
    alarms: int
    held: bool
    split_from: str
    ack: IncidentAck | None
    mtta_s: float | None
    mttr_s: float | None
    notes: list[NoteAnswer]
    reason: str
    seq: int


def incident_answer(row: IncidentRow, catalogue: Catalogue) -> Incident:
    """Return an incident as it is shown."""
    acked_ms = row.ack.ms if row.ack else None
    return Incident(
        id=row.id,
        state=row.state,
        severity=row.severity.word,
        kind=row.kind,
        type=row.type,
        name=catalogue.record(row.type).name,
        region=row.region,
        opened=instant(row.opened_ms),
        closed=instant(row.closed_ms),
        cause=row.cause,
        precision=min((cause.precision for cause in row.causes), default=0.0),
        coverage=row.covered / row.sites if row.sites else 0.0,
        causes=row.causes,
        rejected=row.rejected,
        sites=row.sites,
        covered=row.covered,
        unexplained=row.unexplained,
        dark=row.dark,
        recovered=row.recovered,
        not_back=row.not_back,
        alarms=row.alarms,
        held=row.held,
        split_from=row.split_from,
        ack=IncidentAck(row.ack.by, instant(acked_ms), row.ack.note) if row.ack else None,
        mtta_s=None if acked_ms is None else max(0, acked_ms - row.opened_ms) / 1000,
        mttr_s=None if row.closed_ms is None else max(0, row.closed_ms - row.opened_ms) / 1000,
        notes=[NoteAnswer(instant(each.ms), each.by, each.text) for each in row.notes],
        reason=row.reason,
        seq=row.seq,
    )
