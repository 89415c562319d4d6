"""The slice of a group with a lease: where systemd puts units and containers that the guard ends.

``roost-ha-GROUP.slice`` lies in the guard's second folder, is there before the guard is told of
it, and holds everything that systemd starts for the group.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from roost_agent.ha.services.engine import ANSWER_S, Host, asked

DASH: Final = r"\x2d"  # as systemd escapes it
DROP_IN: Final = "zz-roost-ha.conf"  # the last one counts, whatever folder it is in
TEXT: Final = """\
# Written by roost-agent, which alone starts this unit, by a lease.
[Unit]
StartLimitIntervalSec=0
[Service]
Slice={slice}
Restart=no
EnvironmentFile=-{notes}/{service}.env
"""


def slice_name(group: str) -> str:
    """Return the slice of a group, whose dashes are escaped: each would nest another slice."""
    return f"roost-ha-{group.replace('-', DASH)}.slice"


class Slice:
    """One group's.

    Args:
        group: its name.
        units: each unit with the name of its service.
        host: where systemd has its files.

    Attributes:
        folder: its cgroup.
    """

    def __init__(self, group: str, units: Mapping[str, str], host: Host) -> None:
        self._units = units
        self._host = host
        self._name = slice_name(group)
        self.folder = (host.slices or host.mount) / self._name

    async def made(self) -> str:
        """Have systemd make it and put the units in it; return why it is not there, if so."""
        if self._host.slices is None:
            return "the guard that runs here guards no slices: restart roost-guard"
        try:
            changed = [self._write(unit, name) for unit, name in self._units.items()]
        except OSError as err:
            return f"{err.filename}: {err.strerror}"
        steps: list[tuple[str, ...]] = [("daemon-reload",)] if any(changed) else []
        for step in [*steps, *([] if self.folder.is_dir() else [("start", self._name)])]:
            status = await asked((self._host.systemctl, *step), ANSWER_S)
            if status != 0:
                how = "no answer" if status is None else f"exit status {status}"
                return f"{self._host.systemctl} {' '.join(step)}: {how}"
        return "" if self.folder.is_dir() else f"{self.folder}: systemd made no such cgroup"

    def _write(self, unit: str, service: str) -> bool:
        """Write a unit's drop-in; return whether that changed anything."""
        file = self._host.units / f"{unit}.d" / DROP_IN
        text = TEXT.format(slice=self._name, notes=self._host.notes, service=service)
        if file.is_file() and file.read_text("utf-8") == text:
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return True


def forget_others(units: set[str], host: Host) -> bool:
    """Remove the drop-ins of units that are no service any more; return whether there were any."""
    found = {file for file in host.units.glob(f"*.d/{DROP_IN}") if file.parent.stem not in units}
    for file in found:
        file.unlink(missing_ok=True)
    return bool(found)


def note(file: Path, environment: Mapping[str, str]) -> None:
    """Write what a service is to find beside its own environment, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    ours = (f"{key}={value}\n" for key, value in environment.items() if key.startswith("HA_"))
    new.write_text("".join(ours), "utf-8")
    new.replace(file)
