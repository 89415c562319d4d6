"""What runs services for us, systemd or a container engine: what it is told, and what it says.

Leaves to others: what a group does with such a service (unit, held).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from roost_agent import child
from roost_agent.guard import cgroup
from roost_agent.ha.services.driver import PATH
from roost_agent.ha.services.process import done

ANSWER_S: Final = 5.0
ANSWER_BYTES_MAX: Final = 16 << 10
CONTAINERS: Final = ("podman", "docker")  # the first one that is installed
BY_ITSELF: Final = frozenset({"enabled", "enabled-runtime"})
ASKED: Final = ("LoadState", "UnitFileState", "Restart", "Slice", "ControlGroup")
INSPECTED: Final = "{{.HostConfig.CgroupParent}}|{{.HostConfig.RestartPolicy.Name}}|{{.State.Pid}}"


class Host(NamedTuple):
    """Where this node has what runs services.

    Attributes:
        mount: of cgroup v2.
        slices: the folder of our slices, which the guard guards; None: it guards none.
        systemctl: the program.
        containers: the engine; empty: what is installed.
        units: systemd's folder of what holds until the next boot.
        notes: where a service finds its epoch: ``SERVICE.env``.
    """

    mount: Path = Path("/sys/fs/cgroup")
    slices: Path | None = None
    systemctl: str = "systemctl"
    containers: str = ""
    units: Path = Path("/run/systemd/system")
    notes: Path = Path("/run/roost-ha")


HERE: Final = Host()


class Verbs(NamedTuple):
    """The commands of what runs a service; ``is_up`` ends with status 0 while it runs."""

    start: tuple[str, ...]
    stop: tuple[str, ...]
    kill: tuple[str, ...]
    is_up: tuple[str, ...]


class Found(NamedTuple):
    """What an engine says of a service.

    Attributes:
        fault: why it may not run by a lease; empty: it may.
        cgroup: where it runs now; None: nowhere.
    """

    fault: str = ""
    cgroup: Path | None = None


class Engine(Protocol):
    """What runs one service of a group with a lease."""

    verbs: Verbs

    async def found(self) -> Found:
        """Ask whether and where it runs."""


def systemd(unit: str, program: str = "systemctl") -> Verbs:
    """Return the commands for a unit."""
    return Verbs(
        (program, "start", unit),
        (program, "stop", unit),
        (program, "kill", "--signal=KILL", unit),
        (program, "is-active", "--quiet", unit),
    )


def container(name: str, stop_s: float, program: str = "") -> Verbs:
    """Return the commands for a container that is there already; only a running one has a top."""
    program = program or installed()
    return Verbs(
        (program, "start", name),
        (program, "stop", "--time", str(max(1, round(stop_s))), name),
        (program, "kill", name),
        (program, "top", name, *(("-o",) if program == "docker" else ()), "pid"),
    )


def installed() -> str:
    """Return the container engine of this node."""
    import shutil  # noqa: PLC0415 - 0.4 MiB, for sites that run containers

    return next((each for each in CONTAINERS if shutil.which(each, path=PATH)), CONTAINERS[0])


class Unit:
    """A systemd unit that is to run in a slice.

    Args:
        name: with its suffix.
        within: the slice's cgroup.
        host: see there.
    """

    def __init__(self, name: str, within: Path, host: Host) -> None:
        self.verbs = systemd(name, host.systemctl)
        self._name = name
        self._within = within
        self._host = host

    async def found(self) -> Found:
        """See Engine."""
        words = (self._host.systemctl, "show", f"--property={','.join(ASKED)}", self._name)
        text, fault = await _said(words)
        said = dict(line.partition("=")[::2] for line in text.splitlines())
        if fault or (said.get("LoadState") != "loaded"):
            return Found(fault or f"{self._name}: there is no such unit")
        if said.get("UnitFileState") in BY_ITSELF:
            why = "is enabled, so it would start without a lease: systemctl disable it"
            return Found(f"{self._name} {why}")
        if said.get("Slice") != self._within.name or said.get("Restart") != "no":
            return Found(
                f"{self._name}: has Slice={said.get('Slice')} and Restart={said.get('Restart')},"
                f" must be {self._within.name} and no: some drop-in of it says otherwise"
            )
        group = said.get("ControlGroup", "")
        return _at(
            self._host.mount / group.lstrip("/") if group else None, self._name, self._within
        )


class Container:
    """A container that is to run in a slice, or in the group's own folder.

    Args:
        name: of a container that is there.
        stop_s: what it has to end by itself.
        within: the slice's cgroup, and the folder.
        host: see there.
    """

    def __init__(self, name: str, stop_s: float, within: Sequence[Path], host: Host) -> None:
        self.verbs = container(name, stop_s, host.containers)
        self._name = name
        self._within = within
        self._host = host

    async def found(self) -> Found:
        """See Engine."""
        program = self.verbs.start[0]
        words = (program, "inspect", "--type", "container", "--format", INSPECTED, self._name)
        text, fault = await _said(words)
        parent, policy, pid = (*text.strip().split("|"), "", "", "")[:3]
        if fault or not pid.isdecimal():
            return Found(fault or f"{self._name}: {program} says {text.strip()[:80]!r} of it")
        fit = (self._within[0].name, str(self._within[1].relative_to(self._host.mount)))
        if parent.strip("/") not in fit:
            return Found(
                f"{self._name}: its --cgroup-parent is {parent!r}, must be {fit[0]}"
                f" (or /{fit[1]} where {program} makes cgroups without systemd): create it anew"
            )
        if policy not in {"", "no"}:
            return Found(f"{self._name}: its --restart is {policy!r}, must be 'no'")
        return _at(_cgroup_of(int(pid), self._host.mount), self._name, *self._within)


def _at(group: Path | None, name: str, *within: Path) -> Found:
    """Return where it runs, or that it does so where the guard could not end it."""
    if group is None or cgroup.is_empty(str(group)):
        return Found()
    if not any(group.is_relative_to(each) for each in within):
        return Found(f"{name} runs in {group} without a lease: stop it", group)
    return Found(cgroup=group)


def _cgroup_of(pid: int, mount: Path) -> Path | None:
    """Return the cgroup of a process; None: it is gone."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text("ascii").splitlines() if pid else []
    except OSError:
        return None
    return next((mount / line[4:] for line in lines if line.startswith("0::/")), None)


async def asked(words: Sequence[str], seconds: float) -> int | None:
    """Run a command; return its exit status, None where its time was up."""
    return await done(("/usr/bin/env", *words), {"PATH": PATH}, seconds=seconds)


async def _said(words: Sequence[str]) -> tuple[str, str]:
    """Return what a command says, and why that is nothing to go by."""
    try:
        ended = await child.run(
            words, seconds=ANSWER_S, bytes_max=ANSWER_BYTES_MAX, env={"PATH": PATH}
        )
    except TimeoutError:
        return "", f"{words[0]} {words[1]}: no answer within {ANSWER_S:g} s"
    except OSError as err:
        return "", f"{words[0]}: {err.strerror}"
    if ended.status:
        complaint = ended.complaint.decode(errors="replace").strip().rpartition("\n")[2]
        return "", f"{words[0]} {words[1]}: exit status {ended.status}: {complaint[:200]}"
    return ended.output.decode(errors="replace"), ""
