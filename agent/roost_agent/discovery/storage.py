"""Storage controllers: NVMe, SATA, SAS, RAID and Fibre Channel functions, and their hosts.

Invariant: the id is the PCI address; a host or controller without one (NVMe over fabrics, iSCSI)
goes by its world-wide port name or subsystem, and by its kernel name only without either.
"""

from typing import Final

from roost_agent.discovery.block import namespaces
from roost_agent.discovery.pci_names import PciNames
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, Missing, Section, Value
from roost_agent.discovery.sysfs import (
    PCI_DEVICES,
    attribute,
    clean,
    devices,
    entries,
    explained,
    first,
    hex_id,
    joined,
    known,
    pci_address,
    resolve,
    target_name,
    unique,
)

NVME: Final = "sys/class/nvme"
SCSI_HOST: Final = "sys/class/scsi_host"
FC_HOST: Final = "sys/class/fc_host"
ISCSI_SESSION: Final = "sys/class/iscsi_session"
ENCLOSURE: Final = "sys/class/enclosure"
KINDS: Final = {  # PCI class and subclass
    "0100": "scsi",
    "0101": "ide",
    "0104": "raid",
    "0105": "ata",
    "0106": "sata",
    "0107": "sas",
    "0108": "nvme",
    "0180": "other",
    "0c04": "fc",
}
# Drivers name the same thing differently: mpt3sas, megaraid_sas, lpfc, qla2xxx, hpsa.
FIRMWARE: Final = ("version_fw", "fw_version", "fwrev", "firmware_revision", "firmware_rev")
MODELS: Final = ("board_name", "modelname", "model_name", "modeldesc")

Fields = dict[str, Value | Missing]


def storage_controller(reader: Reader) -> Section:
    """Return every storage controller with what its hosts add to it."""
    section = Section()
    _put_functions(section, reader)
    for name in entries(reader, NVME):
        base = resolve(reader, f"{NVME}/{name}")
        nqn = attribute(reader, f"{base}/subsysnqn")
        _extend(section, first(_pci(reader, base), nqn), name, _nvme(reader, base))
    _put_hosts(section, reader)
    for name in entries(reader, ISCSI_SESSION):
        _put_session(section, reader, resolve(reader, f"{ISCSI_SESSION}/{name}"))
    for name in entries(reader, ENCLOSURE):
        _put_enclosure(section, reader, resolve(reader, f"{ENCLOSURE}/{name}"))
    if section.items:
        section.missing.pop("*", None)  # a machine without PCI may have NVMe
    return explained(section)


def _put_hosts(section: Section, reader: Reader) -> None:
    """Add what the SCSI and Fibre Channel hosts of a function tell.

    A SCSI host without a PCI function (USB, iSCSI, loop target) is no controller.
    """
    for name in entries(reader, SCSI_HOST):
        base = resolve(reader, f"{SCSI_HOST}/{name}")
        address = pci_address(base)
        if isinstance(address, str) and address in section.items:
            _extend(section, address, name, _scsi(reader, base))
    for name in entries(reader, FC_HOST):
        base = resolve(reader, f"{FC_HOST}/{name}")
        wwpn = attribute(reader, f"{base}/port_name")
        _extend(section, first(pci_address(base), wwpn), name, _fc(reader, base))


def _put_functions(section: Section, reader: Reader) -> None:
    names = PciNames(reader)
    for address in devices(reader, PCI_DEVICES, section):
        base = resolve(reader, f"{PCI_DEVICES}/{address}")
        kind = KINDS.get((known(hex_id(reader, f"{base}/class", 6)) or "")[:4])
        if kind is not None:
            section.put_all(
                clean(address),
                {
                    "kind": kind,
                    "model": names.board(base),
                    "driver": target_name(reader, f"{base}/driver"),
                },
            )


def _pci(reader: Reader, base: str) -> str | Missing:
    """Return the PCI function of an NVMe controller, from its path or its address file."""
    address = attribute(reader, f"{base}/address")
    is_local = attribute(reader, f"{base}/transport") == "pcie"
    return first(pci_address(base), address if is_local else Missing(ABSENT))


def _extend(section: Section, item: str | Missing, name: str, fields: Fields) -> None:
    """Add fields to a controller; what two of its hosts both tell, the first one told."""
    key = clean(known(item) or name)
    row = section.items.get(key, {})
    section.put_all(
        key,
        {field: value for field, value in fields.items() if row.get(field) is None},
    )


def _nvme(reader: Reader, base: str) -> Fields:
    return {
        "kind": "nvme",
        "model": attribute(reader, f"{base}/model"),
        "serial": attribute(reader, f"{base}/serial"),
        "firmware": attribute(reader, f"{base}/firmware_rev"),
        "state": attribute(reader, f"{base}/state"),
        "transport": attribute(reader, f"{base}/transport"),
        "cntlid": reader.count(f"{base}/cntlid"),
        "subsysnqn": attribute(reader, f"{base}/subsysnqn"),
        "namespaces": namespaces(reader, base),
    }


def _scsi(reader: Reader, base: str) -> Fields:
    return {
        "driver": attribute(reader, f"{base}/proc_name"),
        "model": first(*(attribute(reader, f"{base}/{name}") for name in MODELS)),
        "firmware": first(*(attribute(reader, f"{base}/{name}") for name in FIRMWARE)),
    }


def _fc(reader: Reader, base: str) -> Fields:
    return {
        "kind": "fc",
        "wwpn": attribute(reader, f"{base}/port_name"),
        "wwnn": attribute(reader, f"{base}/node_name"),
        "state": attribute(reader, f"{base}/port_state"),
        "speed": attribute(reader, f"{base}/speed"),
    }


def _put_session(section: Section, reader: Reader, base: str) -> None:
    """Put the far side of an iSCSI session, which is the controller of its disks."""
    target = attribute(reader, f"{base}/targetname")
    item = unique(section, joined(("iscsi", target)))
    state = attribute(reader, f"{base}/state")
    section.put_all(item, {"kind": "iscsi", "target": target, "state": state})


def _put_enclosure(section: Section, reader: Reader, base: str) -> None:
    """Put a shelf of disks (SES), by its logical id."""
    number = attribute(reader, f"{base}/id")
    device = f"{base}/device"
    item = unique(section, joined(("enclosure", number)))
    section.put_all(
        item,
        {
            "kind": "enclosure",
            "model": attribute(reader, f"{device}/model"),
            "firmware": attribute(reader, f"{device}/rev"),
            "slots": reader.count(f"{base}/components"),
        },
    )
