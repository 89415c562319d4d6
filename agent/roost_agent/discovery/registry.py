"""Which probe reads which inventory class, in the order they run and are shown."""

from collections.abc import Callable
from typing import Final

from roost_agent.discovery.accelerators import accelerator
from roost_agent.discovery.block import disk, partition
from roost_agent.discovery.cpu import cpu, cpu_cache, cpu_thread
from roost_agent.discovery.devices import rdma, serial, watchdog
from roost_agent.discovery.dmi import dimm, dmi, system
from roost_agent.discovery.edac import edac
from roost_agent.discovery.filesystem import filesystem
from roost_agent.discovery.fpga import fpga
from roost_agent.discovery.gpu import gpu
from roost_agent.discovery.hugepages import hugepages
from roost_agent.discovery.lldp import lldp
from roost_agent.discovery.memory import memory
from roost_agent.discovery.network import link
from roost_agent.discovery.nic import nic
from roost_agent.discovery.numa import numa
from roost_agent.discovery.operating_system import module, os
from roost_agent.discovery.packages import package, package_set
from roost_agent.discovery.pci import pci
from roost_agent.discovery.raid import raid
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import Section
from roost_agent.discovery.sensors import power, sensor
from roost_agent.discovery.sriov import sriov
from roost_agent.discovery.storage import storage_controller
from roost_agent.discovery.tpm import tpm
from roost_agent.discovery.usb import usb

Probe = Callable[[Reader], Section]

PROBES: Final[dict[str, Probe]] = {
    "system": system,
    "os": os,
    "cpu": cpu,
    "cpu_thread": cpu_thread,
    "cpu_cache": cpu_cache,
    "numa": numa,
    "memory": memory,
    "hugepages": hugepages,
    "dimm": dimm,
    "edac": edac,
    "dmi": dmi,
    "tpm": tpm,
    "watchdog": watchdog,
    "pci": pci,
    "sriov": sriov,
    "accelerator": accelerator,
    "fpga": fpga,
    "gpu": gpu,
    "nic": nic,
    "link": link,
    "lldp": lldp,
    "rdma": rdma,
    "storage_controller": storage_controller,
    "disk": disk,
    "partition": partition,
    "raid": raid,
    "filesystem": filesystem,
    "sensor": sensor,
    "power": power,
    "usb": usb,
    "serial": serial,
    "module": module,
    "package_set": package_set,
    "package": package,
}

ON_DEMAND: Final = frozenset({"package"})  # thousands of items that rarely change


def chosen(names: list[str]) -> dict[str, Probe]:
    """Return the named probes; without names, those of a full run.

    Raises:
        KeyError: a name that is not in the registry.
    """
    if names:
        return {name: PROBES[name] for name in names}
    return {name: probe for name, probe in PROBES.items() if name not in ON_DEMAND}
