"""All process files of a node: what they define together, and what is wrong with which.

A file with a fault loses itself alone. roost's own win over StarlingX's of the same name.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.host.processes import own, pmon
from roost_agent.host.processes.definition import Definition
from roost_agent.host.processes.folders import SUFFIXES, files_of
from roost_protocol.limits import HOST_PROCESSES_MAX

FILE_BYTES_MAX: Final = 64 * 1024
_PARSERS: Final = dict(zip(SUFFIXES, (own.parse, pmon.parse), strict=True))


class Found(msgspec.Struct, frozen=True):
    """What the files say.

    Attributes:
        processes: by name.
        faults: by file, each a sentence with line and bound.
    """

    processes: dict[str, Definition]
    faults: dict[str, list[str]]


def load(folders: Sequence[str]) -> Found:
    """Return what the files of these folders define; the earlier folder wins."""
    found = Found({}, {})
    for file in (file for folder in folders for file in files_of(folder)):
        made, faults = _read(file)
        for each in made:
            if (before := found.processes.get(each.process)) is not None:
                if Path(before.file).suffix == file.suffix:
                    faults.append(f"{file}: {each.process}: stands in {before.file} already")
            elif len(found.processes) >= HOST_PROCESSES_MAX:
                faults.append(f"{file}: {each.process}: bound {HOST_PROCESSES_MAX} processes")
            else:
                found.processes[each.process] = each
        if faults:
            found.faults[str(file)] = faults
    return found


def _read(file: Path) -> tuple[list[Definition], list[str]]:
    try:
        with file.open("rb") as stream:
            raw = stream.read(FILE_BYTES_MAX + 1)
        if len(raw) > FILE_BYTES_MAX:
            return [], [f"{file}: bound {FILE_BYTES_MAX} bytes"]
        return _PARSERS[file.suffix](raw.decode(), str(file))
    except OSError as err:
        return [], [f"{file}: {err.strerror}"]
    except UnicodeDecodeError as err:
        return [], [f"{file}: no UTF-8 at byte {err.start}"]
