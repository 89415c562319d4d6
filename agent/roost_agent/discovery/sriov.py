"""SR-IOV: physical functions and their virtual functions.

What a VF may do (MAC, VLAN, trust, rate) only rtnetlink knows, on the live machine; a tree of
another machine gives the VFs that sysfs links.

Invariant: the id of an item is its PCI address; a VF's item names its physical function in ``pf``.
"""

import re
from typing import Final

from roost_agent.discovery import netlink
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, Missing, Section, Value
from roost_agent.discovery.sysfs import (
    PCI_DEVICES,
    clean,
    devices,
    explained,
    fitted,
    flag,
    hex_id,
    resolve,
    target_name,
)

_VF_LINK: Final = re.compile(r"virtfn([0-9]{1,5})")  # 16 bits of TotalVFs

Rules = dict[str, dict[int, netlink.VfRules]]  # by interface, by index of the VF


def sriov(reader: Reader) -> Section:
    """Return each physical function that can have VFs, and each VF it has, by PCI address."""
    section = Section()
    rules: Rules | Missing | None = None
    for address in devices(reader, PCI_DEVICES, section):
        base = resolve(reader, f"{PCI_DEVICES}/{address}")
        total = reader.count(f"{base}/sriov_totalvfs")
        if isinstance(total, Missing) or total == 0:
            continue
        section.put_all(clean(address), _physical_function(reader, base, total))
        virtual = _virtual_functions(reader, base)
        if virtual and rules is None:  # a dump with VFs is dear: only when there are some
            rules = netlink.vf_rules() if reader.is_live else Missing(ABSENT)
        for index, vf in virtual:
            fields = _virtual_function(reader, f"{PCI_DEVICES}/{vf}")
            fields |= {"pf": clean(address), "index": index}
            fields |= _rule_fields(rules, _netdev(reader, base), index)
            section.put_all(clean(vf), fields)
    return explained(section)


def _physical_function(reader: Reader, base: str, total: int) -> dict[str, Value | Missing]:
    return {
        "total_vfs": total,
        "num_vfs": reader.count(f"{base}/sriov_numvfs"),
        "offset": reader.count(f"{base}/sriov_offset"),
        "stride": reader.count(f"{base}/sriov_stride"),
        "vf_device": hex_id(reader, f"{base}/sriov_vf_device"),
        "autoprobe": flag(reader.count(f"{base}/sriov_drivers_autoprobe")),
    }


def _virtual_functions(reader: Reader, base: str) -> list[tuple[int, str]]:
    """Return index and PCI address of each VF of a physical function."""
    names = reader.names(base)
    if isinstance(names, Missing):
        return []
    found = []
    for name in names:
        match = _VF_LINK.fullmatch(name)
        address = target_name(reader, f"{base}/{name}") if match else Missing(ABSENT)
        if match and isinstance(address, str):
            found.append((int(match[1]), address))
    return sorted(found)


def _virtual_function(reader: Reader, path: str) -> dict[str, Value | Missing]:
    base = resolve(reader, path)
    netdev = _netdev(reader, base)
    return {
        "driver": target_name(reader, f"{base}/driver"),
        "netdev": netdev if isinstance(netdev, Missing) else fitted(netdev),
    }


def _netdev(reader: Reader, base: str) -> str | Missing:
    """Return the first network interface of a function: a VF given to a guest has none."""
    names = reader.names(f"{base}/net")
    if isinstance(names, Missing):
        return names
    return names[0] if names else Missing(ABSENT)


def _rule_fields(
    rules: Rules | Missing | None, netdev: str | Missing, index: int
) -> dict[str, Value | Missing]:
    """Return what the physical function enforces on one VF."""
    nothing = rules if isinstance(rules, Missing) else Missing(ABSENT)
    unknown: netlink.VfRules = dict.fromkeys(netlink.VF_FIELDS, nothing)
    if rules is None or isinstance(rules, Missing) or isinstance(netdev, Missing):
        return unknown
    return rules.get(netdev, {}).get(index, unknown)
