"""What the settings of a network must be together. Pure.

Asked of a whole document whose settings are well one by one. An interface that others are made of
need not have settings of its own: it is then one that the node has.
"""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_interface, ip_network
from itertools import combinations
from typing import Any, Final

from roost_protocol.profile.addresses import Interface
from roost_protocol.profile.check import Fault, Tree
from roost_protocol.profile.field import Path, dotted
from roost_protocol.profile.network import MAIN_TABLE

Interfaces = Mapping[str, Mapping[str, Any]]

_KINDS: Final = ("vlan", "bond", "bridge")
_NEEDED: Final = {"vlan": ("parent", "id"), "bond": ("mode", "members"), "bridge": ("members",)}
_AT: Final[Path] = ("network", "interfaces")


def network_together(sections: Tree) -> Iterator[Fault]:
    """Yield what is wrong with interfaces and routes that are well one by one."""
    network = sections.get("network", {})
    interfaces: Interfaces = network.get("interfaces", {})
    routes: Interfaces = network.get("routes", {})
    kinds = {name: kind_of(given) for name, given in interfaces.items()}
    for name, given in interfaces.items():
        yield from _one(name, given)
    yield from _macs(interfaces)
    yield from _stacked(interfaces, kinds)
    yield from _members(interfaces, kinds)
    yield from _tags(interfaces)
    yield from _overlapping(interfaces)
    for name, given in routes.items():
        yield from _route(name, given, interfaces)
    yield from _same_routes(routes)


def kind_of(given: Mapping[str, Any]) -> str:
    """Return ``vlan``, ``bond`` or ``bridge``; ``device`` for what is not made but there."""
    return next((kind for kind in _KINDS if kind in given), "device")


def _at(*keys: str) -> Path:
    return (*_AT, *keys)


def _fault(path: Path, sentence: str) -> Fault:
    return Fault(path, "together", sentence)


def _one(name: str, given: Mapping[str, Any]) -> Iterator[Fault]:
    there = [kind for kind in _KINDS if kind in given]
    if len(there) > 1:
        yield _fault(_at(name, there[1]), f"it is a {there[0]} already")
    if there and "mac" in given:
        yield _fault(_at(name, "mac"), f"a {there[0]} is made, not found by a burnt-in MAC")
    for kind in there:
        for key in _NEEDED[kind]:
            if key not in given[kind]:
                yield _fault(_at(name, kind), f"needs {dotted(_at(name, kind, key))} as well")


def _macs(interfaces: Interfaces) -> Iterator[Fault]:
    owners: dict[str, str] = {}
    for name, given in interfaces.items():
        if "mac" in given and (other := owners.setdefault(given["mac"], name)) != name:
            yield _fault(_at(name, "mac"), f"is the MAC of {dotted(_at(other))}, too")


def _stacked(interfaces: Interfaces, kinds: Mapping[str, str]) -> Iterator[Fault]:
    for name, given in interfaces.items():
        parent = given.get("vlan", {}).get("parent")
        if parent is None:
            continue
        path = _at(name, "vlan", "parent")
        if parent == name or _leads_to(parent, name, interfaces):
            yield _fault(path, f"{parent} is made of {name} itself")
        elif kinds.get(parent) == "vlan":
            yield _fault(path, f"{parent} is a VLAN: a VLAN on a VLAN is not supported")
        mtu, most = given.get("mtu"), interfaces.get(parent, {}).get("mtu")
        if mtu is not None and most is not None and mtu > most:
            parent_path = dotted(_at(parent, "mtu"))
            yield _fault(_at(name, "mtu"), f"must be at most {parent_path}, which is {most}")


def _leads_to(name: str, sought: str, interfaces: Interfaces) -> bool:
    """Say whether an interface is made of another one, over any number of others."""
    seen: set[str] = set()
    left = [name]
    while left:
        if (each := left.pop()) in seen:
            continue
        seen.add(each)
        below = lower(interfaces.get(each, {}))
        if sought in below:
            return True
        left.extend(below)
    return False


def lower(given: Mapping[str, Any]) -> list[str]:
    """Return the interfaces that one is made of."""
    parent = given.get("vlan", {}).get("parent")
    return [*([parent] if parent else []), *members(given)]


