"""What a site's nodes are plugged into: switches, ports, and cables from node to node. Pure.

From the classes ``lldp`` and ``nic`` of the site's nodes alone. A neighbour is another node of the
site where its chassis or its port is the address of a NIC of that node; else it is a device, one
for each chassis. Names prove nothing: anybody may call himself anything.

Invariants: each cable is there once, whoever told of it; what was not heard is not drawn; the
answer does not depend on the order of nodes or items.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from roost_central.inventory.facts import Items
from roost_protocol.inventory import Value

NIC: Final = "nic"
LLDP: Final = "lldp"
MACS: Final = ("permanent_mac", "mac")

Row = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is kept of one node; ``missing`` says why it tells no neighbours, where it does not."""

    node: str
    lldp: Items = field(default_factory=dict)
    nic: Items = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A neighbour that is no node of the site, as it said of itself to the first that heard it."""

    device: str
    name: str
    description: str
    capabilities: tuple[str, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cable:
    """One cable; ``peer`` is a node of the site or a device, as ``is_node`` says.

    ``told_by_both``: the node at the other end tells of it too. ``peer_port`` is the other end's
    own word: a switch names its port, a node's is the interface.
    """

    node: str
    port: str
    peer: str
    peer_port: str
    is_node: bool
    told_by_both: bool
    peer_port_description: str
    speed_mbps: int | None
    pvid: int | None
    vlans: tuple[str, ...]
    frame_bytes_max: int | None
    aggregated: bool | None


@dataclass(frozen=True, slots=True)
class Topology:
    """A site's devices and cables, each in the order of their names."""

    devices: tuple[Device, ...]
    cables: tuple[Cable, ...]


def topology(seen: list[Seen]) -> Topology:
    """Return what the nodes of one site say together."""
    nodes = sorted(seen, key=lambda each: each.node)
    owners = _owners(nodes)
    devices: dict[str, Device] = {}
    cables: dict[frozenset[tuple[str, str]], Cable] = {}
    for each in nodes:
        speeds = {_text(row, "ifname"): _number(row, "speed_mbps") for row in each.nic.values()}
        for _, row in sorted(each.lldp.items()):
            cable = _cable(each.node, row, owners, speeds)
            if cable.peer == each.node:
                continue  # it hears itself: two of its ports at one unmanaged switch
            if not cable.is_node:
                devices.setdefault(cable.peer, _device(cable.peer, row))
            _lay(cables, cable)
    return Topology(
        tuple(sorted(devices.values(), key=lambda each: (each.name, each.device))),
        tuple(sorted(cables.values(), key=lambda each: (each.node, each.port, each.peer))),
    )


def _owners(nodes: list[Seen]) -> dict[str, tuple[str, str]]:
    """Return node and interface by address; one that two nodes have tells of neither."""
    found: dict[str, tuple[str, str]] = {}
    shared: set[str] = set()
    for each in nodes:
        for row in each.nic.values():
            for mac in filter(None, dict.fromkeys(_text(row, name) for name in MACS)):
                if found.setdefault(mac, (each.node, _text(row, "ifname")))[0] != each.node:
                    shared.add(mac)
    return {mac: owner for mac, owner in found.items() if mac not in shared}


def _cable(
    node: str,
    row: Row,
    owners: Mapping[str, tuple[str, str]],
    speeds: Mapping[str, int | None],
) -> Cable:
    port, chassis, peer_port = (_text(row, name) for name in ("ifname", "chassis_id", "port_id"))
    owner = owners.get(peer_port) or owners.get(chassis)
    if owner is not None:
        is_port = peer_port in owners
        peer_port = owner[1] if is_port else peer_port
    return Cable(
        node=node,
        port=port,
        peer=chassis if owner is None else owner[0],
        peer_port=peer_port,
        is_node=owner is not None,
        told_by_both=False,
        peer_port_description=_text(row, "port_description"),
        speed_mbps=speeds.get(port),
        pvid=_number(row, "pvid"),
        vlans=tuple(_texts(row, "vlans")),
        frame_bytes_max=_number(row, "frame_bytes_max"),
        aggregated=value if isinstance(value := row.get("aggregated"), bool) else None,
    )


def _lay(cables: dict[frozenset[tuple[str, str]], Cable], cable: Cable) -> None:
    """Add a cable; where its other end told of it already, both did."""
    ends = frozenset({(cable.node, cable.port), (cable.peer, cable.peer_port)})
    known = cables.setdefault(ends, cable)
    if known.node != cable.node:
        cables[ends] = replace(known, told_by_both=True)


def _device(chassis: str, row: Row) -> Device:
    return Device(
        device=chassis,
        name=_text(row, "system_name"),
        description=_text(row, "description"),
        capabilities=tuple(_texts(row, "capabilities")),
        addresses=tuple(_texts(row, "management_addresses")),
    )


def _text(row: Row, name: str) -> str:
    return value if isinstance(value := row.get(name), str) else ""


def _texts(row: Row, name: str) -> Iterator[str]:
    value = row.get(name)
    return (each for each in (value if isinstance(value, list) else ()) if isinstance(each, str))


def _number(row: Row, name: str) -> int | None:
    value = row.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
