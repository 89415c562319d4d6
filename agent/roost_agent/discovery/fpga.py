"""FPGA cards: what image they run and which board controller firmware manages it.

The attributes sit several buses below the PCI function (dfl, an SPI bridge, the MAX10 controller),
on paths that differ by driver and board, so they are looked for by name.

Invariant: the search sees at most DIRECTORIES_MAX directories and follows no link.
"""

from collections import deque
from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, Missing, Section
from roost_agent.discovery.sysfs import (
    PCI_DEVICES,
    attribute,
    clean,
    devices,
    entries,
    explained,
    first,
    hex_id,
    known,
    pci_address,
    resolve,
    target_name,
)

FPGA_MANAGER: Final = "sys/class/fpga_manager"
DIRECTORIES_MAX: Final = 400  # an N3000 with its SPI, hwmon and Ethernet parts has about 150
DRIVERS: Final = ("dfl-pci", "intel-fpga-pci", "xclmgmt", "xocl")
XILINX: Final = "10ee"
PROCESSING: Final = "1200"
# Field, and the names that dfl (mainline) and OPAE's driver give its attribute.
ATTRIBUTES: Final = {
    "bitstream_id": ("bitstream_id",),
    "bmc_fw_version": ("bmcfw_version", "bmcfw_flash_version", "max10_version"),
    "bmc_build_version": ("bmc_version",),
    "boot_page": ("fpga_boot_image", "fpga_image_load"),
    "retimer_a_version": ("retimer_A_version", "pkvl_a_version"),
    "retimer_b_version": ("retimer_B_version", "pkvl_b_version"),
    "root_key": ("sr_root_entry_hash", "sr_root_hash"),
    "revoked_key_ids": ("sr_canceled_csks", "sr_canceled"),
}
_WANTED: Final = frozenset(name for names in ATTRIBUTES.values() for name in names)


def is_fpga(reader: Reader, base: str) -> bool:
    """Whether a PCI function is an FPGA card, by its driver, its regions or its maker."""
    if target_name(reader, f"{base}/driver") in DRIVERS or reader.exists(f"{base}/fpga_region"):
        return True
    class_id = known(hex_id(reader, f"{base}/class", 6)) or ""
    return hex_id(reader, f"{base}/vendor") == XILINX and class_id.startswith(PROCESSING)


def fpga(reader: Reader) -> Section:
    """Return every FPGA card."""
    section = Section()
    managers = _managers(reader)
    for address in devices(reader, PCI_DEVICES, section):
        base = resolve(reader, f"{PCI_DEVICES}/{address}")
        if not is_fpga(reader, base):
            continue
        found = _search(reader, base)
        manager = managers.get(address)
        item = clean(address)
        for field in ("name", "state"):
            value = attribute(reader, f"{manager}/{field}") if manager else Missing(ABSENT)
            section.put(item, field, value)
        for field, names in ATTRIBUTES.items():
            paths = [found[name] for name in names if name in found]
            section.put(item, field, first(*(attribute(reader, path) for path in paths)))
    return explained(section)


def _managers(reader: Reader) -> dict[str, str]:
    """Return the FPGA manager of each PCI function."""
    found = {}
    for name in entries(reader, FPGA_MANAGER):
        base = resolve(reader, f"{FPGA_MANAGER}/{name}")
        address = pci_address(base)
        if isinstance(address, str):
            found[address] = base
    return found


def _search(reader: Reader, base: str) -> dict[str, str]:
    """Return the paths of the wanted attributes below a device, the shallowest of each name."""
    found: dict[str, str] = {}
    queue = deque([base])
    for _ in range(DIRECTORIES_MAX):
        if not queue:
            break
        directory = queue.popleft()
        for name in entries(reader, directory):
            path = f"{directory}/{name}"
            if name in _WANTED:
                found.setdefault(name, path)
            elif isinstance(reader.link(path), Missing):
                queue.append(path)  # a file has no entries: it costs one look
    return found
