"""Kinds of what a network is made of: addresses with their prefix, networks, gateways. Pure."""

from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Final, TypeAlias

Host: TypeAlias = IPv4Address | IPv6Address
Interface: TypeAlias = IPv4Interface | IPv6Interface
Network: TypeAlias = IPv4Network | IPv6Network

_CHARS_MAX: Final = 43  # an IPv6 address and its prefix
_TWO_HOSTS: Final = 2  # a network of two addresses has neither a network nor a broadcast address


@dataclass(frozen=True, slots=True)
class HostAddress:
    """An address that an interface may have, with its prefix length: ``192.0.2.7/24``."""

    bound: str = "a host's address and prefix such as 192.0.2.7/24, no broadcast address"

    def holds(self, value: object) -> bool:
        """Say whether a value is one.

        None is: what the kernel gives by itself (loopback, link-local), what is nobody's (0.0.0.0,
        multicast), the network's own address, the broadcast address.
        """
        if not _is_plain(value, with_prefix=True):
            return False
        try:
            given = ip_interface(str(value))
        except ValueError:
            return False
        return _is_hosts(given.ip) and _is_between(given)


@dataclass(frozen=True, slots=True)
class Destination:
    """A network that a route leads to; all of it is ``0.0.0.0/0`` or ``::/0``."""

    bound: str = "a network such as 198.51.100.0/24, or 0.0.0.0/0 or ::/0 for all"

    def holds(self, value: object) -> bool:
        """Say whether a value is one: no bit is set behind the prefix."""
        if not _is_plain(value, with_prefix=True):
            return False
        try:
            given = ip_network(str(value))
        except ValueError:
            return False
        return given.prefixlen == 0 or _is_hosts(given.network_address)


@dataclass(frozen=True, slots=True)
class Gateway:
    """Who passes on what is not for the own network; with IPv6 its link-local address, too."""

    bound: str = "the address of a gateway"

    def holds(self, value: object) -> bool:
        """Say whether a value is one."""
        if not _is_plain(value, with_prefix=False):
            return False
        try:
            given = ip_address(str(value))
        except ValueError:
            return False
        return _is_hosts(given) or (given.version == 6 and given.is_link_local)  # noqa: PLR2004


def _is_plain(value: object, *, with_prefix: bool) -> bool:
    """Say whether it is a text of one address and no more: no zone, no netmask."""
    if type(value) is not str or len(value) > _CHARS_MAX or "%" in value or not value.isascii():
        return False
    _, slash, prefix = value.partition("/")
    return prefix.isdecimal() if with_prefix else not slash


def _is_hosts(address: Host) -> bool:
    return not (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (address.version == 4 and int(address) >> 28 == 0xF)  # noqa: PLR2004 - class E
    )


def _is_between(given: Interface) -> bool:
    network = given.network
    if given.version == 6 or network.num_addresses <= _TWO_HOSTS:  # noqa: PLR2004
        return True
    return given.ip not in (network.network_address, network.broadcast_address)
