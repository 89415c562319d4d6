"""Reads ``ha.toml``: a file to one table, the table to a HaConfig, all faults at once."""

import os
import stat
import tomllib
from pathlib import Path
from typing import Any, Final

import msgspec

from roost_agent.config_alarms import hint
from roost_agent.errors import ConfigError
from roost_agent.ha.config import HaConfig, HaFile, HaPart, Way
from roost_agent.ha.config_rules import faults_of, is_sticky, notes_of, stop_chain
from roost_agent.ha.config_slots import expanded
from roost_agent.ha.config_table import part, record
from roost_agent.ha.config_witness import timing_faults
from roost_agent.ha.fault_graph import verdict
from roost_agent.ha.timing import Timing, preset

FILE_BYTES_MAX: Final = 256 * 1024
_OF_GRAPH: Final = ("node", "networks", "paths", "voters", "single_network")  # what it is made of


def load(file: Path) -> HaConfig:
    """Return the HA configuration of a file.

    Raises:
        ConfigError: with every fault, each naming field, value and bound.
    """
    table, faults = read(file)
    config, found = check(table)
    faults += found
    if faults or config is None:
        raise ConfigError([f"{file.name}: {each}" for each in faults])
    return config


def read(file: Path) -> tuple[dict[str, Any], list[str]]:
    """Return what a file says, and why it may not be believed; empty: it may.

    Raises:
        ConfigError: it cannot be read.
    """
    faults: list[str] = []
    try:
        with file.open("rb") as stream:
            faults += _strangers(os.fstat(stream.fileno()))
            raw = stream.read(FILE_BYTES_MAX + 1)
        if len(raw) > FILE_BYTES_MAX:
            raise ConfigError([f"{file}: longer than {FILE_BYTES_MAX} bytes"])
        table = tomllib.loads(raw.decode())
    except OSError as err:
        raise ConfigError([f"{file}: {err.strerror}"]) from err
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise ConfigError([f"{file}: not TOML: {err}"]) from err
    return table, faults


def check(table: dict[str, Any]) -> tuple[HaConfig | None, list[str]]:
    """Return the configuration that a table says, and every fault; None where it has one.

    What does not hold by itself is left out of the look at the whole, and what that cannot tell
    without it is not told: no fault is one that only follows from another.
    """
    faults: list[str] = []

    def fault(where: str, what: str) -> None:
        faults.append(f"{where}: {what}")

    said: HaFile | None = record(HaFile, table, "", fault)
    if said is None:
        found, left_out = part(HaFile, table)
        said = HaPart(**found, left_out=left_out)
    if not said.paths and said.is_whole("paths"):  # UDP needs nothing that is not there
        said = msgspec.structs.replace(
            said, paths=tuple(Way(driver="udp", network=each.name) for each in said.networks)
        )
    timing = _timing(said, faults)
    faults += faults_of(said)
    warnings: list[str] = []
    if said.is_whole(*_OF_GRAPH):
        warnings = _look_at_graph(said, faults)
    if faults or timing is None:
        return None, faults
    return _made(said, timing, tuple(warnings)), []


def _look_at_graph(said: HaFile, faults: list[str]) -> list[str]:
    """Return the warnings of the fault graph, and add its faults."""
    graph = verdict(
        [each for each in said.nodes if each.name in said.voters],
        said.paths,
        {each.name: each for each in said.nodes},
        single_network_accepted=said.single_network == "accepted",
    )
    faults += [f"paths: {each}" for each in graph.faults]
    return graph.warnings


def _made(said: HaFile, timing: Timing, warnings: tuple[str, ...]) -> HaConfig:
    parts = {name: getattr(said, name) for name in said.__struct_fields__}
    parts["groups"] = expanded(said.groups)
    return HaConfig(**parts, timing=timing, warnings=warnings, notes=tuple(notes_of(said)))


def _timing(said: HaFile, faults: list[str]) -> Timing | None:
    """Return the profile with its own constants, checked against the longest stop."""
    known = [each.name for each in msgspec.structs.fields(Timing)]
    unknown = [key for key in said.constants if key not in known]
    faults += [f"timing.{key}: unknown key, {hint(key, known)}" for key in unknown]
    if not said.is_whole("profile", "timing"):
        return None
    own = {key: value for key, value in said.constants.items() if key in known}
    timing = msgspec.structs.replace(preset(said.profile), **own)
    has_ends = not is_sticky(said) or said.witness == "central"
    stop_ms, chain = stop_chain(said) if has_ends else (0, ())
    found = timing.check(stop_ms)
    because = f" (stopping {' after '.join(reversed(chain))})" if chain else ""
    faults += [f"timing: {each}{because * ('stopping' in each)}" for each in found]
    if said.witness == "central" and said.is_whole("wan_witness"):
        faults += timing_faults(said.wan_witness, timing)
    return None if found else timing


def _strangers(found: os.stat_result) -> list[str]:
    """Return why the file may not be believed: what it names is run as the agent's user."""
    faults = []
    if found.st_uid not in {0, os.geteuid()}:
        faults.append(f"belongs to user {found.st_uid}: must be root's or the agent's own")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        faults.append(f"mode {stat.S_IMODE(found.st_mode):04o}: others may write it, bound 0755")
    return faults
