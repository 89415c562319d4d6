"""Reads the ``[alarms]`` tables: what is watched, by which limits, and where applications ask."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from roost_agent.alarm_types import DELAYS, shipped, with_files, with_numbers
from roost_agent.config import AlarmsConfig, PortRole
from roost_agent.enrolled import STATE_DIR
from roost_protocol.catalogue import AlarmType, Catalogue
from roost_protocol.severity import Severity

Table = dict[str, Any]
Fault = Callable[[str, str, str], None]  # file, key, what is wrong with it

TYPES: Final = "types"
LISTS: Final[Mapping[str, tuple[int, str]]] = {  # key -> most entries, what one looks like
    "catalogue": (16, "/.*"),
    "certificates": (64, "/.*"),
    "processes": (20, "[^/\\s]{1,15}"),  # the kernel keeps 15 characters of a name
    "mounts": (16, "/.*"),
    "wan_ports": (64, "[^/\\s]{1,15}"),
    "lan_ports": (64, "[^/\\s]{1,15}"),
    "ha_ports": (64, "[^/\\s]{1,15}"),
    "off": (500, "[0-9]{3}\\.[0-9]{3}"),
}
KEYS: Final = ("socket", *LISTS, TYPES)
SOCKET_CHARS_MAX: Final = 107  # sun_path, without its NUL
NUMBER_MAX: Final = 1e9
SYSTEM_SOCKET: Final = "/run/roost/alarm.sock"


def alarms_config(
    tables: Sequence[tuple[str, Table]], state_dir: str, fault: Fault
) -> AlarmsConfig:
    """Return what the tables say together; a later key wins, every fault is told.

    Args:
        tables: file name and ``[alarms]`` table, in the order they were read.
        state_dir: an agent with a state of its own has a socket of its own.
        fault: takes what is wrong.
    """
    said: dict[str, tuple[str, Any]] = {}
    numbers: dict[str, list[tuple[str, Any]]] = {}
    for file, table in tables:
        for key, value in table.items():
            if key == TYPES and isinstance(value, dict):
                for type_, each in value.items():
                    numbers.setdefault(type_, []).append((file, each))
            elif key == TYPES:
                fault(file, f"alarms.{key}", "must be tables by type")
            elif key in KEYS:
                said[key] = (file, value)
            else:
                fault(file, f"alarms.{key}", f"unknown key, {hint(key, KEYS)}")
    lists = {key: _list(said, key, fault) for key in LISTS}
    catalogue = _catalogue(said, lists["catalogue"], numbers, fault)
    _check_off(said, lists["off"], catalogue, fault)
    return AlarmsConfig(
        socket=_socket(said, state_dir, fault),
        types=catalogue,
        off=frozenset(lists["off"]),
        certificates=lists["certificates"],
        processes=lists["processes"],
        mounts=lists["mounts"],
        ports={name: role for role in PortRole for name in lists[f"{role}_ports"]},
    )


def hint(key: str, names: Iterable[str]) -> str:
    """Return what may have been meant."""
    import difflib  # noqa: PLC0415 - 200 KiB that stay, for who made a mistake

    known = list(names)
    close = difflib.get_close_matches(key, known, n=1)
    return f"did you mean {close[0]}?" if close else f"one of {', '.join(known)}"


def _socket(said: Mapping[str, tuple[str, Any]], state_dir: str, fault: Fault) -> str:
    default = SYSTEM_SOCKET if state_dir == STATE_DIR else f"{state_dir}/alarm.sock"
    file, value = said.get("socket", ("", default))
    if not isinstance(value, str) or (value and not value.startswith("/")):
        fault(file, "alarms.socket", "must be an absolute path, or empty for none")
        return ""
    if len(value.encode()) > SOCKET_CHARS_MAX:
        if file:
            fault(file, "alarms.socket", f"longer than {SOCKET_CHARS_MAX} bytes")
        return ""
    return value


def _list(said: Mapping[str, tuple[str, Any]], key: str, fault: Fault) -> tuple[str, ...]:
    file, value = said.get(key, ("", []))
    count_max, pattern = LISTS[key]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        fault(file, f"alarms.{key}", "must be a list of strings")
        return ()
    if len(value) > count_max:
        fault(file, f"alarms.{key}", f"{len(value)} entries: bound {count_max}")
        return ()
    for each in value:
        if not re.fullmatch(pattern, each):
            fault(file, f"alarms.{key}", f"{each!r} does not match {pattern}")
    return tuple(value)


def _catalogue(
    said: Mapping[str, tuple[str, Any]],
    files: Sequence[str],
    numbers: Mapping[str, list[tuple[str, Any]]],
    fault: Fault,
) -> Catalogue:
    types, faults = with_files(shipped(), {name: Path(name) for name in files})
    for each in faults:
        fault(said["catalogue"][0], "alarms.catalogue", each)
    changed = dict(types)
    for type_, tables in numbers.items():
        for file, table in tables:
            key = f"alarms.types.{type_}"
            if type_ not in types or types[type_].source != "agent":
                fault(file, key, "no type that this node's rules raise")
            elif not isinstance(table, dict):
                fault(file, key, "must be a table")
            elif not (wrong := _wrong_numbers(changed[type_], table)):
                changed[type_] = with_numbers(changed[type_], table)
            else:
                for name, what in wrong:
                    fault(file, f"{key}.{name}", what)
    return changed


def _wrong_numbers(type_: AlarmType, table: Table) -> list[tuple[str, str]]:
    """Return what is wrong with the limits and delays of a type, by key."""
    known = [*type_.limits, *DELAYS]
    wrong = []
    for name, value in table.items():
        if name not in known:
            wrong.append((name, f"unknown key, {hint(name, known)}"))
        elif isinstance(value, bool) or not isinstance(value, int | float):
            wrong.append((name, "must be a number"))
        elif not 0 <= value <= NUMBER_MAX:
            wrong.append((name, f"{value}: bound 0..{NUMBER_MAX:g}"))
    if not wrong:
        limits = type_.limits | {name: table[name] for name in table if name not in DELAYS}
        ordered = [limits[each.word] for each in Severity if each.word in limits]
        if ordered != sorted(ordered):
            wrong.append(("limits", "a worse severity needs a higher limit"))
    return wrong


def _check_off(
    said: Mapping[str, tuple[str, Any]], off: Sequence[str], types: Catalogue, fault: Fault
) -> None:
    for type_ in off:
        if type_ not in types or types[type_].source != "agent":
            fault(said["off"][0], "alarms.off", f"{type_}: no type that this node's rules raise")
