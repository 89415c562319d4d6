"""What the fields of an SMBIOS structure mean, for the structure types that inventory keeps.

DMTF DSP0134 3.7, chapter 7; each reading names its section. Offsets and codes are the
specification's. Text fields are data (``TEXT_OFFSETS``), since all are read the same way; whether
a text says anything is ``placeholders``' business.
"""

import ipaddress
from collections.abc import Callable
from typing import Final

from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing, Value
from roost_agent.discovery.smbios import Structure

MEMORY_DEVICE: Final = 17
# Values that say "see the wider field", of one byte and of two.
_WIDER_BYTE: Final = 0xFF
_WIDER_WORD: Final = 0xFFFF
_WIDER_SIZE: Final = 0x7FFF
_REDFISH_OVER_IP: Final = 0x04
_REDFISH_BYTES_MIN: Final = 86  # up to and with the service's port
Fields = dict[str, Value | Missing]

KINDS: Final = {
    4: "socket",
    7: "cache",
    9: "slot",
    38: "ipmi",
    39: "power-supply",
    41: "onboard-device",
    42: "host-interface",
    43: "tpm",
    45: "firmware",
}

TEXT_OFFSETS: Final[dict[int, dict[str, int]]] = {
    4: {"designation": 0x04, "manufacturer": 0x07, "version": 0x10, "serial": 0x20, "part": 0x22},
    7: {"designation": 0x04},
    9: {"designation": 0x04},
    17: {
        "locator": 0x10,
        "bank": 0x11,
        "manufacturer": 0x17,
        "serial": 0x18,
        "asset_tag": 0x19,
        "part": 0x1A,
        "firmware": 0x2B,
    },
    39: {
        "location": 0x05,
        "name": 0x06,
        "manufacturer": 0x07,
        "serial": 0x08,
        "asset_tag": 0x09,
        "part": 0x0A,
        "revision": 0x0B,
    },
    41: {"designation": 0x04},
    43: {"description": 0x12},
    45: {
        "name": 0x04,
        "version": 0x05,
        "component_id": 0x07,
        "release_date": 0x09,
        "manufacturer": 0x0A,
    },
}

_FORM_FACTORS: Final = {  # 7.18.1
    0x03: "SIMM",
    0x04: "SIP",
    0x05: "chip",
    0x06: "DIP",
    0x07: "ZIP",
    0x08: "proprietary card",
    0x09: "DIMM",
    0x0A: "TSOP",
    0x0B: "row of chips",
    0x0C: "RIMM",
    0x0D: "SODIMM",
    0x0E: "SRIMM",
    0x0F: "FB-DIMM",
    0x10: "die",
    0x11: "CAMM",
}
_MEMORY_TYPES: Final = {  # 7.18.2
    0x03: "DRAM",
    0x04: "EDRAM",
    0x05: "VRAM",
    0x06: "SRAM",
    0x07: "RAM",
    0x08: "ROM",
    0x09: "flash",
    0x0A: "EEPROM",
    0x0B: "FEPROM",
    0x0C: "EPROM",
    0x0D: "CDRAM",
    0x0E: "3DRAM",
    0x0F: "SDRAM",
    0x10: "SGRAM",
    0x11: "RDRAM",
    0x12: "DDR",
    0x13: "DDR2",
    0x14: "DDR2 FB-DIMM",
    0x18: "DDR3",
    0x19: "FBD2",
    0x1A: "DDR4",
    0x1B: "LPDDR",
    0x1C: "LPDDR2",
    0x1D: "LPDDR3",
    0x1E: "LPDDR4",
    0x1F: "logical non-volatile",
    0x20: "HBM",
    0x21: "HBM2",
    0x22: "DDR5",
    0x23: "LPDDR5",
    0x24: "HBM3",
}
_SLOT_WIDTHS: Final = {  # 7.10.2: lanes, or bits of a parallel bus
    0x03: "8 bit",
    0x04: "16 bit",
    0x05: "32 bit",
    0x06: "64 bit",
    0x07: "128 bit",
    0x08: "x1",
    0x09: "x2",
    0x0A: "x4",
    0x0B: "x8",
    0x0C: "x12",
    0x0D: "x16",
    0x0E: "x32",
}
_SLOT_USAGES: Final = {0x03: "available", 0x04: "in use", 0x05: "unavailable"}  # 7.10.3
_CACHE_ECC: Final = {0x03: "none", 0x04: "parity", 0x05: "single-bit", 0x06: "multi-bit"}  # 7.8.3
_CACHE_TYPES: Final = {0x03: "instruction", 0x04: "data", 0x05: "unified"}  # 7.8.4
_IPMI_INTERFACES: Final = {0x01: "KCS", 0x02: "SMIC", 0x03: "BT", 0x04: "SSIF"}  # 7.39.1
_ONBOARD_TYPES: Final = {  # 7.42.2
    0x03: "video",
    0x04: "SCSI",
    0x05: "Ethernet",
    0x06: "Token Ring",
    0x07: "sound",
    0x08: "PATA",
    0x09: "SATA",
    0x0A: "SAS",
    0x0B: "wireless LAN",
    0x0C: "Bluetooth",
    0x0D: "WWAN",
    0x0E: "eMMC",
    0x0F: "NVMe",
    0x10: "UFS",
}
_SUPPLY_STATES: Final = {0x180: "OK", 0x200: "non-critical", 0x280: "critical"}  # 7.40.1
_HOST_INTERFACES: Final = {0x02: "KCS", 0x03: "16550 UART", 0x40: "network"}  # 7.43
_FIRMWARE_STATES: Final = {  # 7.46.5
    0x03: "disabled",
    0x04: "enabled",
    0x05: "absent",
    0x06: "standby offline",
    0x07: "standby spare",
    0x08: "unavailable offline",
}


