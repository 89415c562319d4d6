"""What a node tells the centre of a board controller that it reads: a state, sent on change.

An item ``bmc`` of the bulk lane, one for each controller. It stands in place of the one before it;
alarms (200.010, 200.813) are told apart, in their own lane. No secret is in it, nor an address.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.envelope import Count, ShortText
from roost_protocol.limits import ALARM_TEXT_BYTES_MAX, NAME_CHARS_MAX

SENSORS_MAX: Final = 256  # of one controller; StarlingX's bound

Sentence = Annotated[str, Meta(max_length=ALARM_TEXT_BYTES_MAX)]
Threshold = float | None


class SensorSaid(msgspec.Struct, frozen=True, array_like=True):
    """One sensor.

    Attributes:
        level: ``ok``, ``minor``, ``major``, ``critical``, or ``offline``: it is not read any more.
        value: None where there is no reading.
        limits: lower non-recoverable, critical, non-critical; upper the other way round; or none.
        suppressed: it does not count.
    """

    key: Annotated[str, Meta(max_length=255)]
    name: ShortText
    group: ShortText
    unit: ShortText
    level: ShortText
    value: float | None
    limits: Annotated[list[Threshold], Meta(max_length=6)] = []
    suppressed: bool = False


class BmcReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One controller; the item's ``at_ms`` is when.

    Attributes:
        node: whose machine it controls, by its name in the site.
        by: ``redfish`` or ``ipmi``; empty: it was not learned yet.
        fault: why it is not read; empty: it is.
        failures: accesses that failed in a row.
        read_ms: when the sensors were read, UTC by the node's clock; 0: never.
        dropped: sensors past SENSORS_MAX.
    """

    v: int
    node: Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]
    by: ShortText = ""
    maker: ShortText = ""
    model: ShortText = ""
    firmware: ShortText = ""
    uuid: ShortText = ""
    power: ShortText = ""
    fault: Sentence = ""
    failures: Count = 0
    read_ms: Count = 0
    took_ms: Count = 0
    dropped: Count = 0
    sensors: Annotated[list[SensorSaid], Meta(max_length=SENSORS_MAX)] = []
