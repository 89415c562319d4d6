"""The alarm types that this node may raise: the shipped catalogue, a customer's, and its limits.

Read once, before the agent starts; what is wrong is told with file and reason.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec.structs import replace

import roost_protocol
from roost_agent.errors import AgentError
from roost_protocol.catalogue import CATALOGUE_FILE, AlarmType, Catalogue, Delays, decode_catalogue
from roost_protocol.errors import ProtocolError

CATALOGUE_BYTES_MAX: Final = 1 << 20
TYPES_MAX: Final = 2_000
SHIPPED: Final = Path(roost_protocol.__file__).with_name(CATALOGUE_FILE)
REDUNDANCY_LOST: Final = "400.002"
PEER_PATH: Final = "400.005"
GUARD_UNREADY: Final = "400.802"
DAMPED: Final = "400.803"
VIP_CONFLICT: Final = "400.805"
FENCE_UNTESTED: Final = "400.806"
SINGLE_NETWORK: Final = "400.808"
FORGED_FRAMES: Final = "400.809"
WITNESS_SILENT: Final = "400.812"
CLEAR_TEXT: Final = "400.813"
WATCHDOG_UNTESTED: Final = "400.814"
HEALTH_TYPES: Final = frozenset({"200.803"})  # of health scripts
PROCESS_TYPES: Final = frozenset({"200.006", "200.806"})  # of who watches processes
BMC_TYPES: Final = frozenset(  # of who asks board controllers
    {"200.010", "200.014", "200.015", "200.813"}
)
HA_TYPES: Final = frozenset(  # that local HA looks at, where there is any
    {
        REDUNDANCY_LOST,
        PEER_PATH,
        GUARD_UNREADY,
        DAMPED,
        VIP_CONFLICT,
        FENCE_UNTESTED,
        SINGLE_NETWORK,
        FORGED_FRAMES,
        WITNESS_SILENT,
        CLEAR_TEXT,
        WATCHDOG_UNTESTED,
    }
)
CONFIG_FAILED: Final = "250.801"
CONFIG_DRIFT: Final = "250.802"
CONFIG_TYPES: Final = frozenset({CONFIG_FAILED, CONFIG_DRIFT})  # where settings are applied
RAISED_HERE: Final = frozenset({"agent", "app"})
DELAYS: Final = ("raise_after_s", "clear_after_s", "hysteresis")


def shipped() -> Catalogue:
    """Return the types of the agent's own catalogue."""
    return _read(SHIPPED)


def with_files(types: Catalogue, files: Mapping[str, Path]) -> tuple[Catalogue, list[str]]:
    """Return the types with those of more files, and what is wrong with the files.

    A customer's file adds types; it changes none that is there.
    """
    found, faults = dict(types), []
    for name, file in files.items():
        try:
            more = _read(file)
        except (AgentError, ProtocolError) as err:
            faults.append(f"{name}: {err}")
            continue
        faults += [f"{name}: {id_}: there is one already" for id_ in more if id_ in found]
        found = dict(more) | found
    if len(found) > TYPES_MAX:
        faults.append(f"alarms.catalogue: {len(found)} types: bound {TYPES_MAX}")
    return found, faults


def with_numbers(type_: AlarmType, numbers: Mapping[str, float]) -> AlarmType:
    """Return a type with other limits or delays; the names are checked already."""
    delays = {name: value for name, value in numbers.items() if name in DELAYS}
    limits = {name: value for name, value in numbers.items() if name not in DELAYS}
    return replace(
        type_,
        limits=type_.limits | limits,
        delays=Delays(**{name: getattr(type_.delays, name) for name in DELAYS} | delays),
    )


def with_thresholds(types: Catalogue, thresholds: Mapping[str, Mapping[str, float]]) -> Catalogue:
    """Return the types with the limits and delays that a profile sets, by their names."""
    return {
        id_: with_numbers(each, thresholds[each.name]) if each.name in thresholds else each
        for id_, each in types.items()
    }


def _read(file: Path) -> Catalogue:
    try:
        with file.open("rb") as stream:
            raw = stream.read(CATALOGUE_BYTES_MAX + 1)
    except OSError as err:
        raise AgentError(f"{file}: {err.strerror}") from err
    if len(raw) > CATALOGUE_BYTES_MAX:
        raise AgentError(f"{file}: longer than {CATALOGUE_BYTES_MAX} bytes")
    types = decode_catalogue(raw)
    return {id_: each for id_, each in types.items() if each.source in RAISED_HERE}
