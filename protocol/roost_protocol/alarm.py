"""Alarms and events on the wire. What they mean is decided by the alarm cores, not here.

Identity of an alarm is (type, entity). The node sends only the part of the entity after
``node=``: the centre puts site and node before it from the topic.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from roost_protocol.envelope import ShortText
from roost_protocol.limits import ALARM_TEXT_BYTES_MAX, ENTITY_BYTES_MAX, PARAMS_MAX
from roost_protocol.severity import Severity

TypeId = Annotated[str, Meta(pattern=r"^[0-9]{3}\.[0-9]{3}$")]
Entity = Annotated[str, Meta(max_length=ENTITY_BYTES_MAX)]
AlarmText = Annotated[str, Meta(max_length=ALARM_TEXT_BYTES_MAX)]
Scalar = bool | int | float | Annotated[str, Meta(max_length=ALARM_TEXT_BYTES_MAX)] | None
Params = Annotated[dict[str, Scalar], Meta(max_length=PARAMS_MAX)]


class Change(StrEnum):
    """What happened to an alarm."""

    RAISE = "raise"
    CHANGE = "change"
    CLEAR = "clear"


class Alarm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change of one alarm; a clear has severity cleared."""

    v: int
    type: TypeId
    change: Change
    severity: Severity
    entity: Entity = ""
    text: AlarmText = ""
    params: Params = {}
    reason: ShortText = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened and needs no clear."""

    v: int
    type: TypeId
    severity: Severity
    entity: Entity = ""
    text: AlarmText = ""
    params: Params = {}