def memory_device(structure: Structure) -> Fields:
    """Type 17 (7.18): a memory module, or the empty place for one."""
    size = _memory_bytes(structure)
    if size == 0:
        return {"populated": False}
    total = structure.known(0x08, 2, 0, 0xFFFF)
    width = structure.known(0x0A, 2, 0, 0xFFFF)
    return {
        "populated": True,
        "size_bytes": size,
        "type": _name(_MEMORY_TYPES, structure.number(0x12, 1)),
        "form_factor": _name(_FORM_FACTORS, structure.number(0x0E, 1)),
        "speed_mts": _speed(structure, 0x15, 0x54),
        "configured_mts": _speed(structure, 0x20, 0x58),
        "rank": _masked(structure.number(0x1B, 1), 0x0F) or Missing(UNSUPPORTED),
        "data_width": width,
        "total_width": total,
        "ecc": total > width if isinstance(total, int) and isinstance(width, int) else _why(total),
        "voltage_mv": structure.known(0x26, 2, 0),
    }


def _memory_bytes(structure: Structure) -> int | Missing:
    """Return the size; 0 is an empty place. Bit 15 counts KiB, else MiB (7.18.5)."""
    size = structure.known(0x0C, 2, 0xFFFF)
    if size == _WIDER_SIZE:
        extended = _masked(structure.number(0x1C, 4), 0x7FFF_FFFF)
        return extended if isinstance(extended, Missing) else extended << 20
    if isinstance(size, Missing):
        return size
    return (size & 0x7FFF) << 10 if size & 0x8000 else size << 20


def _speed(structure: Structure, offset: int, extended: int) -> int | Missing:
    """Return MT/s; 0xFFFF says that the extended field has it (7.18.4)."""
    speed = structure.known(offset, 2, 0)
    return structure.known(extended, 4, 0) if speed == _WIDER_WORD else speed


def _socket(structure: Structure) -> Fields:
    """Type 4 (7.5): a processor socket; 0xFF in a count says that the wide field has it."""
    return {
        "populated": _flag(structure.number(0x18, 1), 0x40),
        "max_mhz": structure.known(0x14, 2, 0),
        "cores": _wide_count(structure, 0x23, 0x2A),
        "cores_enabled": _wide_count(structure, 0x24, 0x2C),
        "threads": _wide_count(structure, 0x25, 0x2E),
    }


def _wide_count(structure: Structure, offset: int, wide: int) -> int | Missing:
    count = structure.known(offset, 1, 0)
    return structure.known(wide, 2, 0, 0xFFFF) if count == _WIDER_BYTE else count


def _cache(structure: Structure) -> Fields:
    """Type 7 (7.8): a cache; bits 2:0 of the configuration are the level less one."""
    configuration = structure.number(0x05, 2)
    level = _masked(configuration, 0x07)
    return {
        "level": level if isinstance(level, Missing) else level + 1,
        "enabled": _flag(configuration, 0x80),
        "size_bytes": _cache_bytes(structure),
        "ecc": _name(_CACHE_ECC, structure.number(0x10, 1)),
        "type": _name(_CACHE_TYPES, structure.number(0x11, 1)),
    }


def _cache_bytes(structure: Structure) -> int | Missing:
    """Return the installed size; the top bit counts 64 KiB, else 1 KiB (7.8.1)."""
    size = structure.number(0x09, 2)
    top = 15
    if size == _WIDER_WORD:
        size, top = structure.number(0x17, 4), 31
    if isinstance(size, Missing):
        return size
    return (size & ~(1 << top)) << (16 if size >> top else 10)


def _slot(structure: Structure) -> Fields:
    """Type 9 (7.10): an expansion slot."""
    return {
        "width": _name(_SLOT_WIDTHS, structure.number(0x06, 1)),
        "usage": _name(_SLOT_USAGES, structure.number(0x07, 1)),
        "address": _pci_address(structure, 0x0D),
    }


def _pci_address(structure: Structure, offset: int) -> str | Missing:
    """Return segment, bus, device and function; all ones where there is none (7.10.8)."""
    segment = structure.known(offset, 2, 0xFFFF)
    bus = structure.known(offset + 2, 1, 0xFF)
    function = structure.known(offset + 3, 1, 0xFF)
    if isinstance(segment, Missing) or isinstance(bus, Missing) or isinstance(function, Missing):
        return _why(segment, bus, function)
    return f"{segment:04x}:{bus:02x}:{function >> 3:02x}.{function & 7}"


