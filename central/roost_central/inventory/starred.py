"""The fields that the fleet is searched by: kept one by one beside the documents.

The starred ones of inventory.md section 2, as data. Any other field is searched in the documents.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

STARRED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "system": frozenset(
            {"sys_vendor", "product_name", "product_serial", "product_uuid", "bios_version"}
        ),
        "dimm": frozenset({"size_bytes", "type", "part", "serial"}),
        "cpu": frozenset({"model_name", "microcode"}),
        "cpu_thread": frozenset({"function"}),
        "memory": frozenset({"total_bytes"}),
        "pci": frozenset({"vendor_id", "device_id", "class_id", "driver"}),
        "sriov": frozenset({"num_vfs"}),
        "accelerator": frozenset({"kind", "product"}),
        "gpu": frozenset({"model", "driver_version", "memory_bytes"}),
        "nic": frozenset({"ifname", "mac", "driver", "firmware", "speed_mbps"}),
        "lldp": frozenset({"system_name"}),
        "disk": frozenset({"size_bytes", "rotational", "type", "model", "serial", "firmware"}),
        "filesystem": frozenset({"type", "mountpoint"}),
        "bmc": frozenset({"firmware", "guid", "mac"}),
        "modem": frozenset({"model", "firmware"}),
        "os": frozenset({"name", "version", "kernel", "arch", "virtualisation", "agent_version"}),
        "package": frozenset({"version"}),
    }
)
