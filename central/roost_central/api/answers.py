"""Everything the API says, as types: what is not a field here is never sent.

Times are RFC 3339 UTC texts, ages seconds at the time of the answer; None is "never heard of".
"""

from typing import Annotated

import msgspec

from roost_protocol.inventory import Value

Time = Annotated[str, msgspec.Meta(description="RFC 3339 in UTC with milliseconds")]
Age = Annotated[float, msgspec.Meta(ge=0, description="seconds, at the time of the answer")]


class Health(msgspec.Struct, frozen=True):
    """Central answers."""

    status: str


class SiteCounts(msgspec.Struct, frozen=True):
    """Sites by status; the kinds are disjoint and add up to total."""

    ok: int
    degraded: int
    maintenance: int
    down: int
    unknown: int
    total: int


class NodeCounts(msgspec.Struct, frozen=True):
    """Nodes by presence; the kinds are disjoint and add up to total."""

    online: int
    degraded: int
    unreachable: int
    unknown: int
    total: int


class Ingest(msgspec.Struct, frozen=True):
    """What came in since the start."""

    beats: int
    reports: int
    items: int
    receipts: int
    refused: dict[str, int]
    queue: int
    dead_letters: int


class Broker(msgspec.Struct, frozen=True):
    """One broker connection; the address is without credentials."""

    name: str
    url: str
    state: str
    since: Time | None


class AlarmCounts(msgspec.Struct, frozen=True):
    """The banner: visible active alarms by severity, and beside them what is not among these.

    ``flood``: ten new ones within ten minutes, more than one operator can follow.
    """

    critical: int
    major: int
    minor: int
    warning: int
    unknown: int
    shelved: int
    masked: int
    suppressed: int
    in_incident: int
    latched: int
    incidents: int
    flood: bool
    sites: SiteCounts
    status: str


class Status(msgspec.Struct, frozen=True):
    """Central in one look."""

    version: str
    epoch: str
    started: Time | None
    now: Time | None
    sites: SiteCounts
    nodes: NodeCounts
    ingest: Ingest
    brokers: list[Broker]
    quiet: bool
    alarms: AlarmCounts


class Site(msgspec.Struct, frozen=True):
    """One site as it is known now.

    ``managed``: else it takes no orders and has no alarm of silence. ``availability``: online where
    any node is heard. ``sync``: by subject in-sync, out-of-sync or unknown.
    """

    site: str
    status: str
    status_since: Time | None
    labels: dict[str, str]
    lat: float | None
    lon: float | None
    shard: int
    nodes: NodeCounts
    heard: Time | None
    age_s: Age | None
    via: str | None
    redundancy: str
    revision: int
    managed: bool
    managed_since: Time | None
    managed_why: str
    availability: str
    sync: dict[str, str]


class NodePath(msgspec.Struct, frozen=True):
    """One path of a node, as shown with the node."""

    path: str
    kind: str
    state: str
    rtt_us: int | None
    loss_permille: int | None
    since: Time | None
    heard: Time | None
    age_s: Age | None


class Path(msgspec.Struct, frozen=True):
    """One path in the list of all paths."""

    site: str
    node: str
    path: str
    kind: str
    state: str
    rtt_us: int | None
    loss_permille: int | None
    since: Time | None
    heard: Time | None
    age_s: Age | None


class InventoryState(msgspec.Struct, frozen=True):
    """Which inventory central holds of a node, and whether the node has moved on."""

    gen: int | None
    digest: str | None
    as_of: Time | None
    age_s: Age | None
    behind: bool


class Quarantine(msgspec.Struct, frozen=True):
    """Why a node is heard and given nothing: ``grace``, ``clone`` or ``operator``."""

    cause: str
    reason: str
    since: Time | None


class ConfigState(msgspec.Struct, frozen=True):
    """How far a node has come with what it should be: see ``ReportedAnswer`` for the words.

    ``generation`` is of what it should be, ``applied`` of what it says; None: nothing is known.
    """

    state: str
    generation: int | None
    applied: int | None
    pending_reboot: bool | None
    drift: int | None
    held_by: str
    profiles: tuple[str, ...]


