"""Lays what a profile says of local HA over the site's file, by the names that the file has. Pure.

A profile names groups, services and nodes; what they are stands in the file alone. Whether the two
together hold is for ``config_file.check`` to say, as of any file.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from roost_agent.errors import ConfigError
from roost_agent.ha.config import HaConfig, Slot
from roost_agent.ha.config_file import check

Table = dict[str, Any]

GROUP_KEYS: Final = {
    "hosts": "hosts",
    "preempt_s": "preempt",
    "active": "active",
    "standby": "standby",
}


def checked(table: Table, said: Mapping[str, Any]) -> HaConfig:
    """Return the configuration that a site file and a profile make together.

    Args:
        table: the file as TOML; it is not changed.
        said: the section ``ha`` of a checked document; empty: nothing.

    Raises:
        ConfigError: with every fault: of the file by itself, names that it has not, or what the two
            come to.
    """
    config, faults = check(table)
    if config is not None and said:
        faults = _strangers(config, said)
        config, faults = (None, faults) if faults else check(_overlaid(table, said))
    if config is None:
        raise ConfigError(faults)
    services = said.get("services", {}).items()
    off = tuple(name for name, own in services if not own.get("enabled", True))
    return replace(config, off=off)


def _strangers(config: HaConfig, said: Mapping[str, Any]) -> list[str]:
    """Return the names of a profile that a file has not, each with those that it has."""
    groups = (each.family if isinstance(each, Slot) else each.name for each in config.groups)
    there = {
        "groups": list(dict.fromkeys(groups)),
        "services": [each.name for each in config.services],
    }
    return [
        f"{kind}.{name}: ha.toml has no such {kind[:-1]}; it has {', '.join(names) or 'none'}"
        for kind, names in there.items()
        for name in said.get(kind, {})
        if name not in names
    ]


def _overlaid(table: Table, said: Mapping[str, Any]) -> Table:
    """Return a table that holds with a profile's settings over it."""
    groups, services = said.get("groups", {}), said.get("services", {})
    fresh = dict(table)
    if groups:
        fresh["group"] = [each | _of_group(groups.get(each["name"], {})) for each in table["group"]]
    if services:
        fresh["service"] = [
            each | _of_service(own)
            for each in table["service"]
            if (own := services.get(each["name"], {})).get("enabled", True)
        ]
    return fresh


def _of_group(said: Mapping[str, Any]) -> Table:
    found = {GROUP_KEYS[key]: value for key, value in said.items()}
    if found.get("preempt") == 0:
        found["preempt"] = "never"
    return found


def _of_service(said: Mapping[str, Any]) -> Table:
    return {key: value for key, value in said.items() if key != "enabled"}
