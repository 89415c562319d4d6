"""What was read of a controller's sensors, and when its groups are read again. Pure.

Invariants:
- a controller has SENSORS_MAX sensors, whatever it names: those missing longest are forgotten;
- a sensor that is not among the readings is missing, not gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from roost_agent.bmc.board import Board
from roost_agent.bmc.sensor import Level, Sensor, crossed
from roost_agent.bmc.talk import Answer, Known
from roost_protocol.boards import INTERVAL_S, SENSORS_MAX, Group

MISSING: Final = 3  # reads in a row without a sensor, until that counts
MANY: Final = 100  # sensors, above which the usual interval is
MANY_MS: Final = 900_000
EARLY_MS: Final = (
    2_000  # a poll so much before a group is due counts for it: looks are a second apart
)


@dataclass(slots=True)
class Seen:
    """A sensor as it was read last."""

    sensor: Sensor
    missing: int = 0
    critical: int = 0
    noted: Level = Level.OK

    @property
    def is_offline(self) -> bool:
        """Whether it was not among the readings for too long."""
        return self.missing >= MISSING


@dataclass(slots=True)
class One:
    """A controller; a centre names the site of its node too (``lab.n2``)."""

    board: Board
    known: Known
    due_ms: int
    acts: tuple[int, ...] = ()
    is_asked: bool = False
    answer: Answer | None = None
    read_ms: int = 0  # UTC
    asked_ms: int = 0  # boot clock, as the next
    power_ms: int = 0  # when the poll began that its answer is of
    why: str = ""
    unkept: str = ""
    sensors: dict[str, Seen] = field(default_factory=dict)
    groups_ms: dict[Group, int] = field(default_factory=dict)  # when each was decided last

    @property
    def name(self) -> str:
        """Whose machine it controls, by its name in the site."""
        return self.board.node.rpartition(".")[2]


def interval_ms(board: Board, sensors: int, group: Group | None = None) -> int:
    """Return how long after a read the next one is, of a controller or of one of its groups."""
    if group is not None and board.of(group).interval_s:
        return board.of(group).interval_s * 1000
    return MANY_MS if sensors > MANY and board.interval_s == INTERVAL_S else board.interval_s * 1000


def take(one: One, sensors: Sequence[Sensor], now_ms: int) -> None:
    """Take in the readings of the groups that are due, and say when the next one is.

    A controller is read whole, as often as the group that is read most; the others are decided at
    their own interval. A sensor that is not among the readings is missing, not gone.
    """
    read = {each.key: each for each in sensors}
    groups = {each.group for each in sensors} | {seen.sensor.group for seen in one.sensors.values()}
    every_ms = {group: interval_ms(one.board, len(sensors), group) for group in groups}
    due = {
        group
        for group in groups
        if group not in one.groups_ms or now_ms - one.groups_ms[group] >= every_ms[group] - EARLY_MS
    }
    for key, seen in one.sensors.items():
        if seen.sensor.group in due:
            seen.missing = 0 if key in read else seen.missing + 1
    for key, sensor in read.items():
        if sensor.group in due:
            seen = one.sensors.setdefault(key, Seen(sensor))
            seen.sensor = sensor
            seen.critical = seen.critical + 1 if sensor.level is Level.CRITICAL else 0
    if len(one.sensors) > SENSORS_MAX:
        kept = sorted(one.sensors.items(), key=lambda each: each[1].missing)[:SENSORS_MAX]
        one.sensors = dict(kept)
    one.groups_ms |= dict.fromkeys(due, now_ms)
    one.due_ms = min(
        (one.groups_ms[group] + every_ms[group] for group in groups), default=one.due_ms
    )


def reading(sensor: Sensor) -> str:
    """Return a reading as a person is told it."""
    if sensor.value is None:
        return "it has no reading"
    limit = crossed(sensor)
    bound = "" if limit is None else f", limit {limit:g}"
    return f"reads {sensor.value:g} {sensor.unit}{bound}"
