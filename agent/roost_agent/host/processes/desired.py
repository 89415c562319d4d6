"""What a profile says of watched processes, over what files define. Pure.

Key by key: the profile's stands over the file's of the same process. What is not well together
leaves the process as its file has it, and is told.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import to_builtins

from roost_agent.host.processes.definition import Definition, definition
from roost_agent.host.processes.files import Found
from roost_protocol.limits import HOST_PROCESSES_MAX

PROFILE: Final = "profile"  # stands where a definition names its file


def with_settings(files: Found, said: Mapping[str, Mapping[str, Any]]) -> Found:
    """Return what is to be watched.

    Args:
        files: what they define, and their faults.
        said: by process, keys of the section ``processes``.
    """
    processes, faults = dict(files.processes), list[str]()
    for name, keys in said.items():
        before = processes.get(name)
        if before is None and len(processes) >= HOST_PROCESSES_MAX:
            faults.append(f"{name}: bound {HOST_PROCESSES_MAX} processes with those of files")
            continue
        made, wrong = definition(_table(name, before) | dict(keys), _origin(before))
        faults += [f"{name}.{key}: {what}" for key, what in wrong]
        if made is not None:
            processes[name] = made
    return Found(processes, {**files.faults, PROFILE: faults} if faults else files.faults)


def _table(name: str, before: Definition | None) -> dict[str, object]:
    if before is None:
        return {"process": name}
    said: dict[str, object] = to_builtins(before)
    del said["file"]
    return said


def _origin(before: Definition | None) -> str:
    return PROFILE if before is None else f"{PROFILE} over {before.file}"
