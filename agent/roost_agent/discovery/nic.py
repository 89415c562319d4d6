"""Network devices: what sits in a slot, not what is configured over it (that is ``link``).

Everything that sysfs has is read below any root; on the live machine rtnetlink adds permanent
MAC and other names, ethtool the driver's own facts. ``role`` comes from configuration.

Invariant: the id is permanent MAC and PCI address, so that neither renaming nor bonding moves it.
A VF has its PCI address alone: its MAC is given to it, often anew at each boot.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from roost_agent.discovery import netlink
from roost_agent.discovery.ethtool import FIELDS, Ethtool, Fields
from roost_agent.discovery.reader import Reader, reason_of
from roost_agent.discovery.section import ABSENT, Missing, Section, Value
from roost_agent.discovery.sysfs import (
    PCI_DEVICES,
    attribute,
    bounded,
    clean,
    explained,
    first,
    fitted,
    hardware_path,
    joined,
    known,
    pci_address,
    resolve,
    target_name,
    uevent,
    unique,
)

NET: Final = "sys/class/net"
VIRTUAL: Final = "sys/devices/virtual/"
ARPHRD: Final = {1: "ether", 32: "infiniband", 512: "ppp", 772: "loopback", 801: "wlan"}
NET_ADDR_PERM: Final = 0  # addr_assign_type: the address is the burnt-in one

_GONE: Final = Missing(ABSENT)


@dataclass(frozen=True, slots=True)
class Live:
    """What the running kernel says beyond sysfs."""

    links: dict[str, netlink.Link] | Missing
    ethtool: Ethtool | Missing

    @classmethod
    def opened(cls, stack: ExitStack) -> "Live":
        """Ask rtnetlink once and open a socket for ethtool."""
        try:
            return cls(netlink.links(), stack.enter_context(Ethtool()))
        except OSError as err:
            return cls(netlink.links(), Missing(reason_of(err)))

    def link(self, name: str) -> netlink.Link | Missing:
        """Return one interface of the dump."""
        return self.links if isinstance(self.links, Missing) else self.links.get(name, _GONE)

    def permanent_mac(self, name: str) -> str | Missing:
        """Return the burnt-in address as rtnetlink (5.11 and later) or the driver tells it."""
        link = self.link(name)
        if not isinstance(link, Missing) and link.permanent_mac:
            return link.permanent_mac
        return self.ethtool if isinstance(self.ethtool, Missing) else self.ethtool.mac(name)

    def driver_fields(self, name: str) -> Fields:
        """Return the fields of ethtool, each missing on its own."""
        if isinstance(self.ethtool, Missing):
            return dict.fromkeys(FIELDS, self.ethtool)
        return self.ethtool.fields(name)


def nic(reader: Reader) -> Section:
    """Return every interface that a device stands behind, physical or virtual function."""
    section = Section()
    with ExitStack() as stack:
        live = Live.opened(stack) if reader.is_live else None
        for name in _hardware(reader, section):
            _put(section, reader, name, resolve(reader, f"{NET}/{name}"), live)
    return explained(section)


def _hardware(reader: Reader, section: Section) -> list[str]:
    """Return the interfaces with a device; ten thousand virtual ones never crowd one out."""
    names = reader.names(NET)
    if isinstance(names, Missing):
        section.missing["*"] = names.reason
        return []
    found = [name for name in names if _is_hardware(reader, resolve(reader, f"{NET}/{name}"))]
    return bounded(found, section)


def _is_hardware(reader: Reader, base: str) -> bool:
    """Whether a device stands behind an interface: its link is there, or its path tells."""
    is_physical = base.startswith("sys/devices/") and not base.startswith(VIRTUAL)
    return is_physical or reader.exists(f"{base}/device")


def _put(section: Section, reader: Reader, name: str, base: str, live: Live | None) -> None:
    permanent = _permanent_mac(reader, name, base, live)
    pci = pci_address(base)
    item = unique(section, _identity(reader, base, permanent, pci))
    section.put_all(item, _sysfs_fields(reader, name, base))
    section.put_all(item, {"permanent_mac": permanent, "pci": pci})
    numa = first(*(reader.count(f"{path}/numa_node") for path in _pci_device(base, pci)))
    section.put(item, "numa", numa)
    if live is not None:
        link = live.link(name)
        if not isinstance(link, Missing):
            section.put(item, "altnames", [clean(alias) for alias in link.altnames])
        section.put_all(item, live.driver_fields(name))


def _identity(reader: Reader, base: str, permanent: str | Missing, pci: str | Missing) -> str:
    is_vf = isinstance(reader.link(f"{base}/device/physfn"), str)
    if isinstance(permanent, str) and not is_vf:
        return joined((permanent, pci))
    place = pci if isinstance(pci, str) else hardware_path(base)
    port = known(reader.count(f"{base}/dev_port"))  # tells the ports of one function apart
    return f"{place} port{port}" if port else place


def _pci_device(base: str, pci: str | Missing) -> Iterator[str]:
    """Yield the device of an interface and, behind virtio or USB, the PCI function it sits on."""
    yield f"{base}/device"
    if isinstance(pci, str):
        yield f"{PCI_DEVICES}/{pci}"


def _permanent_mac(reader: Reader, name: str, base: str, live: Live | None) -> str | Missing:
    """Return the burnt-in address, from the source that is nearest to the hardware.

    A bond gives its address to its members: their ``address`` is then not their own.
    """
    if live is not None and isinstance(told := live.permanent_mac(name), str):
        return told
    if reader.number(f"{base}/addr_assign_type") == NET_ADDR_PERM:
        return attribute(reader, f"{base}/address")
    return attribute(reader, f"{base}/bonding_slave/perm_hwaddr")


def _sysfs_fields(reader: Reader, name: str, base: str) -> dict[str, Value | Missing]:
    duplex = attribute(reader, f"{base}/duplex")
    fields: dict[str, Value | Missing] = {
        "ifname": fitted(name),
        "ifindex": reader.count(f"{base}/ifindex"),
        "kind": kind(reader, base),
        "mac": attribute(reader, f"{base}/address"),
        "mtu": reader.count(f"{base}/mtu"),
        "driver": target_name(reader, f"{base}/device/driver"),
        "speed_mbps": reader.count(f"{base}/speed"),
        "duplex": Missing(ABSENT) if duplex == "unknown" else duplex,
    }
    for field in ("phys_switch_id", "phys_port_name"):
        value = attribute(reader, f"{base}/{field}")
        if isinstance(value, str):  # a switch port has both, other devices refuse
            fields[field.removeprefix("phys_")] = value
    return fields


def kind(reader: Reader, base: str) -> str | Missing:
    """Return an interface's kind as sysfs knows it: its DEVTYPE, else its hardware type."""
    told = uevent(reader, base, "DEVTYPE")
    if isinstance(told, str):
        return told
    number = reader.count(f"{base}/type")
    return number if isinstance(number, Missing) else ARPHRD.get(number, f"type{number}")
