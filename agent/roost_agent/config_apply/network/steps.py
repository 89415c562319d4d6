"""The steps of a change, and what the kernel makes of each as far as a plan must know. Pure.

Sources: the kernel's net/ipv4/devinet.c and fib_frontend.c (routes of an interface end with its
last address, or when it goes down; secondary addresses end with the first one of their network),
net/ipv6/addrconf.c (IPv6 addresses end when it goes down), net/8021q/vlan.c (a VLAN follows its
parent down and up, and its MTU), drivers/net/bonding/bond_main.c (members are down when they join,
get the bond's MTU and are up then, and are down when they leave).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_interface
from typing import TypeAlias

from roost_agent.config_apply.network.state import MTU, Interface, Route, State, version


@dataclass(frozen=True, slots=True)
class Make:
    """Make a VLAN, a bond or a bridge, down and without members."""

    interface: Interface


@dataclass(frozen=True, slots=True)
class Unmake:
    """End an interface that was made for a profile."""

    name: str


@dataclass(frozen=True, slots=True)
class SetUp:
    """Let an interface be up or down."""

    name: str
    is_up: bool


@dataclass(frozen=True, slots=True)
class SetMaster:
    """Let an interface be a member of a bond or bridge; of none where ``master`` is empty."""

    name: str
    master: str


@dataclass(frozen=True, slots=True)
class SetMtu:
    """Set the longest packet that an interface sends, in bytes."""

    name: str
    mtu: int


@dataclass(frozen=True, slots=True)
class SetMiimon:
    """Set how often a bond looks at its members' links, in ms."""

    name: str
    miimon_ms: int


@dataclass(frozen=True, slots=True)
class AddAddress:
    """Give an interface a lasting address; a leased one of the same becomes lasting."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class RemoveAddress:
    """Take a lasting address off an interface."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class PutRoute:
    """Put a route, in place of the one with its key."""

    route: Route


@dataclass(frozen=True, slots=True)
class RemoveRoute:
    """Take a route away."""

    route: Route


LinkStep: TypeAlias = Make | Unmake | SetUp | SetMaster | SetMtu | SetMiimon
Step: TypeAlias = LinkStep | AddAddress | RemoveAddress | PutRoute | RemoveRoute


def after(now: State, step: Step) -> State:
    """Return the network as it is after a step."""
    match step:
        case AddAddress(name, address):
            return _with_address(now, name, address)
        case RemoveAddress(name, address):
            return _without_address(now, name, address)
        case PutRoute(route):
            return replace(now, routes={**now.routes, route.key: route})
        case RemoveRoute(route):
            return _without_routes(now, lambda each: each.key == route.key)
        case _:
            return _after_link(now, step)


def _after_link(now: State, step: LinkStep) -> State:
    match step:
        case Make(interface):
            return _made(now, interface)
        case Unmake(name):
            return _unmade(now, name)
        case SetUp(name, is_up):
            return _up(now, name) if is_up else _down(now, name)
        case SetMaster(name, master):
            return _joined(now, name, master) if master else _released(now, name)
        case SetMtu(name, mtu):
            return _resized(now, name, mtu)
        case SetMiimon(name, miimon_ms):
            return _with(now, replace(now.interfaces[name], miimon_ms=miimon_ms))


def _with(now: State, changed: Interface) -> State:
    return replace(now, interfaces={**now.interfaces, changed.name: changed})


def _without_routes(now: State, is_gone: Callable[[Route], bool]) -> State:
    kept = {key: each for key, each in now.routes.items() if not is_gone(each)}
    return replace(now, routes=kept)


def _made(now: State, interface: Interface) -> State:
    parent = now.interfaces.get(interface.parent)
    mtu = MTU if parent is None else parent.mtu
    new = replace(
        interface, mtu=mtu, is_up=False, addresses=frozenset(), leased=frozenset(), master=""
    )
    return _with(now, new)


def _unmade(now: State, name: str) -> State:
    for above in vlans_on(name, now.interfaces):
        now = _unmade(now, above)
    for each in [each for each in now.interfaces.values() if each.master == name]:
        now = _released(now, each.name)
    left = {key: each for key, each in now.interfaces.items() if key != name}
    return _without_routes(replace(now, interfaces=left), lambda each: each.interface == name)


def vlans_on(name: str, interfaces: Mapping[str, Interface]) -> list[str]:
    """Return the VLANs of an interface."""
    return [each.name for each in interfaces.values() if each.parent == name]


def _down(now: State, name: str) -> State:
    old = now.interfaces[name]
    changed = replace(old, is_up=False, addresses=_ipv4(old.addresses), leased=_ipv4(old.leased))
    now = _without_routes(_with(now, changed), lambda each: each.interface == name)
    for above in vlans_on(name, now.interfaces):
        now = _down(now, above)
    return now


def _up(now: State, name: str) -> State:
    now = _with(now, replace(now.interfaces[name], is_up=True))
    for above in vlans_on(name, now.interfaces):
        now = _up(now, above)
    return now


def _ipv4(addresses: frozenset[str]) -> frozenset[str]:
    return frozenset(each for each in addresses if version(each) == 4)  # noqa: PLR2004


def _joined(now: State, name: str, master: str) -> State:
    now = _with(now, replace(now.interfaces[name], master=master))
    owner = now.interfaces[master]
    if owner.kind != "bond":
        return now
    return _up(now if owner.mtu is None else _resized(now, name, owner.mtu), name)


def _released(now: State, name: str) -> State:
    owner = now.interfaces[now.interfaces[name].master]
    now = _with(now, replace(now.interfaces[name], master=""))
    return _down(now, name) if owner.kind == "bond" else now


def _resized(now: State, name: str, mtu: int) -> State:
    now = _with(now, replace(now.interfaces[name], mtu=mtu))
    for each in list(now.interfaces.values()):
        is_member = each.master == name and now.interfaces[name].kind == "bond"
        is_too_long = each.parent == name and each.mtu is not None and each.mtu > mtu
        if is_member or is_too_long:
            now = _resized(now, each.name, mtu)
    return now


def _with_address(now: State, name: str, address: str) -> State:
    old = now.interfaces[name]
    one = frozenset({address})
    return _with(now, replace(old, addresses=old.addresses | one, leased=old.leased - one))


def _without_address(now: State, name: str, address: str) -> State:
    old = now.interfaces[name]
    gone = ip_interface(address)
    left = frozenset(
        each
        for each in old.addresses - {address}
        if gone.version != 4 or ip_interface(each).network != gone.network  # noqa: PLR2004
    )
    now = _with(now, replace(old, addresses=left))
    if any(version(each) == gone.version for each in (*left, *old.leased)):
        return now
    return _without_routes(
        now,
        lambda each: each.interface == name and version(each.to) == gone.version == 4,  # noqa: PLR2004
    )
