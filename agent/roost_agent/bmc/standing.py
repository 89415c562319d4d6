"""How controllers stand, as the alarms and the centre are told it. Pure.

Invariants:
- a controller that fails keeps its sensors' last levels: what is not read is not decided;
- what is suppressed or ignored raises nothing.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from roost_agent.alarms.rules import Finding, Sample
from roost_agent.bmc.acting import action_on
from roost_agent.bmc.board import Board
from roost_agent.bmc.readings import One, Seen
from roost_agent.bmc.sensor import Level, crossed
from roost_agent.bmc.talk import Power
from roost_protocol.bmc_report import BmcReport, SensorSaid
from roost_protocol.boards import Group
from roost_protocol.catalogue import cut
from roost_protocol.codec import VERSION
from roost_protocol.entity import escape
from roost_protocol.limits import ENTITY_BYTES_MAX
from roost_protocol.severity import Severity

UNREACHABLE: Final = "200.010"
UNLEARNED: Final = "200.014"
GROUP: Final = "200.015"
SENSOR: Final = "200.813"
FAILURES: Final = 5  # accesses in a row that failed, until it is told (StarlingX)
FRESH_MS: Final = 600_000  # so often readings alone are told anew
_SEVERITY: Final = {
    Level.MINOR: Severity.MINOR,
    Level.MAJOR: Severity.MAJOR,
    Level.CRITICAL: Severity.CRITICAL,
}


def samples_of(one: One) -> Iterable[Sample]:
    """Return how a controller stands, for the alarms."""
    bmc = f"bmc={escape(one.name)}"
    is_dead = one.known.failures >= FAILURES
    unknown = one.answer is None and not is_dead
    severity = Severity.WARNING if is_dead else None if unknown else Severity.CLEARED
    yield Finding(UNREACHABLE, bmc, severity, {"reason": cut(one.why or "it does not answer")})
    if one.answer is None:
        return
    yield _learned(one, bmc)
    unread = _unread(one)
    for group in unread:
        severity = None if one.answer.fault else Severity.MAJOR
        yield Finding(GROUP, f"{bmc},group={group}", severity)
    names: set[str] = set()
    for seen in one.sensors.values():
        sensor = seen.sensor
        name = sensor.name if sensor.name not in names else f"{sensor.name} {sensor.key}"
        names.add(name)
        entity = f"{bmc},sensor={escape(name)}"
        level = Level.MINOR if seen.is_offline else sensor.level
        if one.answer.fault:
            yield Finding(SENSOR, entity, None)
            continue
        if level is Level.OK or len(entity.encode()) > ENTITY_BYTES_MAX:
            continue
        if sensor.group in unread or action_on(one.board, sensor, level) in {"ignore", "log"}:
            continue
        value = None if seen.is_offline else sensor.value
        params = {"value": value, "limit": crossed(sensor), "unit": sensor.unit}
        yield Finding(SENSOR, entity, _SEVERITY[level], params)


def _learned(one: One, bmc: str) -> Finding:
    """Say whether a controller that answers has told any sensor; of one that fails nobody knows."""
    assert one.answer is not None  # noqa: S101 - the caller looked
    if one.answer.fault or (not one.sensors and one.answer.power is not Power.ON):
        return Finding(UNLEARNED, bmc, None)
    reason = one.answer.unread or "it tells none"
    severity = Severity.CLEARED if one.sensors else Severity.MINOR
    return Finding(UNLEARNED, bmc, severity, {"reason": cut(reason)})


def _unread(one: One) -> list[Group]:
    """Return groups none of whose sensors is read any more, where that is to be told."""
    seen = [each for each in one.sensors.values() if each.sensor.key not in one.board.suppress]
    groups = {each.sensor.group: True for each in seen}
    for each in seen:
        groups[each.sensor.group] &= each.is_offline
    told = (group for group, is_unread in groups.items() if is_unread)
    return sorted(
        group
        for group in told
        if not one.board.of(group).suppress and one.board.of(group).major == "alarm"
    )


def report_of(one: One) -> BmcReport:
    """Return what the centre is told of a controller that was asked."""
    answer, known = one.answer, one.known
    assert answer is not None  # noqa: S101 - the caller looked
    return BmcReport(
        v=VERSION,
        node=one.name,
        by=known.type,
        maker=known.maker,
        model=known.model,
        firmware=known.firmware,
        uuid=known.uuid,
        power=answer.power.value if not answer.fault else Power.UNKNOWN.value,
        fault=cut(one.why),
        failures=known.failures,
        read_ms=max(one.read_ms, 0),
        took_ms=answer.took_ms,
        dropped=answer.dropped,
        sensors=[_said(one.board, seen) for seen in one.sensors.values()],
    )


def _said(board: Board, seen: Seen) -> SensorSaid:
    sensor, limits = seen.sensor, seen.sensor.limits
    told = [getattr(limits, name) for name in limits.__struct_fields__]
    return SensorSaid(
        sensor.key,
        sensor.name,
        sensor.group.value,
        sensor.unit,
        "offline" if seen.is_offline else sensor.level.word,
        None if seen.is_offline else sensor.value,
        [] if all(each is None for each in told) else told,
        sensor.key in board.suppress or board.of(sensor.group).suppress,
    )


def steady(report: BmcReport) -> BmcReport:
    """Return a report without what moves by itself; readings are told anew every FRESH_MS."""
    return replace(
        report,
        read_ms=report.read_ms // FRESH_MS,
        took_ms=0,
        failures=0,
        fault=report.fault.partition(":")[0],
        sensors=[replace(each, value=None if each.value is None else 0) for each in report.sensors],
    )


def log_severity(word: str) -> Severity:
    """Return how bad a record of a controller's log is, by its own word (Redfish LogEntry)."""
    return {"Critical": Severity.CRITICAL, "Warning": Severity.WARNING}.get(word, Severity.MINOR)
