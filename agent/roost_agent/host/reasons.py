"""Why a node is less than it should be: a set of named reasons, out of the alarms that stand. Pure.

An alarm gives a reason where its severity is at least what the catalogue says degrades a node. The
set is made anew from what stands, so no reason can be left behind.

Rules: design, hosts section 4. Reasons that are no alarm of the node itself (its heartbeat, its
enabling) are for who decides on its state.
"""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec
from msgspec.structs import replace

from roost_agent.alarms.row import Row
from roost_protocol import entity as entities
from roost_protocol.catalogue import Catalogue
from roost_protocol.severity import Severity

ALARM: Final = "alarm"  # any other alarm that degrades a node
SENSOR: Final = "sensor"
LAN: Final = "heartbeat-lan"  # of no alarm: one path alone is silent (ways)
PROCESS_FAILED: Final = "200.006"
REASONS: Final = {
    "process": (PROCESS_FAILED,),
    "health": ("200.803",),
    "resource": ("100.101", "100.103", "100.104", "100.150", "100.808", "100.809", "100.813"),
    SENSOR: ("200.007",),
    "storage": ("100.801", "100.804", "100.806"),
    "clock": ("100.114", "100.805"),
    "service": ("400.001",),
    "config": ("250.801",),
    "agent": ("100.807", "280.803"),
}
FATAL: Final = frozenset({"process", "sensor", "storage"})  # at critical they fail the node
_OF_TYPE: Final = {type_: reason for reason, types in REASONS.items() for type_ in types}


class Degraded(msgspec.Struct, frozen=True):
    """One reason.

    Attributes:
        alarm_key: of its worst alarm, the oldest of these.
        since_ms: when its first alarm was raised, UTC by the node's clock.
        severity: of the worst alarm.
    """

    reason: str
    alarm_key: str
    since_ms: int
    severity: Severity

    @property
    def is_fatal(self) -> bool:
        """Whether it fails the node, and does not only degrade it."""
        return self.reason in FATAL and self.severity is Severity.CRITICAL


def reasons(
    rows: Iterable[Row], types: Catalogue, confirmed: Collection[str] = ()
) -> dict[str, Degraded]:
    """Return the reasons by name; empty: nothing is wrong with the node.

    Args:
        rows: alarms that stand.
        types: of the catalogue.
        confirmed: entities of processes that failed since the agent's start. What others left
            behind degrades until they run, and fails nobody: their process may be defined no more.
    """
    found: dict[str, list[Row]] = {}
    for row in rows:
        type_ = types.get(row.type)
        if type_ is not None and type_.degrades and row.severity >= Severity.of(type_.degrades):
            is_of_before = row.type == PROCESS_FAILED and row.entity not in confirmed
            if is_of_before and row.severity > Severity.MAJOR:
                row = replace(row, severity=Severity.MAJOR)  # noqa: PLW2901 - as it counts
            found.setdefault(_OF_TYPE.get(row.type, ALARM), []).append(row)
    return {reason: _of(reason, found[reason]) for reason in sorted(found)}


def _of(reason: str, rows: list[Row]) -> Degraded:
    worst = max(rows, key=lambda row: (row.severity, -row.raised_ms))
    since_ms = min(row.raised_ms for row in rows)
    return Degraded(reason, entities.key(*worst.key), since_ms, worst.severity)
