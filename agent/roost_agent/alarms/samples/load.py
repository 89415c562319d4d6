"""Processor use, load, pressure and process ids, of the whole node.

Use is over the time between two looks, without the isolated cores: what polls there is meant to.
"""

from collections.abc import Iterator
from typing import Final

from roost_agent.alarms.rules import Reading, Sample
from roost_agent.alarms.samples.sampler import Look, Measured
from roost_agent.discovery.cpuset import read_list
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import Missing

CPU: Final = "100.101"
PRESSURE: Final = "100.809"
LOAD: Final = "100.810"
PIDS: Final = "100.813"
RESOURCES: Final = ("cpu", "memory", "io")
STAT_BYTES_MAX: Final = 256 * 1024  # lines of 512 processors, and the interrupts behind them
_IDLE: Final = (3, 4)  # idle and iowait in a line of /proc/stat
_TIMES: Final = 8  # guest times are part of user's already


class Load:
    """See the module."""

    types = frozenset({CPU, PRESSURE, LOAD, PIDS})
    interval_s = 10
    may_hang = False

    def __init__(self) -> None:
        self._before: tuple[int, int] | None = None  # busy and all ticks
        self._isolated: frozenset[str] | None = None
        self._cores = 0

    def sample(self, look: Look) -> Iterator[Sample | Measured]:
        """Return how it is."""
        reader = look.reader
        use = self._use(reader)
        yield Reading(CPU, "", use)
        yield Measured("cpu", "", use)
        text = reader.text("proc/loadavg")
        words = [] if isinstance(text, Missing) else text.split()
        cores = self._cores
        load = _number(words, 1) / cores if words and cores else None
        yield Reading(LOAD, "", load)
        yield Measured("load", "", load)
        pids = _share(words, reader.count("proc/sys/kernel/pid_max"))
        yield Reading(PIDS, "", pids)
        yield Measured("pids", "", pids)
        for resource in RESOURCES:
            entity, value = f"resource={resource}", pressure(reader, resource)
            yield Reading(PRESSURE, entity, value)
            yield Measured("pressure", entity, value)

    def _use(self, reader: Reader) -> float | None:
        if self._isolated is None:
            numbers = read_list(reader, "sys/devices/system/cpu/isolated")
            found = [] if isinstance(numbers, Missing) else numbers
            self._isolated = frozenset(f"cpu{number}" for number in found)
        stat = reader.text("proc/stat", STAT_BYTES_MAX)
        if isinstance(stat, Missing):
            return None
        busy = total = self._cores = 0
        for line in stat.splitlines():
            name, *fields = line.split()
            if not name.startswith("cpu"):
                break
            if name == "cpu" or name in self._isolated:
                continue
            ticks = [int(field) for field in fields[:_TIMES]]
            self._cores += 1
            total += sum(ticks)
            busy += sum(ticks) - sum(ticks[index] for index in _IDLE)
        before, self._before = self._before, (busy, total)
        if before is None or total <= before[1]:
            return None
        return 100 * max(busy - before[0], 0) / (total - before[1])


def _number(words: list[str], index: int) -> float:
    return float(words[index])


def _share(words: list[str], pid_max: int | Missing) -> float | None:
    """Return how much of the process ids is in use; threads take one each."""
    if not words or isinstance(pid_max, Missing) or not pid_max:
        return None
    return 100 * int(words[3].partition("/")[2]) / pid_max


def pressure(reader: Reader, resource: str) -> float | None:
    """Return the share of the last minute in which some work stalled."""
    text = reader.text(f"proc/pressure/{resource}")
    if isinstance(text, Missing):
        return None  # a kernel without PSI
    for line in text.splitlines():
        kind, *fields = line.split()
        for field in fields:
            name, _, value = field.partition("=")
            if kind == "some" and name == "avg60":
                return float(value)
    return None
