"""What the interfaces of a profile are called on a node: by name or burnt-in MAC. Pure."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from roost_agent.config_apply.network.state import State
from roost_protocol.profile.check import Tree
from roost_protocol.profile.network_rules import kind_of, lower

Given: TypeAlias = Mapping[str, Any]


class RefusedError(Exception):
    """What the node cannot be; the text says which setting, and what is in its way."""


def names(wanted: Tree, found: State) -> dict[str, str]:
    """Return what the interfaces of a section are called on this node.

    Raises:
        RefusedError: one cannot be found.
    """
    return {
        name: _name_of(name, each, found) for name, each in wanted.get("interfaces", {}).items()
    }


def by_name(wanted: Tree, real: Mapping[str, str]) -> dict[str, Given]:
    """Return what is said of each interface by its name on this node; references follow.

    Args:
        wanted: the settings of the section ``network``.
        real: of ``names``.

    Raises:
        RefusedError: two are one.
    """
    if len(set(real.values())) < len(real):
        twice = next(name for name, each in real.items() if each != name)
        raise RefusedError(f"interfaces.{twice}.mac: {real[twice]} is named twice")
    given: Mapping[str, Given] = wanted.get("interfaces", {})
    return {real[name]: _renamed(each, real) for name, each in given.items()}


def with_parts(named: Mapping[str, Given]) -> set[str]:
    """Return interfaces and what they are made of."""
    return {*named, *(below for given in named.values() for below in lower(given))}


def _name_of(name: str, given: Given, found: State) -> str:
    mac = given.get("mac")
    if mac is None:
        return name
    owner = [each.name for each in found.interfaces.values() if each.permanent_mac == mac]
    if len(owner) != 1:
        count = "no interface" if not owner else ", ".join(owner)
        raise RefusedError(f"interfaces.{name}.mac: {count} with {mac} burnt in")
    return owner[0]


def _renamed(given: Given, real: Mapping[str, str]) -> Given:
    kind = kind_of(given)
    if kind == "device":
        return given
    made = dict(given[kind])
    if "parent" in made:
        made["parent"] = real.get(made["parent"], made["parent"])
    if "members" in made:
        made["members"] = [real.get(each, each) for each in made["members"]]
    return {**given, kind: made}
