"""The last day of what a board controller's sensors read, kept by the child that read them.

A folder for each controller, with the files of the node's own samples (host/samples): the resident
agent, which has the last reading of each sensor, never holds a row of them. A minute has one row;
where it was read more often, the lowest, mean and highest of it.

Leaves to others: answering (host/samples/answer.py).
"""

import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from roost_agent.bmc.sensor import Sensor
from roost_agent.host.samples.minutes import Row
from roost_agent.host.samples.ring import Ring
from roost_protocol.boards import Group
from roost_protocol.entity import escape
from roost_protocol.limits import ENTITY_BYTES_MAX, NAME_CHARS_MAX
from roost_protocol.samples import series_name

BOARDS_MAX: Final = 20  # the first of bmc.toml, a site's nodes: each 2.5 MB of the disk at most
KINDS: Final = {  # counters of energy only ever grow: no plot
    (Group.TEMPERATURE, "C"): "temperature",
    (Group.FANS, "rpm"): "fan",
    (Group.FANS, "%"): "fan_level",
    (Group.VOLTAGE, "V"): "voltage",
    (Group.POWER, "A"): "current",
    (Group.POWER, "W"): "power",
    (Group.USAGE, "%"): "usage",
}
MINUTE_MS: Final = 60_000
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.ASCII)


def keep(folder: Path, sensors: Iterable[Sensor], wall_ms: int) -> str:
    """Keep what was read now, and return why it is not kept; empty: it is.

    Args:
        folder: of this controller; its name is its node's.
        sensors: as read.
        wall_ms: UTC.
    """
    if not _NAME.fullmatch(folder.name) or len(folder.name) > NAME_CHARS_MAX:
        return "its node has no name that a node may have"
    values = values_of(sensors)
    if not values:
        return ""
    minute = max(wall_ms, 0) // MINUTE_MS
    ring = Ring(folder)
    try:
        ring.fold(minute)
        ring.append(Row(minute, values))
    except OSError as err:
        return f"{folder}: {err.strerror}"
    return ""


def values_of(sensors: Iterable[Sensor]) -> dict[str, tuple[float, float, float]]:
    """Return readings by series; of two of one name the second has its key too."""
    values: dict[str, tuple[float, float, float]] = {}
    for sensor in sensors:
        kind = KINDS.get((sensor.group, sensor.unit))
        if kind is None or sensor.value is None:
            continue
        of = f"sensor={escape(sensor.name)}"
        if series_name(kind, of) in values:
            of = f"sensor={escape(f'{sensor.name} {sensor.key}')}"
        if len(of.encode()) <= ENTITY_BYTES_MAX:
            values.setdefault(series_name(kind, of), (sensor.value,) * 3)
    return values


def chosen(root: Path, nodes: Iterable[str]) -> frozenset[str]:
    """Return those of bmc.toml whose readings are kept, and forget what was kept of others."""
    wanted = frozenset(islice(nodes, BOARDS_MAX))
    with suppress(OSError):  # there is no folder yet
        for folder in list(root.iterdir()):
            if folder.name not in wanted:
                shutil.rmtree(folder, ignore_errors=True)
    return wanted
