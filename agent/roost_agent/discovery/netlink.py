"""What only rtnetlink knows about interfaces: kind, permanent MAC, VLAN, bond, VFs, addresses.

Asks the running machine through pyroute2, which is imported at the first question: only the probe
child pays for it. Each question is one dump; a failing one is Missing with its reason and never
an exception, so that the facts of sysfs stand without it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from roost_agent.discovery.reader import reason_of
from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing, Value
from roost_agent.discovery.sysfs import fitted, flag
from roost_protocol.profile.network import BOND_MODES

RTEXT_FILTER_VF: Final = 1 << 0  # linux/rtnetlink.h: without it no IFLA_VFINFO_LIST
RTEXT_FILTER_SKIP_STATS: Final = 1 << 3
IFA_F_TEMPORARY: Final = 0x01  # of IPv6: privacy addresses; of IPv4 it is any but the first
AF_INET6: Final = 10
U32_UNSET: Final = 0xFFFFFFFF  # the -1 of a VF setting that the driver does not know
VF_LINK_STATES: Final = ("auto", "enable", "disable")
VF_FIELDS: Final = ("mac", "vlan", "spoofchk", "trust", "max_tx_mbps", "link_state")

Message = Any  # a decoded message or attribute of pyroute2, which has no types
VfRules = dict[str, Value | Missing]  # VF_FIELDS of one VF


@dataclass(frozen=True, slots=True)
class Link:
    """One interface as the kernel's routing socket describes it.

    Attributes:
        kind: ``bond``, ``vlan``, ``veth``; None for a device with a driver of its own.
        permanent_mac: burnt in; None where the driver has none.
        lower: index of the interface a VLAN rides on, or of a veth's peer.
        is_peer_elsewhere: whether ``lower`` counts in another network namespace.
    """

    index: int
    kind: str | None
    permanent_mac: str | None
    altnames: list[str]
    lower: int | None
    is_peer_elsewhere: bool
    vlan_id: int | None
    bond_mode: str | None
    lacp_partner: str | None


def links() -> dict[str, Link] | Missing:
    """Return the interfaces of our network namespace by name."""
    messages = _dump(lambda ip: ip.link("dump", ext_mask=RTEXT_FILTER_SKIP_STATS))
    if isinstance(messages, Missing):
        return messages
    return {message.get_attr("IFLA_IFNAME"): link_of(message) for message in messages}


def link_of(message: Message) -> Link:
    """Return one interface from its RTM_NEWLINK message."""
    info = message.get_attr("IFLA_LINKINFO")
    kind = info.get_attr("IFLA_INFO_KIND") if info else None
    details = info.get_attr("IFLA_INFO_DATA") if kind in ("vlan", "bond") else None
    names = message.get_attr("IFLA_PROP_LIST")
    return Link(
        index=message["index"],
        kind=kind,
        permanent_mac=message.get_attr("IFLA_PERM_ADDRESS"),
        altnames=sorted(names.get_attrs("IFLA_ALT_IFNAME")) if names else [],
        lower=message.get_attr("IFLA_LINK"),
        is_peer_elsewhere=message.get_attr("IFLA_LINK_NETNSID") is not None,
        vlan_id=details.get_attr("IFLA_VLAN_ID") if kind == "vlan" and details else None,
        bond_mode=_bond_mode(details) if kind == "bond" and details else None,
        lacp_partner=_lacp_partner(details) if kind == "bond" and details else None,
    )


def _bond_mode(details: Message) -> str | None:
    mode = details.get_attr("IFLA_BOND_MODE")
    return BOND_MODES[mode] if isinstance(mode, int) and mode < len(BOND_MODES) else None


def _lacp_partner(details: Message) -> str | None:
    aggregator = details.get_attr("IFLA_BOND_AD_INFO")
    return aggregator.get_attr("IFLA_BOND_AD_INFO_PARTNER_MAC") if aggregator else None


def addresses() -> dict[int, list[str]] | Missing:
    """Return lasting addresses with their prefix length, by interface index."""
    messages = _dump(lambda ip: ip.addr("dump"))
    if isinstance(messages, Missing):
        return messages
    found: dict[int, list[str]] = {}
    for message in messages:
        # On a point-to-point link IFA_ADDRESS is the peer; IFA_LOCAL is always ours.
        address = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
        if address and not is_temporary(message):
            found.setdefault(message["index"], []).append(f"{address}/{message['prefixlen']}")
    return {index: sorted(texts) for index, texts in found.items()}


def is_temporary(message: Message) -> bool:
    """Say whether an address is a privacy address, which comes and goes by itself (RFC 8981)."""
    flags = message.get_attr("IFA_FLAGS") or message["flags"]
    return message["family"] == AF_INET6 and bool(flags & IFA_F_TEMPORARY)


def default_routes() -> dict[int, list[str]] | Missing:
    """Return ``gateway [metric N]`` of the main table's default routes, by interface index."""
    messages = _dump(lambda ip: ip.get_default_routes())
    if isinstance(messages, Missing):
        return messages
    found: dict[int, list[str]] = {}
    for message in messages:
        metric = message.get_attr("RTA_PRIORITY")
        for hop in message.get_attr("RTA_MULTIPATH") or [message]:
            index = hop.get_attr("RTA_OIF") or hop.get("oif")
            if index is not None:
                gateway = hop.get_attr("RTA_GATEWAY") or "direct"
                text = f"{gateway} metric {metric}" if metric else gateway
                found.setdefault(index, []).append(text)
    return {index: sorted(texts) for index, texts in found.items()}


