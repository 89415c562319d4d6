"""Whether a node has the interfaces and the virtual functions that its document speaks of. Pure.

Names are those of its last inventory. Where virtual functions are asked for, interfaces may come
that nobody has seen yet: then names are left to the node.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from roost_protocol.profile.check import Fault, Tree
from roost_protocol.profile.field import Path
from roost_protocol.profile.network_rules import kind_of, lower

SECTIONS_READ: Final = ("nic", "link", "sriov")  # of the inventory
_SHOWN_MAX: Final = 12  # names that a sentence lists

Items = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Ports:
    """What counts of a node's interfaces; None: not known.

    Attributes:
        names: of interfaces, those that are made as well.
        macs: burnt-in ones.
        vfs: how many virtual functions a physical one can have, by PCI address and by interface.
    """

    names: frozenset[str] | None = None
    macs: frozenset[str] | None = None
    vfs: Mapping[str, int] | None = None


UNKNOWN: Final = Ports()


def needs_ports(sections: Tree) -> bool:
    """Say whether a document speaks of interfaces or functions."""
    network = sections.get("network", {})
    wanted = (
        network.get("interfaces"),
        network.get("routes"),
        sections.get("sriov", {}).get("vfs"),
    )
    return any(wanted)


def ports_of(inventory: Mapping[str, Items]) -> Ports:
    """Return what counts of the items of SECTIONS_READ, by section."""
    cards, links = inventory.get("nic", {}), inventory.get("link", {})
    names = {*links, *(_text(card.get("ifname")) for card in cards.values())}
    for card in cards.values():
        names.update(card.get("altnames") or ())
    macs = {_text(card.get("permanent_mac")) for card in cards.values()}
    by_address = {card.get("pci"): _text(card.get("ifname")) for card in cards.values()}
    vfs: dict[str, int] = {}
    for address, fields in inventory.get("sriov", {}).items():
        if type(total := fields.get("total_vfs")) is int:
            vfs[address] = total
            if name := by_address.get(address):
                vfs[name] = total
    return Ports(
        names=frozenset(names - {""}) if names - {""} else None,
        macs=frozenset(macs - {""}) if cards else None,
        vfs=vfs if "sriov" in inventory else None,
    )


def impossible_network(sections: Tree, ports: Ports) -> Iterator[Fault]:
    """Yield what a machine with these interfaces cannot be."""
    vfs: Mapping[str, int] = sections.get("sriov", {}).get("vfs", {})
    yield from _functions(vfs, ports)
    interfaces: Items = sections.get("network", {}).get("interfaces", {})
    for name, given in interfaces.items():
        mac = given.get("mac")
        if ports.macs is not None and mac is not None and mac not in ports.macs:
            path: Path = ("network", "interfaces", name, "mac")
            yield Fault(path, "impossible", f"it has no interface with {mac} burnt in")
    if ports.names is None or any(vfs.values()):
        return
    for name, path in _named(interfaces, sections.get("network", {}).get("routes", {})):
        if name not in ports.names:
            there = ", ".join(sorted(ports.names)[:_SHOWN_MAX])
            yield Fault(path, "impossible", f"it has no interface {name}; it has {there}")


def _functions(vfs: Mapping[str, int], ports: Ports) -> Iterator[Fault]:
    if ports.vfs is None:
        return
    for function, count in vfs.items():
        most = ports.vfs.get(function, 0)
        if count > most:
            bound = f"{count} virtual functions: {function} can have {most} there"
            yield Fault(("sriov", "vfs", function), "impossible", bound)


def _named(interfaces: Items, routes: Items) -> Iterator[tuple[str, Path]]:
    """Yield the interfaces that must be there, each once, with where it is named first."""
    made = {name for name, given in interfaces.items() if kind_of(given) != "device"}
    seen = {*made, *(name for name, given in interfaces.items() if "mac" in given)}
    places: list[tuple[str, Path]] = [
        *((name, ("network", "interfaces", name)) for name in interfaces),
        *(
            (each, ("network", "interfaces", name, kind_of(given)))
            for name, given in interfaces.items()
            for each in lower(given)
        ),
        *(
            (given["interface"], ("network", "routes", name, "interface"))
            for name, given in routes.items()
            if "interface" in given
        ),
    ]
    for name, path in places:
        if name not in seen:
            seen.add(name)
            yield name, path


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