def _ipmi(structure: Structure) -> Fields:
    """Type 38 (7.39): how to reach the BMC; bit 0 of the base says I/O space, else memory."""
    fields: Fields = {
        "interface": _name(_IPMI_INTERFACES, structure.number(0x04, 1)),
        "interrupt": structure.known(0x11, 1, 0),
    }
    revision = structure.number(0x05, 1)
    if isinstance(revision, int):
        fields["ipmi_version"] = f"{revision >> 4}.{revision & 0x0F}"
    base = structure.known(0x08, 8, 0)
    if isinstance(base, int):
        fields["base_address"] = f"{base & ~1:#x}"
        fields["address_space"] = "io" if base & 1 else "memory"
    return fields


def _power_supply(structure: Structure) -> Fields:
    """Type 39 (7.40): a power supply; 0x8000 W stands for unknown."""
    watts = structure.known(0x0C, 2, 0x8000)
    bits = structure.number(0x0E, 2)
    state = _masked(bits, 0x0380)
    return {
        "max_mw": watts if isinstance(watts, Missing) else watts * 1_000,
        "present": _flag(bits, 0x02),
        "hot_replaceable": _flag(bits, 0x01),
        "unplugged": _flag(bits, 0x04),
        "state": _name(_SUPPLY_STATES, state),
    }


def _onboard_device(structure: Structure) -> Fields:
    """Type 41 (7.42): a device on the board; bit 7 of its type says enabled."""
    kind = structure.number(0x05, 1)
    return {
        "type": _name(_ONBOARD_TYPES, _masked(kind, 0x7F)),
        "enabled": _flag(kind, 0x80),
        "instance": structure.number(0x06, 1),
        "address": _pci_address(structure, 0x07),
    }


def _host_interface(structure: Structure) -> Fields:
    """Type 42 (7.43): the host's own link to the BMC; Redfish over IP tells its address."""
    address, port = _redfish_service(structure)
    return {
        "interface": _name(_HOST_INTERFACES, structure.number(0x04, 1)),
        "redfish_ip": address,
        "redfish_port": port,
    }


def _redfish_service(structure: Structure) -> tuple[str | Missing, int | Missing]:
    """Return address and port of the first protocol record of type 4 (DSP0270 8.6)."""
    none = Missing(ABSENT), Missing(ABSENT)
    data_length = structure.number(0x05, 1)
    if isinstance(data_length, Missing):
        return none
    at = 0x06 + data_length + 1  # the number of records stands between
    while True:
        kind, length = structure.number(at, 1), structure.number(at + 1, 1)
        if isinstance(kind, Missing) or isinstance(length, Missing):
            return none
        record = structure.area[at + 2 : at + 2 + length]
        if kind == _REDFISH_OVER_IP and len(record) >= _REDFISH_BYTES_MIN:
            size = {1: 4, 2: 16}.get(record[51])  # IPv4, IPv6; 0 and others: unknown
            port = int.from_bytes(record[84:86], "little")
            if size is None:
                return Missing(UNSUPPORTED), port
            return str(ipaddress.ip_address(record[52 : 52 + size])), port
        at += 2 + length


def _tpm(structure: Structure) -> Fields:
    """Type 43 (7.44): a TPM; the vendor is four characters."""
    major, minor = structure.number(0x08, 1), structure.number(0x09, 1)
    vendor = structure.area[0x04:0x08].rstrip(b"\0 ").decode("ascii", "replace")
    known = isinstance(major, int) and isinstance(minor, int)
    return {
        "vendor": vendor or Missing(ABSENT),
        "version": f"{major}.{minor}" if known else _why(major, minor),
    }


def _firmware(structure: Structure) -> Fields:
    """Type 45 (7.46): one firmware component."""
    return {
        "image_bytes": structure.known(0x0C, 8, 0xFFFF_FFFF_FFFF_FFFF),
        "state": _name(_FIRMWARE_STATES, structure.number(0x16, 1)),
    }


READINGS: Final[dict[int, Callable[[Structure], Fields]]] = {
    4: _socket,
    7: _cache,
    9: _slot,
    38: _ipmi,
    39: _power_supply,
    41: _onboard_device,
    42: _host_interface,
    43: _tpm,
    45: _firmware,
}


def _name(names: dict[int, str], code: int | Missing) -> str | Missing:
    """Return a code's name; "other", "unknown" and codes yet to come are Missing."""
    return code if isinstance(code, Missing) else names.get(code, Missing(UNSUPPORTED))


def _masked(number: int | Missing, mask: int) -> int | Missing:
    return number if isinstance(number, Missing) else number & mask


def _flag(number: int | Missing, mask: int) -> bool | Missing:
    return number if isinstance(number, Missing) else bool(number & mask)


def _why(*values: int | Missing) -> Missing:
    """Return the reason of the first value that is missing."""
    return next((value for value in values if isinstance(value, Missing)), Missing(UNSUPPORTED))
