"""Alarms and events on the wire. What they mean is decided by the alarm cores, not here.

Identity of an alarm is (type, entity). The node sends only the part of the entity after
``node=``: the centre puts site and node before it from the topic, so that no node can speak of
another. An item ``alarm`` is one change; items ``alarm-set`` are the whole set again, asked for by
``resync alarms``, in parts of which each stands alone.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from roost_protocol import entity as entities
from roost_protocol.codec import VERSION, encode
from roost_protocol.envelope import Count, ShortText
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import (
    ALARM_BYTES_MAX,
    ALARM_SET_ITEMS_MAX,
    ALARM_TEXT_BYTES_MAX,
    ENTITY_BYTES_MAX,
    PARAMS_BYTES_MAX,
    PARAMS_MAX,
)
from roost_protocol.patterns import END
from roost_protocol.severity import Severity

TypeId = Annotated[str, Meta(pattern=r"^[0-9]{3}\.[0-9]{3}" + END)]
Entity = Annotated[str, Meta(max_length=ENTITY_BYTES_MAX)]
AlarmText = Annotated[str, Meta(max_length=ALARM_TEXT_BYTES_MAX)]
Scalar = bool | int | float | Annotated[str, Meta(max_length=ALARM_TEXT_BYTES_MAX)] | None
Params = Annotated[dict[str, Scalar], Meta(max_length=PARAMS_MAX)]
Key = Annotated[str, Meta(max_length=ENTITY_BYTES_MAX + 8)]


class Change(StrEnum):
    """What happened to an alarm."""

    RAISE = "raise"
    CHANGE = "change"
    CLEAR = "clear"


class Alarm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change of one alarm; a clear has severity cleared.

    The item's ``at_ms`` is when it changed, by the node's clock.

    Attributes:
        entity: what follows ``node=``; empty: the node itself.
        text: rendered from the catalogue; of an application's alarm its own words.
        params: the values of the text; ``value``, ``limit`` and ``unit`` are shown apart.
        reason: of a clear: ``gone``, ``operator``, ``ttl-expired``, ``deleted``.
        raised_ms: the episode's begin, by the node's clock; 0: this change is it.
        count: raises in this episode.
        flapping: it comes and goes, and is held raised.
        unsynced: the node's clock was not synchronised.
    """

    v: int
    type: TypeId
    change: Change
    severity: Severity
    entity: Entity = ""
    text: AlarmText = ""
    params: Params = {}
    reason: ShortText = ""
    raised_ms: Count = 0
    count: Count = 1
    flapping: bool = False
    unsynced: bool = False

    def check(self) -> None:
        """Check what the types cannot say.

        Raises:
            ProtocolError: ``severity``, ``entity`` or ``oversize``, naming the field.
        """
        if (self.severity is Severity.CLEARED) is not (self.change is Change.CLEAR):
            raise ProtocolError(
                "severity",
                field="severity",
                got=self.severity.word,
                bound="cleared with a clear, and with nothing else",
            )
        _check_content(self, self.entity, self.text, self.params)


class AlarmState(msgspec.Struct, frozen=True, array_like=True):
    """One alarm of a set, as it stands."""

    type: TypeId
    entity: Entity
    severity: Severity
    raised_ms: Count
    changed_ms: Count
    text: AlarmText = ""
    params: Params = {}
    count: Count = 1
    flapping: bool = False

    def check(self) -> None:
        """Check what the types cannot say.

        Raises:
            ProtocolError: ``severity``, ``entity`` or ``oversize``, naming the field.
        """
        if self.severity is Severity.CLEARED:
            raise ProtocolError("severity", field="severity", got="cleared", bound="an open alarm")
        _check_content(self, self.entity, self.text, self.params)


class AlarmSet(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of the node's whole alarm set: everything with ``after < key <= through``.

    The centre makes its own set equal within these bounds, so each part takes effect alone and
    none is kept. The parts of one set are put into the outbox together.

    Attributes:
        after: key (entity.key) before the first; empty: from the beginning.
        through: key of the last; None: to the end.
        alarms: in the order of their keys.
        unsynced: the node's clock was not synchronised.
    """

    v: int
    after: Key = ""
    through: Key | None = None
    alarms: Annotated[list[AlarmState], Meta(max_length=ALARM_SET_ITEMS_MAX)] = []
    unsynced: bool = False

    def check(self) -> None:
        """Check the alarms, their order and the bounds.

        Raises:
            ProtocolError: ``order``, or as AlarmState.check.
        """
        last = self.after
        for index, alarm in enumerate(self.alarms):
            alarm.check()
            key = entities.key(alarm.type, alarm.entity)
            if key <= last:
                raise ProtocolError("order", field=f"alarms[{index}]", got=key, bound=f"> {last}")
            last = key
        if self.through is not None and (last > self.through or self.through <= self.after):
            raise ProtocolError("order", field="through", got=self.through, bound=f">= {last}")


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened and needs no clear."""

    v: int
    type: TypeId
    severity: Severity
    entity: Entity = ""
    text: AlarmText = ""
    params: Params = {}


def alarm_sets(alarms: Iterable[AlarmState], *, unsynced: bool = False) -> Sequence[AlarmSet]:
    """Return a whole set, in any order, as parts; one empty part where there is no alarm."""
    rows = sorted(alarms, key=_key_of)
    starts = range(0, max(1, len(rows)), ALARM_SET_ITEMS_MAX)
    parts = [rows[start : start + ALARM_SET_ITEMS_MAX] for start in starts]
    bounds = ["", *(_key_of(part[-1]) for part in parts[:-1])]
    return [
        AlarmSet(
            v=VERSION,
            after=after,
            through=None if part is parts[-1] else _key_of(part[-1]),
            alarms=part,
            unsynced=unsynced,
        )
        for after, part in zip(bounds, parts, strict=True)
    ]


def _key_of(alarm: AlarmState) -> str:
    return entities.key(alarm.type, alarm.entity)


def _check_content(
    whole: Alarm | AlarmState, entity: str, text: str, params: dict[str, Scalar]
) -> None:
    entities.parse(entity)
    sizes = (
        ("text", len(text.encode("utf-8", "surrogatepass")), ALARM_TEXT_BYTES_MAX),
        ("params", len(encode(params)), PARAMS_BYTES_MAX),
        ("alarm", len(encode(whole)), ALARM_BYTES_MAX),
    )
    for field, size, bound in sizes:
        if size > bound:
            raise ProtocolError("oversize", field=field, bound=bound, got=size)
