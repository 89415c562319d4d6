"""A node's board controller over HTTP: who it is and its sensors, as they were told last.

Credentials are no part of it (boards.py takes them in, and gives none out).
"""

from typing import Any

import msgspec

from roost_central.api.answers import Age, Time
from roost_central.api.boards import BoardAnswer, configured
from roost_central.api.call import Call
from roost_central.api.instants import age_s, instant
from roost_central.api.named_node import named_node
from roost_central.storage import bmc_reports
from roost_central.storage.bmc_reports import BmcRecord
from roost_protocol.bmc_report import SensorSaid
from roost_protocol.board_faults import todo


class Thresholds(msgspec.Struct, frozen=True):
    """Lower and upper, from non-recoverable to non-critical; null: there is none."""

    lnr: float | None = None
    lcr: float | None = None
    lnc: float | None = None
    unc: float | None = None
    ucr: float | None = None
    unr: float | None = None


class SensorAnswer(msgspec.Struct, frozen=True):
    """One sensor.

    ``level``: ``ok``, ``minor``, ``major``, ``critical`` or ``offline``. ``value``: null where it
    has no reading. ``suppressed``: it does not count.
    """

    sensor: str
    group: str
    value: float | None
    unit: str
    level: str
    thresholds: Thresholds
    suppressed: bool
    key: str


class BmcAnswer(msgspec.Struct, frozen=True):
    """A board controller.

    Attributes:
        as_of: when it was told, by the speaker's clock; null: nobody reads one.
        speaker: the node that reads it.
        protocol: ``redfish`` or ``ipmi``; empty: it was not learned yet.
        machine: its UUID, as the controller says.
        power: ``on``, ``off`` or ``unknown``.
        fault: why it is not read now; empty: it is.
        failures: accesses that failed in a row when it was told.
        read: when the sensors were read.
        dropped: sensors past the bound.
        todo: what to do about the fault.
        configured: how it was set here; null: it was not, and a node's own file may name it.
    """

    node: str
    as_of: Time | None
    age_s: Age | None
    speaker: str | None = None
    protocol: str = ""
    maker: str = ""
    model: str = ""
    firmware: str = ""
    machine: str = ""
    power: str = "unknown"
    fault: str = ""
    failures: int = 0
    read: Time | None = None
    took_ms: int = 0
    sensors: int = 0
    dropped: int = 0
    todo: str = ""
    configured: BoardAnswer | None = None


class SensorsAnswer(msgspec.Struct, frozen=True):
    """The sensors that a node's board controller has; see BmcAnswer."""

    node: str
    as_of: Time | None
    age_s: Age | None
    read: Time | None
    fault: str
    power: str
    dropped: int
    sensors: list[SensorAnswer]


async def show_bmc(call: Call[Any, Any]) -> BmcAnswer:
    """GET /api/v1/nodes/{node}/bmc."""
    node, found = await _found(call)
    how = await configured(call, named_node(call))
    if found is None:
        return BmcAnswer(node, None, None, configured=how)
    said = found.report
    return BmcAnswer(
        node=node,
        as_of=instant(found.at_ms),
        age_s=age_s(found.received_ms, call.api.clock.wall_ms()),
        speaker=found.speaker,
        protocol=said.by,
        maker=said.maker,
        model=said.model,
        firmware=said.firmware,
        machine=said.uuid,
        power=said.power,
        fault=said.fault,
        failures=said.failures,
        read=instant(said.read_ms) if said.read_ms else None,
        took_ms=said.took_ms,
        sensors=len(said.sensors),
        dropped=said.dropped,
        todo=todo(said.fault),
        configured=how,
    )


async def list_sensors(call: Call[Any, Any]) -> SensorsAnswer:
    """GET /api/v1/nodes/{node}/sensors."""
    node, found = await _found(call)
    if found is None:
        return SensorsAnswer(node, None, None, None, "", "unknown", 0, [])
    said = found.report
    return SensorsAnswer(
        node=node,
        as_of=instant(found.at_ms),
        age_s=age_s(found.received_ms, call.api.clock.wall_ms()),
        read=instant(said.read_ms) if said.read_ms else None,
        fault=said.fault,
        power=said.power,
        dropped=said.dropped,
        sensors=[_sensor(each) for each in said.sensors],
    )


async def _found(call: Call[Any, Any]) -> tuple[str, BmcRecord | None]:
    node = named_node(call).node
    async with call.api.database.read() as connection:
        return node, await bmc_reports.find(connection, node)


def _sensor(said: SensorSaid) -> SensorAnswer:
    return SensorAnswer(
        sensor=said.name,
        group=said.group,
        value=said.value,
        unit=said.unit,
        level=said.level,
        thresholds=Thresholds(*said.limits),
        suppressed=said.suppressed,
        key=said.key,
    )
