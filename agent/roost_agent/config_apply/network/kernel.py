"""The kernel's network, through rtnetlink: reads it whole, and does one step.

pyroute2 is imported at the first question: only root's one-shot and the drift child pay for it
(20 MiB). What is done twice comes to the same: a thing that is gone already is no error.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_interface
from typing import Any, Final

from roost_agent.config_apply.network.difference import toward
from roost_agent.config_apply.network.state import MADE, OURS, Interface, Route, State, version
from roost_agent.config_apply.network.steps import (
    AddAddress,
    Make,
    PutRoute,
    RemoveAddress,
    RemoveRoute,
    SetMaster,
    SetMiimon,
    SetMtu,
    SetUp,
    Step,
    Unmake,
)
from roost_agent.discovery.netlink import AF_INET6, RTEXT_FILTER_SKIP_STATS, is_temporary
from roost_protocol.profile.network import BOND_MODES

ROUNDS_MAX: Final = 3  # of looking and stepping: the kernel does things by itself in between
IFF_UP: Final = 1 << 0
IFF_LOOPBACK: Final = 1 << 3
IFA_F_PERMANENT: Final = 0x80
SCOPE_UNIVERSE: Final = 0  # linux/rtnetlink.h: of addresses and routes that lead anywhere
SCOPE_LINK: Final = 253
RTN_UNICAST: Final = 1
RTM_F_CLONED: Final = 0x200
TABLE_MOST: Final = 254  # 255 is the kernel's own
NOT_OURS: Final = (1, 2, 9)  # protocols: redirects, the kernel's own, router advertisements
AF_INET: Final = 2
GONE: Final = (errno.ENODEV, errno.EADDRNOTAVAIL, errno.ESRCH, errno.ENOENT)
_BROADCAST_BITS: Final = 31  # a longer prefix has no broadcast address

Message = Any  # of pyroute2, which has no types


class NetworkError(Exception):
    """It was not done; the text says which step."""


def read() -> State:
    """Return the network of our namespace.

    Raises:
        OSError: the kernel does not tell, or pyroute2 is not installed.
    """
    with _socket() as ip:
        return _read(ip)


def put(goal: State, other: State) -> None:
    """Make the network one of two, from wherever the way between them was left.

    Raises:
        NetworkError: it is not so.
        OSError: the kernel does not tell.
    """
    with _socket() as ip:
        steps = toward(goal, other, _read(ip))
        for _ in range(ROUNDS_MAX):
            for step in steps:
                do(ip, step)
            steps = toward(goal, other, _read(ip))
            if not steps:
                return
        raise NetworkError(f"not so after {ROUNDS_MAX} rounds: {steps[0]}")


@contextmanager
def _socket() -> Iterator[Any]:
    try:
        from pyroute2 import IPRoute, NetlinkError  # noqa: PLC0415 - 20 MiB, see above
    except ImportError as err:
        raise OSError(errno.ENOSYS, "pyroute2 is not installed") from err
    try:
        with IPRoute() as ip:
            yield ip
    except NetlinkError as err:
        raise OSError(err.code, str(err)) from err


def _read(ip: Any) -> State:  # noqa: ANN401
    links = {
        message["index"]: message
        for message in ip.link("dump", ext_mask=RTEXT_FILTER_SKIP_STATS)
        if not message["flags"] & IFF_LOOPBACK
    }
    names: dict[int, str] = {
        index: message.get_attr("IFLA_IFNAME") for index, message in links.items()
    }
    lasting: dict[int, set[str]] = {}
    leased: dict[int, set[str]] = {}
    for message in ip.addr("dump"):
        flags = message.get_attr("IFA_FLAGS") or message["flags"]
        text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
        if message["scope"] != SCOPE_UNIVERSE or is_temporary(message) or text is None:
            continue
        where = lasting if flags & IFA_F_PERMANENT else leased
        where.setdefault(message["index"], set()).add(f"{text}/{message['prefixlen']}")
    interfaces = {
        names[index]: _interface(message, names, (lasting.get(index), leased.get(index)))
        for index, message in links.items()
    }
    return State(interfaces, *_routes(ip, names))


def _interface(
    message: Message, names: dict[int, str], addresses: tuple[set[str] | None, set[str] | None]
) -> Interface:
    info = message.get_attr("IFLA_LINKINFO")
    kind = info.get_attr("IFLA_INFO_KIND") if info else None
    kind = kind if kind in MADE else "device"
    data = info.get_attr("IFLA_INFO_DATA") if info and kind != "device" else None
    is_elsewhere = message.get_attr("IFLA_LINK_NETNSID") is not None
    parent = names.get(message.get_attr("IFLA_LINK") or 0, "")
    mode = data.get_attr("IFLA_BOND_MODE") if data and kind == "bond" else None
    return Interface(
        name=names[message["index"]],
        kind=kind,
        mtu=message.get_attr("IFLA_MTU"),
        is_up=bool(message["flags"] & IFF_UP),
        addresses=frozenset(addresses[0] or ()),
        leased=frozenset(addresses[1] or ()),
        master=names.get(message.get_attr("IFLA_MASTER") or 0, ""),
        parent=parent if kind == "vlan" and not is_elsewhere else "",
        tag=(data.get_attr("IFLA_VLAN_ID") or 0) if data and kind == "vlan" else 0,
        mode="" if mode is None or mode >= len(BOND_MODES) else BOND_MODES[mode],
        miimon_ms=(data.get_attr("IFLA_BOND_MIIMON") or 0) if data and kind == "bond" else 0,
        is_ours=message.get_attr("IFLA_IFALIAS") == OURS,
        permanent_mac=message.get_attr("IFLA_PERM_ADDRESS") or "",
    )


def _routes(ip: Any, names: dict[int, str]) -> tuple[dict[str, Route], frozenset[str]]:  # noqa: ANN401
    """Return the routes, and the keys of those with several next hops."""
    routes: dict[str, Route] = {}
    several: set[str] = set()
    for family in (AF_INET, AF_INET6):
        for message in ip.get_routes(family=family):
            route = _route(message, names)
            if route is None:
                continue
            if route.key in routes or message.get_attr("RTA_MULTIPATH"):
                several.add(route.key)
            elif route.interface:
                routes[route.key] = route
    return {key: each for key, each in routes.items() if key not in several}, frozenset(several)


def _route(message: Message, names: dict[int, str]) -> Route | None:
    table = message.get_attr("RTA_TABLE") or message["table"]
    is_set = message["type"] == RTN_UNICAST and not message["flags"] & RTM_F_CLONED
    if not is_set or message["proto"] in NOT_OURS or table > TABLE_MOST or message["tos"]:
        return None
    everything = "::" if message["family"] == AF_INET6 else "0.0.0.0"  # noqa: S104 - a route
    return Route(
        to=f"{message.get_attr('RTA_DST') or everything}/{message['dst_len']}",
        interface=names.get(message.get_attr("RTA_OIF") or 0, ""),
        via=message.get_attr("RTA_GATEWAY") or "",
        metric=message.get_attr("RTA_PRIORITY") or 0,
        table=table,
        protocol=message["proto"],
    )


def do(ip: Any, step: Step) -> None:  # noqa: ANN401
    """Do one step.

    Raises:
        NetworkError: the kernel refuses it.
    """
    from pyroute2 import NetlinkError  # noqa: PLC0415 - it is there: the socket is its

    try:
        match step:
            case AddAddress() | RemoveAddress():
                _address(ip, step)
            case PutRoute(route) | RemoveRoute(route):
                verb = "replace" if isinstance(step, PutRoute) else "del"
                ip.route(verb, **_words(ip, route))
            case _:
                _link(ip, step)
    except NetlinkError as err:
        if isinstance(step, Unmake | RemoveAddress | RemoveRoute) and err.code in GONE:
            return
        raise NetworkError(f"{step}: {err}") from err


def _link(ip: Any, step: Make | Unmake | SetUp | SetMaster | SetMtu | SetMiimon) -> None:  # noqa: ANN401
    match step:
        case Make(interface):
            ip.link("add", ifname=interface.name, kind=interface.kind, **_made(ip, interface))
            if interface.is_ours:
                ip.link("set", index=_index(ip, interface.name), ifalias=OURS)
        case Unmake(name):
            ip.link("del", index=_index(ip, name))
        case SetUp(name, is_up):
            ip.link("set", index=_index(ip, name), state="up" if is_up else "down")
        case SetMaster(name, master):
            owner = _index(ip, master) if master else 0
            ip.link("set", index=_index(ip, name), master=owner)
        case SetMtu(name, mtu):
            ip.link("set", index=_index(ip, name), mtu=mtu)
        case SetMiimon(name, miimon_ms):
            ip.link("set", index=_index(ip, name), kind="bond", bond_miimon=miimon_ms)


def _made(ip: Any, interface: Interface) -> dict[str, int]:  # noqa: ANN401
    match interface.kind:
        case "vlan":
            return {"link": _index(ip, interface.parent), "vlan_id": interface.tag}
        case "bond":
            mode = BOND_MODES.index(interface.mode)
            return {"bond_mode": mode, "bond_miimon": interface.miimon_ms}
        case _:
            return {}


def _index(ip: Any, name: str) -> int:  # noqa: ANN401
    found: list[int] = ip.link_lookup(ifname=name)
    if not found:
        from pyroute2 import NetlinkError  # noqa: PLC0415 - see do

        raise NetlinkError(errno.ENODEV, f"no interface {name}")
    return found[0]


def _address(ip: Any, step: AddAddress | RemoveAddress) -> None:  # noqa: ANN401
    given = ip_interface(step.address)
    words: dict[str, Any] = {"address": str(given.ip), "prefixlen": given.network.prefixlen}
    if isinstance(step, RemoveAddress):
        ip.addr("del", index=_index(ip, step.name), **words)
        return
    if given.version == 4 and given.network.prefixlen < _BROADCAST_BITS:  # noqa: PLR2004
        words["broadcast"] = str(given.network.broadcast_address)
    ip.addr("replace", index=_index(ip, step.name), **words)


def _words(ip: Any, route: Route) -> dict[str, Any]:  # noqa: ANN401
    is_old = version(route.to) == 4  # noqa: PLR2004
    words: dict[str, Any] = {
        "family": AF_INET if is_old else AF_INET6,
        "dst": route.to,
        "oif": _index(ip, route.interface),
        "table": route.table,
        "proto": route.protocol,
    }
    if route.metric:
        words["priority"] = route.metric
    if route.via:
        words["gateway"] = route.via
    elif is_old:
        words["scope"] = SCOPE_LINK
    return words
