"""Reads roost's own process files: TOML, a table ``[process.NAME]`` for each.

[process.pump]
service = "pump"
severity = "major"
"""

import tomllib
from collections.abc import Iterator
from typing import Final

from roost_agent.config_alarms import hint
from roost_agent.host.processes.definition import KEYS, Definition, definition

TABLE: Final = "process"


def parse(text: str, file: str) -> tuple[list[Definition], list[str]]:
    """Return the processes of a file, or every fault with its line."""
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as err:
        return [], [f"{file}: not TOML: {err}"]
    processes = table.pop(TABLE, {})
    faults = [f"{file}: {key}: unknown, {hint(key, [TABLE])}" for key in table]
    if not isinstance(processes, dict):
        return [], [f"{file}: {TABLE}: must be tables [{TABLE}.NAME]"]
    found: list[Definition] = []
    for name, said in processes.items():
        if not isinstance(said, dict):
            faults.append(f"{file}: {TABLE}.{name}: must be a table")
            continue
        known = [key for key in KEYS if key != "process"]
        wrong = [(key, f"unknown key, {hint(key, known)}") for key in said if key not in known]
        made, others = definition(
            {key: each for key, each in said.items() if key in known} | {"process": name}, file
        )
        faults += [
            f"{file}:{_line(text, name, key)}: {TABLE}.{name}.{key}: {what}"
            for key, what in [*wrong, *others]
        ]
        found += [] if made is None else [made]
    return ([] if faults else found), faults


def _line(text: str, name: str, key: str) -> int:
    """Return the line of a key, else of its table; 1 where neither is seen."""
    at = 1
    for number, line in _inside(text, name):
        if line.startswith("["):
            at = number
        elif line.partition("=")[0].strip().strip("\"'") == key:
            return number
    return at


def _inside(text: str, name: str) -> Iterator[tuple[int, str]]:
    heads = {f"[{TABLE}.{quote}{name}{quote}]" for quote in ("", '"', "'")}
    is_inside = False
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith("["):
            is_inside = line.partition("#")[0].strip() in heads
        if is_inside:
            yield number, line
