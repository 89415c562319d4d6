"""Which process it is: the number in its pid file, or the first one of its unit's cgroup.

A number alone names nobody: the kernel gives it out again. So a process is its number and when it
began; a pid file that was not written since its process died names nobody; and where the unit has
processes, the file's must be one of them. Nothing here looks at processes that no file names.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.host.processes.definition import Definition

PID_BYTES_MAX: Final = 64
STAT_BYTES_MAX: Final = 4_096
GROUP_BYTES_MAX: Final = 64 * 1024  # of cgroup.procs: some 8,000 processes of a unit
HEADS_MAX: Final = 512  # of them that are looked at for whom the others come from
BELOW_MAX: Final = 16  # cgroups below that of a unit which delegates
SAME_MAX: Final = 4  # looks at a pid file that is as it was, until the rest is looked at as well
_DEAD: Final = frozenset("ZXx")
_STATE, _PARENT, _BEGAN = 0, 1, 19  # fields of /proc/PID/stat behind the name


class Found(msgspec.Struct, frozen=True):
    """A process.

    Attributes:
        began: when, in ticks since boot.
        stamp: of the pid file that named it; empty: none did.
    """

    pid: int
    began: int
    stamp: tuple[int, int] | tuple[()] = ()


class Finder:
    """Looks for processes.

    Args:
        units: names of the catalogue to systemd units.
        groups: where cgroups v2 are mounted.

    Attributes:
        units: as above.
    """

    def __init__(self, units: dict[str, str], groups: str) -> None:
        self.units = units
        self._groups = Path(groups)
        self._gone: dict[str, Found] = {}
        self._same: dict[str, tuple[Definition, Found, int]] = {}  # and how often it was as it was
        self._heads: dict[str, Found] = {}  # of units without a pid file

    def find(self, definition: Definition) -> Found | None:
        """Return the process that runs now; None where none does.

        One whose pid file was not touched is the same until somebody says that it has ended:
        twenty files, units and processes that are read every two seconds are a twentieth of a
        percent of a processor, for nothing.
        """
        name = definition.process
        known = self._same.get(name)
        if known is not None and known[2] < SAME_MAX and _is_untouched(definition, known):
            self._same[name] = (definition, known[1], known[2] + 1)
            return known[1]
        found = self._look(definition)
        self._same.pop(name, None)
        if found is not None and found.stamp:
            self._same[name] = (definition, found, 0)
        return found

    def _look(self, definition: Definition) -> Found | None:
        group = self.group(definition)
        members = self._members(group) if group is not None else []
        if not definition.pidfile:
            return self._head(definition.process, members)
        found = self._of_file(definition.pidfile)
        gone = self._gone.get(definition.process)
        if found is None or (gone and (gone.pid, gone.stamp) == (found.pid, found.stamp)):
            return None
        return None if members and found.pid not in members else found

    def gone(self, name: str, found: Found) -> None:
        """Note that a process has ended: its pid file means nobody until it is written anew."""
        self._gone[name] = found
        self._same.pop(name, None)

    def began(self, pid: int) -> int:
        """Return when a process began, in ticks since boot; 0: none lives under that number."""
        fields = self._stat(pid)
        return 0 if fields is None else int(fields[_BEGAN])

    def _of_file(self, name: str) -> Found | None:
        try:
            # Without waiting: a pipe would hold up the looks at all the others.
            handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            words = os.read(handle, PID_BYTES_MAX).split()
            said = os.fstat(handle)
        except OSError:
            return None
        finally:
            os.close(handle)
        if not words or not words[0].isdigit():
            return None
        pid = int(words[0])
        began = self.began(pid)
        return Found(pid, began, (said.st_mtime_ns, said.st_ino)) if began else None

    def group(self, definition: Definition) -> Path | None:
        """Return the cgroup of its unit: as its file says, or where systemd puts it by itself."""
        place = definition.cgroup
        if not place:
            if not definition.service:
                return None
            unit = self.units.get(definition.service, f"{definition.service}.service")
            prefix, at, _ = unit.partition("@")
            escaped = prefix.replace("-", "\\x2d")
            place = f"system.slice/system-{escaped}.slice/{unit}" if at else f"system.slice/{unit}"
        return self._groups / place

    def _members(self, group: Path) -> list[int]:
        """Return the processes of a cgroup, and of those below where it has none itself."""
        if found := _procs(group):
            return found
        try:
            below = [each for each in group.iterdir() if each.is_dir()][:BELOW_MAX]
        except OSError:
            return []
        return [pid for each in below for pid in _procs(each)]

    def _head(self, name: str, members: list[int]) -> Found | None:
        """Return the head as before while it lives: it is not looked for at every look."""
        head = self._heads.get(name)
        if head is None or head.pid not in members or self.began(head.pid) != head.began:
            head = self._first(members[:HEADS_MAX])
        if head is not None:
            self._heads[name] = head
        return head

    def _first(self, members: list[int]) -> Found | None:
        """Return whom the others come from: the oldest whose parent is none of them."""
        stats = {pid: fields for pid in members if (fields := self._stat(pid)) is not None}
        heads = [
            (int(fields[_BEGAN]), pid)
            for pid, fields in stats.items()
            if int(fields[_PARENT]) not in stats
        ]
        return Found(min(heads)[1], min(heads)[0]) if heads else None

    def _stat(self, pid: int) -> list[str] | None:
        """Return the fields behind the name, which may hold anything; None: nobody, or a zombie."""
        try:
            with open(f"/proc/{pid}/stat", "rb") as stream:  # noqa: PTH123 - as above
                raw = stream.read(STAT_BYTES_MAX)
        except OSError:
            return None
        fields = raw.rpartition(b")")[2].decode("ascii", "replace").split()
        return None if len(fields) <= _BEGAN or fields[_STATE] in _DEAD else fields


def _is_untouched(definition: Definition, known: tuple[Definition, Found, int]) -> bool:
    """Whether a process is looked for as before, and its pid file is as it was."""
    if known[0] != definition:
        return False
    try:
        said = os.stat(definition.pidfile)  # noqa: PTH116 - as cheap as it is
    except OSError:
        return False
    return (said.st_mtime_ns, said.st_ino) == known[1].stamp


def _procs(group: Path) -> list[int]:
    try:
        with (group / "cgroup.procs").open("rb") as stream:
            return [int(each) for each in stream.read(GROUP_BYTES_MAX).split() if each.isdigit()]
    except OSError:
        return []
