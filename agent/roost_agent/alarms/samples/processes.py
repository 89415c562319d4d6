"""Programs that must run, and how many file descriptors they use.

What a watched process takes of the processor and of memory is remembered, and not judged.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from roost_agent.alarms.rules import Finding, Reading, Sample
from roost_agent.alarms.samples.sampler import Look, Measured
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import Missing
from roost_protocol import entity as entities
from roost_protocol.severity import Severity

FAILED: Final = "200.006"
DESCRIPTORS: Final = "100.150"
PIDS_MAX: Final = 10_000
SOFT_LIMIT: Final = "Max open files"
TICKS: Final = os.sysconf("SC_CLK_TCK")
PAGE_MIB: Final = os.sysconf("SC_PAGE_SIZE") / (1 << 20)
_USER, _SYSTEM, _RESIDENT = 11, 12, 21  # fields of /proc/PID/stat behind the name


class Processes:
    """See the module.

    Args:
        names: of programs, as the kernel keeps them: 15 characters.
        watched: processes that files define, by name: who watches them raises their alarm.
    """

    types = frozenset({FAILED, DESCRIPTORS})
    interval_s = 30
    may_hang = False

    def __init__(self, names: Sequence[str], watched: Callable[[], Mapping[str, int]]) -> None:
        self._names = tuple(names)
        self._watched = watched
        self._used: dict[str, tuple[int, int, int]] = {}  # by name: process, ticks, when

    def sample(self, look: Look) -> Iterator[Sample | Measured]:
        """Return whether each runs, and its descriptors."""
        reader = look.reader
        watched = self._watched()
        yield from self._of_watched(look, watched)
        found: dict[str, list[str]] = {name: [] for name in self._names if name not in watched}
        if not found:
            return
        names = reader.names("proc")
        for pid in [] if isinstance(names, Missing) else names[:PIDS_MAX]:
            if pid[0].isdecimal():
                comm = reader.text(f"proc/{pid}/comm")
                if isinstance(comm, str) and comm in found:
                    found[comm].append(pid)
        for name, pids in found.items():
            entity = f"process={entities.escape(name)}"
            yield Finding(FAILED, entity, Severity.CLEARED if pids else Severity.MAJOR)
            shares = [share for pid in pids if (share := _share(reader, pid)) is not None]
            if pids:
                yield Reading(DESCRIPTORS, entity, max(shares, default=None))

    def _of_watched(self, look: Look, watched: Mapping[str, int]) -> Iterator[Sample | Measured]:
        """Return what they use, and of their state that nothing is decided here."""
        before, self._used = self._used, {}
        for name, pid in watched.items():
            entity = f"process={entities.escape(name)}"
            share = _share(look.reader, str(pid)) if pid else None
            yield Finding(FAILED, entity, None)
            yield Reading(DESCRIPTORS, entity, share)
            yield Measured("descriptors", entity, share)
            stat = look.reader.text(f"proc/{pid}/stat") if pid else None
            fields = stat.rpartition(")")[2].split() if isinstance(stat, str) else []
            if len(fields) <= _RESIDENT:
                yield Measured("process_cpu", entity, None)
                yield Measured("process_memory", entity, None)
                continue
            now = self._used[name] = (pid, int(fields[_USER]) + int(fields[_SYSTEM]), look.now_ms)
            yield Measured("process_cpu", entity, _spent(before.get(name), now))
            yield Measured("process_memory", entity, int(fields[_RESIDENT]) * PAGE_MIB)


def _spent(before: tuple[int, int, int] | None, now: tuple[int, int, int]) -> float | None:
    """Return processor time between two looks at one process, in percent of a core."""
    if before is None or before[0] != now[0] or now[2] <= before[2]:
        return None
    return 100 * 1000 * max(now[1] - before[1], 0) / TICKS / (now[2] - before[2])


def _share(reader: Reader, pid: str) -> float | None:
    """Return the used part of the soft limit in percent; another user's is not told to us."""
    limits, used = reader.text(f"proc/{pid}/limits"), reader.names(f"proc/{pid}/fd")
    if isinstance(limits, Missing) or isinstance(used, Missing):
        return None
    for line in limits.splitlines():
        if line.startswith(SOFT_LIMIT):
            soft = line.removeprefix(SOFT_LIMIT).split()[0]
            return 100 * len(used) / int(soft) if soft.isdecimal() and int(soft) else None
    return None
