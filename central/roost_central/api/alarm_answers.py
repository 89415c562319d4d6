"""What the API says of alarms, as types. Times and ages as in answers.py."""

import msgspec

from roost_central.api.answers import Age, AlarmCounts, Time
from roost_central.api.incident_answers import Incident, NoteAnswer

Scalar = bool | int | float | str | None


class AckAnswer(msgspec.Struct, frozen=True):
    """Who has seen it; ``stale`` after 24 h, since an acknowledgement gets forgotten."""

    by: str
    at: Time | None
    age_s: Age | None
    note: str
    stale: bool


class ShelfMark(msgspec.Struct, frozen=True):
    """The shelf it is on."""

    id: str
    by: str
    until: Time | None
    reason: str


class Alarm(msgspec.Struct, frozen=True):
    """One alarm as it is known now.

    ``as_of`` is the last word of its reporter; ``masked_by`` is a key_id, ``suppressed_by`` and
    ``incident`` are ids, empty where there is none; ``impacted`` counts what it masks.
    """

    id: str
    key_id: str
    type: str
    name: str
    entity: str
    site: str | None
    node: str | None
    seq: int
    severity: str
    state: str
    op_state: str
    isa: str
    flapping: bool
    count: int
    late: bool
    text: str
    repair: str
    params: dict[str, Scalar]
    event_type: str
    cause: str
    service_affecting: bool
    mgmt_affecting: bool
    degrade_affecting: bool
    suppressible: bool
    latch: bool
    raised: Time | None
    changed: Time | None
    cleared: Time | None
    received: Time | None
    age_s: Age | None
    clock: str
    reason: str
    as_of: Time | None
    as_of_age_s: Age | None
    ack: AckAnswer | None
    shelf: ShelfMark | None
    assignee: str
    ticket: str
    notes: int
    masked_by: str
    suppressed_by: str
    incident: str
    explained: bool | None
    impacted: int
    labels: dict[str, str]


class AlarmPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Some alarms, and where the next ones are."""

    items: list[Alarm]
    next: str | None
    count: int | None = None


class AlarmDetail(Alarm, frozen=True):
    """One alarm with what is around it: active alarms it may be caused by, and those it masks."""

    causes: list[Alarm]
    masks: list[Alarm]
    note_list: list[NoteAnswer]


class Step(msgspec.Struct, frozen=True):
    """One step in an alarm's life."""

    seq: int
    at: Time | None
    received: Time | None
    event: str
    actor: str
    severity: str
    state: str
    text: str
    note: str


class Timeline(msgspec.Struct, frozen=True):
    """Some steps, newest first, and where the next ones are."""

    items: list[Step]
    next: str | None


class TransitionAnswer(msgspec.Struct, frozen=True):
    """One step of any alarm or incident, with it as it was from then on."""

    seq: int
    at: Time | None
    received: Time | None
    event: str
    actor: str
    note: str
    alarm: Alarm | None
    incident: Incident | None


class TransitionPage(msgspec.Struct, frozen=True):
    """Some steps, oldest first; ``last_seq`` is the newest there is."""

    items: list[TransitionAnswer]
    last_seq: int


class Group(msgspec.Struct, frozen=True):
    """The visible alarms of one value of a field."""

    key: str
    critical: int
    major: int
    minor: int
    warning: int
    unknown: int
    total: int


class Summary(msgspec.Struct, frozen=True):
    """Counts of all, and by one field."""

    counts: AlarmCounts
    groups: list[Group]
    seq: int


class TypeAnswer(msgspec.Struct, frozen=True):
    """One type of the catalogue; ``active`` counts its open alarms."""

    type: str
    name: str
    source: str
    event: bool
    entity: list[str]
    severities: dict[str, str]
    default: str
    repair: str
    event_type: str
    cause: str
    service_affecting: list[str]
    mgmt_affecting: str
    degrade_affecting: str
    suppressible: bool
    latch: bool
    unit: str
    limits: dict[str, float]
    delays: dict[str, float]
    inhibited_by: list[str]
    root_causes: list[str]
    retired: str
    not_yet: str
    active: int


class TypePage(msgspec.Struct, frozen=True):
    """The catalogue."""

    items: list[TypeAnswer]


class Outcome(msgspec.Struct, frozen=True):
    """What became of one alarm: ``done``, ``unchanged`` or ``refused``, and why."""

    id: str
    key_id: str
    outcome: str
    why: str


class BulkAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of all of them."""

    matched: int
    changed: int
    results: list[Outcome]
    shelf: str = ""


class ShelfAnswer(msgspec.Struct, frozen=True):
    """A shelf or a suppression; ``alarms`` counts what is on it now."""

    id: str
    type: str
    filter: str
    alarms: int
    by: str
    reason: str
    at: Time | None
    until: Time | None


class ShelfPage(msgspec.Struct, frozen=True):
    """All of them."""

    items: list[ShelfAnswer]