def members(given: Mapping[str, Any]) -> list[str]:
    """Return the members of a bond or a bridge."""
    found: list[str] = given.get(kind_of(given), {}).get("members", [])
    return found if kind_of(given) in ("bond", "bridge") else []


def _members(interfaces: Interfaces, kinds: Mapping[str, str]) -> Iterator[Fault]:
    owners: dict[str, str] = {}
    for name, given in interfaces.items():
        path = _at(name, kinds[name], "members")
        for member in members(given):
            owner = owners.setdefault(member, name)
            if owner != name:
                yield _fault(path, f"{member} is a member of {owner} already")
            if member == name:
                yield _fault(path, f"{name} cannot be a member of itself")
            elif kinds[name] == "bond" and kinds.get(member, "device") != "device":
                yield _fault(path, f"{member} is a {kinds[member]}: a bond is made of devices")
            elif kinds.get(member) == "bridge":
                yield _fault(path, f"{member} is a bridge: a bridge is made of other interfaces")
            if interfaces.get(member, {}).get("addresses"):
                where = dotted(_at(member, "addresses"))
                yield _fault(path, f"{member} has {where}: a member has none, {name} has them")


def _tags(interfaces: Interfaces) -> Iterator[Fault]:
    owners: dict[tuple[str, int], str] = {}
    for name, given in interfaces.items():
        vlan = given.get("vlan", {})
        if "parent" in vlan and "id" in vlan:
            owner = owners.setdefault((vlan["parent"], vlan["id"]), name)
            if owner != name:
                yield _fault(_at(name, "vlan", "id"), f"{owner} has it on {vlan['parent']} already")


def _overlapping(interfaces: Interfaces) -> Iterator[Fault]:
    given = [
        (name, ip_interface(text))
        for name, each in interfaces.items()
        for text in each.get("addresses", [])
    ]
    for (one, first), (other, second) in combinations(given, 2):
        if first.version != second.version:
            continue
        path = _at(other, "addresses")
        if first.ip == second.ip:
            yield _fault(path, f"{second.ip} is in {dotted(_at(one, 'addresses'))}, too")
        elif one != other and _overlap(first, second):
            yield _fault(path, f"{second} and {first} of {one} are in one network")


def _overlap(first: Interface, second: Interface) -> bool:
    """Say whether two networks overlap; an address alone (/32, /128) is in nobody's way."""
    alone = max(first.network.prefixlen, second.network.prefixlen) == first.max_prefixlen
    return not alone and first.network.overlaps(second.network)


def _route(name: str, given: Mapping[str, Any], interfaces: Interfaces) -> Iterator[Fault]:
    path: Path = ("network", "routes", name)
    for key in ("to", "interface"):
        if key not in given:
            yield _fault(path, f"needs {dotted((*path, key))} as well")
    if "to" not in given or "via" not in given:
        return
    to, via = ip_network(given["to"]), ip_address(given["via"])
    if to.version != via.version:
        yield _fault((*path, "via"), f"is IPv{via.version}, and {to} is IPv{to.version}")
        return
    listed = interfaces.get(given.get("interface", ""), {}).get("addresses")
    if listed is None or via.is_link_local:
        return
    own = [ip_interface(text) for text in listed]
    if any(via == each.ip for each in own):
        yield _fault((*path, "via"), "is an address of the node itself")
    elif not any(via in each.network for each in own):
        where = dotted(_at(given["interface"], "addresses"))
        yield _fault((*path, "via"), f"is in no network of {where}, so nobody finds it")


def _same_routes(routes: Interfaces) -> Iterator[Fault]:
    owners: dict[tuple[str, int, int], str] = {}
    for name, given in routes.items():
        if "to" not in given:
            continue
        key = str(ip_network(given["to"])), given.get("table", MAIN_TABLE), given.get("metric", 0)
        owner = owners.setdefault(key, name)
        if owner != name:
            there = dotted(("network", "routes", owner))
            path: Path = ("network", "routes", name, "to")
            yield _fault(path, f"{there} leads there, too, with the same metric and table")
