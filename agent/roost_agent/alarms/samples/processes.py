"""Programs that must run, and how many file descriptors they use."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from roost_agent.alarms.rules import Finding, Reading, Sample
from roost_agent.alarms.samples.sampler import Look
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import Missing
from roost_protocol import entity as entities
from roost_protocol.severity import Severity

FAILED: Final = "200.006"
DESCRIPTORS: Final = "100.150"
PIDS_MAX: Final = 10_000
SOFT_LIMIT: Final = "Max open files"


class Processes:
    """See the module.

    Args:
        names: of programs, as the kernel keeps them: 15 characters.
        watched: processes that files define, by name: who watches them raises their alarm.
    """

    types = frozenset({FAILED, DESCRIPTORS})
    interval_s = 60
    may_hang = False

    def __init__(self, names: Sequence[str], watched: Callable[[], Mapping[str, int]]) -> None:
        self._names = tuple(names)
        self._watched = watched

    def sample(self, look: Look) -> Iterator[Sample]:
        """Return whether each runs, and its descriptors."""
        reader = look.reader
        watched = self._watched()
        yield from _of_watched(reader, watched)
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


def _of_watched(reader: Reader, watched: Mapping[str, int]) -> Iterator[Sample]:
    """Return their descriptors, and of their state that nothing is decided here."""
    for name, pid in watched.items():
        entity = f"process={entities.escape(name)}"
        yield Finding(FAILED, entity, None)
        yield Reading(DESCRIPTORS, entity, _share(reader, str(pid)) if pid else None)


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