class Node(msgspec.Struct, frozen=True):
    """One node as it is known now; ``ha`` is its role in local HA, None where it has none.

    ``quarantine``: None: it is in none.
    """

    node: str
    site: str
    name: str
    presence: str
    presence_since: Time | None
    heard: Time | None
    age_s: Age | None
    via: str | None
    agent: str | None
    boot_id: str | None
    incarnation: int | None
    uptime_s: int | None
    interval_s: float | None
    clock_skew_ms: int | None
    paths: list[NodePath]
    outbox: dict[str, dict[str, int]]
    inventory: InventoryState
    ha: str | None
    ha_as_of: Time | None
    quarantine: Quarantine | None
    labels: dict[str, str]
    config: ConfigState


class SiteDetail(Site, frozen=True):
    """One site with its nodes."""

    node_list: list[Node]


class SectionAnswer(msgspec.Struct, frozen=True):
    """One section of an inventory; ``missing`` says why a field could not be read."""

    as_of: Time | None
    cost_ms: int | None
    digest: str | None
    items: dict[str, dict[str, Value]]
    missing: dict[str, str]


class InventoryAnswer(msgspec.Struct, frozen=True):
    """The inventory of a node."""

    node: str
    gen: int | None
    digest: str | None
    as_of: Time | None
    age_s: Age | None
    behind: bool
    sections: dict[str, SectionAnswer]


class InventoryChange(msgspec.Struct, frozen=True):
    """One field of one item that changed; None is "was not there" or "is gone"."""

    at: Time | None
    gen: int
    section: str
    item: str
    field: str
    old: Value
    new: Value


class EventAnswer(msgspec.Struct, frozen=True):
    """One thing that happened; ``late_s`` is how long it was on its way."""

    seq: int
    at: Time | None
    received: Time | None
    late_s: Age | None
    site: str | None
    node: str | None
    kind: str
    type: str
    severity: str
    entity: str
    text: str
    params: dict[str, bool | int | float | str | None]


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that central refused and kept to be looked at.

    ``payload`` is its beginning (at most 4,096 bytes) in base64, ``size_bytes`` what it was.
    """

    seq: int
    received: Time | None
    node: str | None
    topic: str
    code: str
    detail: str
    size_bytes: int
    payload: bytes


class NorthboundTarget(msgspec.Struct, frozen=True):
    """One receiver of alarms."""

    name: str
    kind: str
    address: str
    state: str
    queue: int
    cursor: int
    sent: int
    failures: int
    last_error: str
    worked: Time | None
    dead_letters: int
    disabled: str


class NorthboundLetter(msgspec.Struct, frozen=True):
    """A message that a receiver did not take, kept to be looked at."""

    target: str
    at: Time | None
    seq: int
    error: str
    body: str


class NorthboundAnswer(msgspec.Struct, frozen=True):
    """Every receiver, and the newest messages that were given up."""

    targets: list[NorthboundTarget]
    dead_letters: list[NorthboundLetter]


class NorthboundTest(msgspec.Struct, frozen=True):
    """What became of a test message."""

    delivered: bool
    error: str


class SitePage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Some sites, and where the next ones are."""

    items: list[Site]
    next: str | None
    count: int | None = None


class NodePage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Some nodes, and where the next ones are."""

    items: list[Node]
    next: str | None
    count: int | None = None


class PathPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Some paths, and where the next ones are."""

    items: list[Path]
    next: str | None
    count: int | None = None


class EventPage(msgspec.Struct, frozen=True):
    """Some events, and where the next ones are."""

    items: list[EventAnswer]
    next: str | None


class ChangePage(msgspec.Struct, frozen=True):
    """Some inventory changes, newest first, and where the next ones are."""

    items: list[InventoryChange]
    next: str | None


class DeadLetterPage(msgspec.Struct, frozen=True):
    """The newest refused messages."""

    items: list[DeadLetter]
    next: str | None


class ImportFault(msgspec.Struct, frozen=True):
    """One line of an import that was not taken."""

    line: int
    code: str
    field: str
    detail: str


class ImportAnswer(msgspec.Struct, frozen=True):
    """What became of an import's lines."""

    created: int
    updated: int
    unchanged: int
    errors: list[ImportFault]


class SessionAnswer(msgspec.Struct, frozen=True):
    """Who is logged in, and until when."""

    name: str
    expires: Time | None
