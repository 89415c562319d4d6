"""Network configuration as it stands: bonds, VLANs, bridges, addresses, default routes.

The devices themselves are in ``nic``. sysfs and ``proc/net/vlan`` tell of any tree; addresses,
routes and kinds come from rtnetlink on the live machine.

Invariant: the id is the interface's name, which is what configuration knows it by.
"""

from dataclasses import dataclass
from typing import Final

from roost_agent.discovery import netlink
from roost_agent.discovery.nic import NET, kind
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, Missing, Section, Value
from roost_agent.discovery.sysfs import (
    attribute,
    clean,
    devices,
    entries,
    explained,
    first,
    fitted,
    resolve,
    target_name,
)

VLAN_CONFIG_BYTES_MAX: Final = 1 << 18  # 4,096 lines of 50 characters, and a margin

Fields = dict[str, Value | Missing]
Texts = dict[int, list[str]]


@dataclass(frozen=True, slots=True)
class Live:
    """Three dumps of the routing socket; each may be missing on its own."""

    links: dict[str, netlink.Link] | Missing
    addresses: Texts | Missing
    routes: Texts | Missing

    def fields(self, link: netlink.Link | None) -> Fields:
        """Return addresses and default routes of one interface: an empty list where none are."""
        if link is None:
            gone = self.links if isinstance(self.links, Missing) else Missing(ABSENT)
            return {"addresses": gone, "default_routes": gone}
        return {
            "addresses": _texts(self.addresses, link.index),
            "default_routes": _texts(self.routes, link.index),
        }


def link(reader: Reader) -> Section:
    """Return every interface with what it is built on and what it is called on the network.

    A veth whose peer is in another network namespace is a container's: it comes and goes with
    software, not by human hands, and is left out.
    """
    section = Section()
    vlans = _vlan_ids(reader)
    live = None
    if reader.is_live:
        live = Live(netlink.links(), netlink.addresses(), netlink.default_routes())
    known_links = live.links if live is not None and isinstance(live.links, dict) else {}
    names_of = {known.index: name for name, known in known_links.items()}
    for name in devices(reader, NET, section):
        base = resolve(reader, f"{NET}/{name}")
        known = known_links.get(name)
        if not reader.exists(f"{base}/ifindex") or _is_container_end(known):
            continue  # bonding_masters is a file
        item = clean(name)
        section.put_all(item, _sysfs_fields(reader, base))
        section.put_all(item, _bond(reader, base, known))
        section.put_all(item, _vlan(name, known, vlans, names_of))
        if known is not None and known.kind:
            section.put(item, "kind", fitted(known.kind))
        if live is not None:
            section.put_all(item, live.fields(known))
    return explained(section)


def _texts(found: Texts | Missing, index: int) -> list[str] | Missing:
    return found if isinstance(found, Missing) else found.get(index, [])


def _is_container_end(known: netlink.Link | None) -> bool:
    return known is not None and known.kind == "veth" and known.is_peer_elsewhere


def _sysfs_fields(reader: Reader, base: str) -> Fields:
    fields: Fields = {
        "kind": kind(reader, base),
        "mac": attribute(reader, f"{base}/address"),
        "mtu": reader.count(f"{base}/mtu"),
    }
    master = target_name(reader, f"{base}/master")
    if isinstance(master, str):  # most interfaces have none: no reason for each
        fields["bridge" if reader.exists(f"{base}/brport") else "master"] = master
    if reader.exists(f"{base}/brif"):
        fields["bridge_ports"] = [clean(port) for port in entries(reader, f"{base}/brif")]
    return fields


def _bond(reader: Reader, base: str, known: netlink.Link | None) -> Fields:
    """Return mode, members and partner of a bond; nothing for other interfaces."""
    members = attribute(reader, f"{base}/bonding/slaves")
    is_bond = reader.exists(f"{base}/bonding") or (known is not None and known.kind == "bond")
    if not is_bond:
        return {}
    mode = attribute(reader, f"{base}/bonding/mode")  # "802.3ad 4"
    told = known.bond_mode if known is not None else None
    partner = known.lacp_partner if known is not None else None
    if isinstance(members, Missing) and members.reason == ABSENT:
        members = ""  # the file is empty: a bond without members
    return {
        "bond_mode": told or (mode if isinstance(mode, Missing) else mode.partition(" ")[0]),
        "bond_members": members if isinstance(members, Missing) else sorted(members.split()),
        "lacp_partner": first(
            partner or Missing(ABSENT), attribute(reader, f"{base}/bonding/ad_partner_mac")
        ),
    }


def _vlan(
    name: str, known: netlink.Link | None, vlans: dict[str, Fields], names_of: dict[int, str]
) -> Fields:
    """Return id and carrier of a VLAN; nothing for other interfaces."""
    if known is not None and known.kind == "vlan":
        lower = names_of.get(known.lower or 0)
        return {
            "vlan_id": Missing(ABSENT) if known.vlan_id is None else known.vlan_id,
            "vlan_device": Missing(ABSENT) if lower is None else fitted(lower),
        }
    return vlans.get(name, {})


def _vlan_ids(reader: Reader) -> dict[str, Fields]:
    """Return the VLANs of ``proc/net/vlan/config``: ``name | id | device`` under two headings."""
    config = reader.text("proc/net/vlan/config", VLAN_CONFIG_BYTES_MAX)
    found: dict[str, Fields] = {}
    for line in config.splitlines() if isinstance(config, str) else ():
        parts = [part.strip() for part in line.split("|")]
        if len(parts) == 3 and parts[1].isascii() and parts[1].isdecimal():  # noqa: PLR2004
            found[parts[0]] = {"vlan_id": int(parts[1][:5]), "vlan_device": fitted(parts[2])}
    return found