def vf_rules() -> dict[str, dict[int, VfRules]] | Missing:
    """Return what each physical function enforces on its VFs, by interface and VF index."""
    mask = RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS
    messages = _dump(lambda ip: ip.link("dump", ext_mask=mask))
    if isinstance(messages, Missing):
        return messages
    return {message.get_attr("IFLA_IFNAME"): vf_rules_of(message) for message in messages}


def vf_rules_of(message: Message) -> dict[int, VfRules]:
    """Return the rules of each VF in one RTM_NEWLINK message."""
    vfs = message.get_attr("IFLA_VFINFO_LIST")
    found: dict[int, VfRules] = {}
    for info in vfs.get_attrs("IFLA_VF_INFO") if vfs else ():
        mac = info.get_attr("IFLA_VF_MAC")
        if mac is None:
            continue
        state = _setting(info, "IFLA_VF_LINK_STATE", "link_state")
        found[mac["vf"]] = {
            "mac": fitted(mac["mac"]),
            "vlan": _setting(info, "IFLA_VF_VLAN", "vlan"),
            "spoofchk": flag(_setting(info, "IFLA_VF_SPOOFCHK", "spoofchk")),
            "trust": flag(_setting(info, "IFLA_VF_TRUST", "trust")),
            "max_tx_mbps": _setting(info, "IFLA_VF_RATE", "max_tx_rate"),  # 0 is "no limit"
            "link_state": VF_LINK_STATES[state]
            if isinstance(state, int) and state < len(VF_LINK_STATES)
            else Missing(UNSUPPORTED),
        }
    return found


def _setting(info: Message, attribute: str, field: str) -> int | Missing:
    setting = info.get_attr(attribute)
    if setting is None:
        return Missing(ABSENT)
    number: int = setting[field]
    return Missing(UNSUPPORTED) if number == U32_UNSET else number


def _dump(ask: Callable[[Any], Any]) -> list[Message] | Missing:
    """Return the messages of one dump over a socket of its own."""
    try:
        from pyroute2 import IPRoute, NetlinkError  # noqa: PLC0415 - 20 MiB, only on a live machine
    except ImportError:
        return Missing(UNSUPPORTED)
    try:
        with IPRoute() as ip:
            return list(ask(ip))
    except NetlinkError as err:
        return Missing(reason_of(OSError(err.code, "")))
    except OSError as err:
        return Missing(reason_of(err))
