"""The event log and the audit log as topics: ``noc/v1/event/<word>/<site>``, not retained.

Transitions of alarms have topics of their own and are left out. The detail of an act stays at home.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Entry
from roost_central.alarms.flat import rfc3339
from roost_central.northbound.noc_tree import NO_SITE, ROOT, Message
from roost_central.storage import audit, events
from roost_central.storage.events import EventRecord
from roost_protocol.severity import Severity

BATCH: Final = 500
BACKLOG_MAX: Final = 10_000  # events; after a longer pause the stream begins later
ALARM: Final = "alarm"  # the kind of an event that is a transition of an alarm
WORDS: Final = (  # by the beginning of the type; the first that fits
    ("280.801", "path"),
    ("280.813", "path"),
    ("280.816", "path"),
    ("4", "ha"),
    ("500.8", "enrol"),
    ("900", "rollout"),
    ("", "host"),
)
AUDIT: Final = "audit"

Selects = Callable[[str], bool]


class LoggedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """``noc/v1/event/<enrol|rollout|ha|path|host>/<site>``."""

    v: int = 1
    seq: int
    event: str
    type: str
    severity: str
    sev: int
    site: str
    node: str
    entity: str
    text: str
    at: str
    received: str
    ts: int


class LoggedAct(msgspec.Struct, frozen=True, kw_only=True):
    """``noc/v1/event/audit/-``."""

    v: int = 1
    seq: int
    event: str = AUDIT
    actor: str
    role: str
    action: str
    object: str
    at: str
    ts: int


def word_of(type_: str) -> str:
    """Return the topic's level for a type of event."""
    return next(word for beginning, word in WORDS if type_.startswith(beginning))


def event_message(record: EventRecord, root: str = ROOT) -> Message:
    """Return the message of an event."""
    word = word_of(record.type)
    told = LoggedEvent(
        seq=record.seq,
        event=word,
        type=record.type,
        severity=Severity(record.severity).word,
        sev=record.severity,
        site=record.site or "",
        node=(record.node or "").partition(".")[2],
        entity=record.entity,
        text=record.text,
        at=rfc3339(record.at_ms),
        received=rfc3339(record.received_ms),
        ts=record.at_ms // 1000,
    )
    topic = f"{root}/event/{word}/{record.site or NO_SITE}"
    return _message(
        topic, told, source="roost/events", type_=f"roost.event.{word}", subject=record.entity
    )


def act_message(record: Entry, root: str = ROOT) -> Message:
    """Return the message of an operator's act."""
    act = record.act
    told = LoggedAct(
        seq=record.seq,
        actor=act.actor,
        role=act.role,
        action=act.action,
        object=act.object,
        at=rfc3339(act.at_ms),
        ts=act.at_ms // 1000,
    )
    topic = f"{root}/event/{AUDIT}/{NO_SITE}"
    return _message(
        topic,
        told,
        source="roost/audit",
        type_=f"roost.audit.{act.action}",
        subject=act.object,
    )


def _message(
    topic: str, told: LoggedEvent | LoggedAct, *, source: str, type_: str, subject: str
) -> Message:
    """Return a message that is not retained, with the attributes of CloudEvents."""
    attributes = (
        ("id", str(told.seq)),
        ("source", source),
        ("type", type_),
        ("time", told.at),
        ("subject", subject),
    )
    return Message(topic, msgspec.json.encode(told), retain=False, attributes=attributes)


class LogReader:
    """Reads both logs past where it was; begins with what comes next.

    Its place is not kept over a restart of the centre: a gap shows in ``seq``, and the API has it.
    """

    def __init__(self) -> None:
        self._event = -1
        self._act = -1

    async def begin(self, connection: AsyncConnection) -> None:
        """Go to the newest, the first time; later no further back than BACKLOG_MAX."""
        newest = await events.page(connection, events.EventQuery(), limit=1)
        acts = await audit.page(connection, before=None, limit=1)
        if self._event < 0:
            self._event = newest[0].seq if newest else 0
            self._act = acts[0].seq if acts else 0
        self._event = max(self._event, (newest[0].seq if newest else 0) - BACKLOG_MAX)
        self._act = max(self._act, (acts[0].seq if acts else 0) - BACKLOG_MAX)

    async def read(
        self, connection: AsyncConnection
    ) -> tuple[Sequence[EventRecord], Sequence[Entry]]:
        """Return what follows, BATCH of each at most; ``passed`` goes on from there."""
        found = await events.page(connection, events.EventQuery(), after=self._event, limit=BATCH)
        return found, await audit.after(connection, self._act, BATCH)

    def passed(self, found: Sequence[EventRecord], acts: Sequence[Entry]) -> None:
        """Note that these are told."""
        if found:
            self._event = found[-1].seq
        if acts:
            self._act = acts[-1].seq


def messages(
    found: Iterable[EventRecord],
    acts: Iterable[Entry],
    branches: Iterable[tuple[str, Selects | None]],
) -> list[Message]:
    """Return what each tree is told: a tenant only of its own sites, and of no act."""
    told: list[Message] = []
    kept = [record for record in found if record.kind != ALARM]
    for root, selects in branches:
        told += [
            event_message(record, root)
            for record in kept
            if selects is None or selects(record.site or "")
        ]
        if selects is None:
            told += [act_message(record, root) for record in acts]
    return told
