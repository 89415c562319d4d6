"""A site's topology: what its nodes are plugged into, by what they heard (LLDP)."""

from typing import Final

import msgspec

from roost_central.api.answers import Time
from roost_central.api.call import Call, NoQuery
from roost_central.api.instants import age_s, instant
from roost_central.api.problem import ApiError
from roost_central.inventory.facts import Section
from roost_central.inventory.topology import LLDP, NIC, Cable, Device, Seen, topology
from roost_central.storage import inventory

NEVER_TOLD: Final = "never told"  # an older agent, or one that has not probed yet


class TopologyPort(msgspec.Struct, frozen=True):
    """A port with a device behind it, whether anything was heard on it or not."""

    port: str
    mac: str
    speed_mbps: int | None
    neighbours: int


class TopologyNode(msgspec.Struct, frozen=True):
    """A node; ``missing`` is why it tells no neighbours: empty where it listens."""

    node: str
    name: str
    presence: str
    as_of: Time | None
    age_s: float | None
    missing: str
    ports: list[TopologyPort]


class TopologyDevice(msgspec.Struct, frozen=True):
    """A switch or another box that is no node of the site; ``device`` is its chassis id."""

    device: str
    name: str
    description: str
    capabilities: list[str]
    addresses: list[str]


class TopologyCable(msgspec.Struct, frozen=True):
    """One cable; ``peer`` is a node or a device as ``peer_kind`` says; ``told_by`` one or both."""

    node: str
    port: str
    peer: str
    peer_kind: str
    peer_port: str
    peer_port_description: str
    told_by: str
    speed_mbps: int | None
    pvid: int | None
    vlans: list[str]
    frame_bytes_max: int | None
    aggregated: bool | None


class TopologyAnswer(msgspec.Struct, frozen=True):
    """All of one site."""

    site: str
    nodes: list[TopologyNode]
    devices: list[TopologyDevice]
    cables: list[TopologyCable]


async def show_topology(call: Call[NoQuery, None]) -> TopologyAnswer:
    """GET /api/v1/sites/{site}/topology."""
    site = call.api.view.sites.get(call.path("site"))
    if site is None:
        raise ApiError("not-found", f"there is no site {call.path('site')[:80]!r}")
    async with call.api.database.read() as connection:
        kept = {
            node: await inventory.sections(connection, node, {LLDP, NIC}) for node in site.nodes
        }
    seen = [_seen(node, sections) for node, sections in kept.items()]
    found = topology(seen)
    return TopologyAnswer(
        site=site.site,
        nodes=[_node(call, each, kept[each.node], found.cables) for each in seen],
        devices=[_device(each) for each in found.devices],
        cables=[_cable(each) for each in found.cables],
    )


def _seen(node: str, sections: dict[str, Section]) -> Seen:
    lldp, nic = sections.get(LLDP), sections.get(NIC)
    missing = NEVER_TOLD if lldp is None else lldp.missing.get("*", "")
    return Seen(
        node,
        {} if lldp is None else lldp.items,
        {} if nic is None else nic.items,
        "" if missing == "absent" else missing,  # it listened, and heard nobody
    )


def _node(
    call: Call[NoQuery, None],
    seen: Seen,
    sections: dict[str, Section],
    cables: tuple[Cable, ...],
) -> TopologyNode:
    row = call.api.view.nodes[seen.node]
    as_of_ms = sections[LLDP].as_of_ms if LLDP in sections else None
    ends = [(each.node, each.port) for each in cables]
    ends += [(each.peer, each.peer_port) for each in cables if each.is_node]
    ports = [
        TopologyPort(
            port=str(item.get("ifname") or ""),
            mac=str(item.get("mac") or ""),
            speed_mbps=speed if isinstance(speed := item.get("speed_mbps"), int) else None,
            neighbours=ends.count((seen.node, str(item.get("ifname") or ""))),
        )
        for item in seen.nic.values()
    ]
    return TopologyNode(
        node=seen.node,
        name=row.name,
        presence=row.presence,
        as_of=instant(as_of_ms),
        age_s=age_s(as_of_ms, call.now_ms),
        missing=seen.missing,
        ports=sorted(ports, key=lambda each: each.port),
    )


def _device(device: Device) -> TopologyDevice:
    return TopologyDevice(
        device=device.device,
        name=device.name,
        description=device.description,
        capabilities=list(device.capabilities),
        addresses=list(device.addresses),
    )


def _cable(cable: Cable) -> TopologyCable:
    return TopologyCable(
        node=cable.node,
        port=cable.port,
        peer=cable.peer,
        peer_kind="node" if cable.is_node else "device",
        peer_port=cable.peer_port,
        peer_port_description=cable.peer_port_description,
        told_by="both" if cable.told_by_both else "one",
        speed_mbps=cable.speed_mbps,
        pvid=cable.pvid,
        vlans=list(cable.vlans),
        frame_bytes_max=cable.frame_bytes_max,
        aggregated=cable.aggregated,
    )
