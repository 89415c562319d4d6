"""What a network should be: as it is, with what a profile says laid over it. Pure.

Only what the profile names is another than it was: the interfaces, those that they are made of,
its routes, and what was made for a profile before and is not named any more.
"""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from types import MappingProxyType

from roost_agent.config_apply.network.names import (
    Given,
    RefusedError,
    by_name,
    names,
    with_parts,
)
from roost_agent.config_apply.network.state import (
    IPV6,
    IPV6_METRIC,
    MTU,
    Interface,
    Route,
    State,
    passes,
)
from roost_protocol.profile.check import Tree
from roost_protocol.profile.network import MAIN_TABLE, MIIMON_MS
from roost_protocol.profile.network_rules import kind_of, lower, members


def target(
    wanted: Tree, found: State, originals: Mapping[str, Interface] = MappingProxyType({})
) -> State:
    """Return what a network should be.

    Args:
        wanted: the settings of the section ``network``, without a fault.
        found: the network as it is.
        originals: interfaces as they were before a profile named them first: one that none names
            any more is so again.

    Raises:
        RefusedError: this node cannot be that.
    """
    given_names = names(wanted, found)
    named = by_name(wanted, given_names)
    interfaces = _left(named, found)
    for name, original in originals.items():
        if name in interfaces and name not in with_parts(named):
            master = original.master if original.master in interfaces else ""
            interfaces[name] = _as_before(interfaces[name], original, master)
    for name, given in named.items():
        interfaces[name] = _interface(name, given, interfaces.get(name), found)
    _join(interfaces, named)
    for name, given in named.items():
        for below in lower(given):
            interfaces[below] = replace(_part(name, below, interfaces), is_up=True)
    _fit(interfaces, named)
    return State(interfaces, _routes(wanted, given_names, interfaces, found), found.several)


def _as_before(now: Interface, original: Interface, master: str) -> Interface:
    return replace(
        now, mtu=original.mtu, is_up=original.is_up, addresses=original.addresses, master=master
    )


def _left(named: Mapping[str, Given], found: State) -> dict[str, Interface]:
    """Return the interfaces that stay: what was made for a profile goes when it is not named."""
    gone = {each.name for each in found.interfaces.values() if each.is_ours} - set(named)
    while borne := {
        each.parent
        for each in found.interfaces.values()
        if each.parent in gone and each.name not in gone
    }:
        gone -= borne  # somebody else's is on it: it goes when that is gone
    return {
        name: replace(each, master="") if each.master in gone else each
        for name, each in found.interfaces.items()
        if name not in gone
    }


def _interface(name: str, given: Given, old: Interface | None, found: State) -> Interface:
    kind = kind_of(given)
    new = _made(name, kind, given) if kind != "device" else old
    where = f"interfaces.{name}"
    if new is None:
        there = ", ".join(sorted(found.interfaces)) or "none"
        raise RefusedError(f"{where}: there is no such interface; there is {there}")
    if old is not None and new is not old:
        if old.identity == new.identity:
            new = replace(old, miimon_ms=new.miimon_ms)
        elif not old.is_ours:
            raise RefusedError(f"{where}: {name} is there already as another, and not roost's")
        elif others := [each for each in found.interfaces.values() if _stands_on(each, name)]:
            raise RefusedError(f"{where}: cannot be made anew: {others[0].name} is on it")
    listed = given.get("addresses")
    return replace(
        new,
        is_up=True,
        mtu=given.get("mtu", new.mtu),
        addresses=new.addresses if listed is None else frozenset(map(canonical, listed)),
    )


def _stands_on(each: Interface, name: str) -> bool:
    return each.parent == name and not each.is_ours


def _made(name: str, kind: str, given: Given) -> Interface:
    made = given[kind]
    is_bond = kind == "bond"
    return Interface(
        name=name,
        kind=kind,
        parent=made.get("parent", ""),
        tag=made.get("id", 0),
        mode=made.get("mode", ""),
        miimon_ms=made.get("miimon_ms", MIIMON_MS) if is_bond else 0,
        is_ours=True,
    )


def _join(interfaces: dict[str, Interface], named: Mapping[str, Given]) -> None:
    """Let exactly the members of each named bond and bridge be its members."""
    for name, given in named.items():
        wanted = members(given)
        for each in list(interfaces.values()):
            if each.master == name and each.name not in wanted:
                interfaces[each.name] = replace(each, master="")
        for member in wanted:
            each = _part(name, member, interfaces)
            if each.master not in ("", name) and each.master not in named:
                raise RefusedError(
                    f"interfaces.{name}: {member} is a member of {each.master} already"
                )
            if others := [one.name for one in interfaces.values() if one.parent == member]:
                raise RefusedError(
                    f"interfaces.{name}: {member} cannot be a member: {others[0]} is on it"
                )
            mtu = None if kind_of(given) == "bond" else each.mtu  # a bond's members have its own
            interfaces[member] = replace(
                each, master=name, is_up=True, addresses=frozenset(), mtu=mtu
            )


def _part(name: str, part: str, interfaces: Mapping[str, Interface]) -> Interface:
    if part not in interfaces:
        there = ", ".join(sorted(interfaces))
        raise RefusedError(f"interfaces.{name}: there is no {part}; there is {there}")
    return interfaces[part]


def _fit(interfaces: dict[str, Interface], named: Mapping[str, Given]) -> None:
    """Let no VLAN send more than what it is on: the kernel cuts it."""
    for name, each in list(interfaces.items()):
        parent = interfaces.get(each.parent)
        bound = 0 if parent is None else parent.mtu or _made_with(parent)
        if not each.mtu or not bound or each.mtu <= bound:
            continue
        if "mtu" in named.get(name, {}):
            raise RefusedError(
                f"interfaces.{name}.mtu: {each.mtu} bytes, and {each.parent} has {bound}"
            )
        interfaces[name] = replace(each, mtu=bound)


def _made_with(each: Interface) -> int:
    """Return the size that a new bond comes with; 0: it is as those that it is made of."""
    return MTU if each.kind == "bond" else 0


def _routes(
    wanted: Tree, aliases: Mapping[str, str], interfaces: Mapping[str, Interface], found: State
) -> dict[str, Route]:
    kept = {
        key: each
        for key, each in found.routes.items()
        if not each.is_ours and (passes(each, interfaces) or not passes(each, found.interfaces))
    }
    for name, given in wanted.get("routes", {}).items():
        route = route_of(given, aliases)
        where = f"routes.{name}"
        if route.interface not in interfaces:
            raise RefusedError(f"{where}: there is no interface {route.interface}")
        if route.key in found.several:
            raise RefusedError(f"{where}: there is a route with several next hops, not roost's")
        if not passes(route, interfaces):
            raise RefusedError(f"{where}.via: {route.via} is in no network of {route.interface}")
        there = found.routes.get(route.key)
        is_same = there is not None and replace(there, protocol=route.protocol) == route
        kept[route.key] = there if there is not None and is_same else route
    return kept


def route_of(given: Given, aliases: Mapping[str, str]) -> Route:
    """Return a route of a profile; ``aliases`` are the interfaces' names on this node."""
    to = str(ip_network(given["to"]))
    return Route(
        to=to,
        via=str(ip_address(given["via"])) if "via" in given else "",
        interface=aliases.get(given["interface"], given["interface"]),
        metric=given.get("metric", IPV6_METRIC if ip_network(to).version == IPV6 else 0),
        table=given.get("table", MAIN_TABLE),
    )


def canonical(address: str) -> str:
    """Return an address with its prefix as the kernel's dump writes it; other texts as they are."""
    return str(ip_interface(address)) if "/" in address else address
