"""Interfaces and routes as they are, or as they should be. Pure.

What comes and goes by itself (loopback, link-local addresses, routes of the kernel and of router
advertisements) is no part of it: nobody sets it, so nobody takes it away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface
from typing import Final

MADE: Final = ("vlan", "bond", "bridge")  # kinds that software makes and unmakes
OURS: Final = "roost"  # the alias of an interface that was made for a profile
MTU: Final = 1_500  # of an interface that is made, in bytes
PROTOCOL: Final = 114  # of routes put for a profile; iproute2's rt_protos names none so
IPV6_METRIC: Final = 1_024  # what the kernel takes where an IPv6 route gives none
IPV6: Final = 6


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface.

    Attributes:
        kind: one of MADE; ``device`` for what a driver gives (and a veth): never made or unmade.
        mtu: in bytes; None in what should be: as it comes.
        is_up: administratively.
        addresses: lasting ones with their prefix length.
        leased: those with an end (DHCP, router advertisements): looked at, never touched.
        master: bond or bridge that it is a member of.
        parent: interface that a VLAN is on.
        tag: of a VLAN.
        mode: of a bond.
        miimon_ms: of a bond.
        is_ours: made for a profile, so that it goes with it.
        permanent_mac: burnt in; empty where the driver has none.
    """

    name: str
    kind: str = "device"
    mtu: int | None = None
    is_up: bool = False
    addresses: frozenset[str] = frozenset()
    leased: frozenset[str] = frozenset()
    master: str = ""
    parent: str = ""
    tag: int = 0
    mode: str = ""
    miimon_ms: int = 0
    is_ours: bool = False
    permanent_mac: str = ""

    @property
    def identity(self) -> tuple[str, str, int, str]:
        """What cannot be changed of one that is made: another of these is another interface."""
        return self.kind, self.parent, self.tag, self.mode


@dataclass(frozen=True, slots=True)
class Route:
    """One unicast route with one next hop; ``via`` is empty for what is on the link itself."""

    to: str
    interface: str
    via: str = ""
    metric: int = 0
    table: int = 254
    protocol: int = PROTOCOL

    @property
    def key(self) -> str:
        """What the kernel knows it by: another with the same takes its place."""
        return f"{self.to} metric {self.metric} table {self.table}"

    @property
    def is_ours(self) -> bool:
        """Whether it was put for a profile."""
        return self.protocol == PROTOCOL


@dataclass(frozen=True, slots=True)
class State:
    """The network of a node.

    Attributes:
        interfaces: by name.
        routes: by key.
        several: keys of routes with more than one next hop: left as they are.
    """

    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    routes: Mapping[str, Route] = field(default_factory=dict)
    several: frozenset[str] = frozenset()


def state(interfaces: Iterable[Interface], routes: Iterable[Route]) -> State:
    """Return a network of these interfaces and routes."""
    return State({each.name: each for each in interfaces}, {each.key: each for each in routes})


def version(text: str) -> int:
    """Return 4 or 6 for an address or a network as text."""
    return IPV6 if ":" in text else 4


def passes(route: Route, interfaces: Mapping[str, Interface]) -> bool:
    """Say whether a route can be used: its interface is up, its gateway on one of its networks."""
    out = interfaces.get(route.interface)
    if out is None or not out.is_up or out.master:
        return False
    if not route.via:
        return True
    gateway = ip_address(route.via)
    if gateway.version == IPV6 and gateway.is_link_local:
        return True
    return any(gateway in ip_interface(each).network for each in (*out.addresses, *out.leased))


def above(names: Iterable[str], interfaces: Mapping[str, Interface]) -> set[str]:
    """Return interfaces with all that are built on them."""
    found = set(names)
    while True:
        more = {
            each.name
            for each in interfaces.values()
            if each.name not in found and each.parent in found
        } | {interfaces[name].master for name in found if name in interfaces}
        if more <= found | {""}:
            return found
        found |= more - {""}
