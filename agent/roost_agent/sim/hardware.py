"""What the simulated nodes are made of: a few machines that do not exist, written down.

Pure, and the same for the same seed. A node keeps no inventory: it is made again from the node's
name and its ``Wear`` whenever a snapshot or a delta needs it, so 50,000 nodes cost no memory.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from roost_agent.inventory.snapshot import section
from roost_protocol.inventory import Section

ABSENT: Final = "absent"
GIB: Final = 1 << 30
KERNELS: Final = ("6.1.0-37-amd64", "6.1.0-38-amd64", "6.1.0-39-amd64", "6.1.0-40-amd64")

GPU_MODEL: Final = "Lumen L4 Sim"
GPU_BYTES: Final = 24 * GIB
PAGE_SIZES: Final = (2 << 20, GIB)  # of huge pages

Fields = dict[str, bool | int | str | list[str] | list[int] | None]


@dataclass(frozen=True, slots=True)
class Machine:
    """One kind of box."""

    vendor: str
    product: str
    bios: str
    cpu: str
    cpu_vendor: str
    cores: int
    threads: int
    max_khz: int
    dimms: int
    dimm_bytes: int
    dimm_type: str
    disk: str
    disk_bytes: int
    disk_type: str
    nic_driver: str
    nic_firmware: str
    nic_mbps: tuple[int, ...]
    accelerators: tuple[tuple[str, str, str, str], ...] = ()  # address, kind, product, driver


MACHINES: Final = (
    Machine(
        vendor="Northwind Industrial",
        product="NW-220 DIN",
        bios="1.14",
        cpu="Sim Atom E4 @ 1.90GHz",
        cpu_vendor="GenuineSim",
        cores=4,
        threads=4,
        max_khz=1_900_000,
        dimms=1,
        dimm_bytes=8 * GIB,
        dimm_type="DDR4",
        disk="Kestrel M2 128",
        disk_bytes=128_035_676_160,
        disk_type="ssd",
        nic_driver="igb",
        nic_firmware="3.25",
        nic_mbps=(1_000, 1_000),
    ),
    Machine(
        vendor="Fjord Systems",
        product="FS-1U Edge",
        bios="2.3.1",
        cpu="Sim Xeon D-16 @ 2.40GHz",
        cpu_vendor="GenuineSim",
        cores=16,
        threads=32,
        max_khz=3_100_000,
        dimms=4,
        dimm_bytes=32 * GIB,
        dimm_type="DDR4",
        disk="Osprey NV 960",
        disk_bytes=960_197_124_096,
        disk_type="nvme",
        nic_driver="ice",
        nic_firmware="4.20",
        nic_mbps=(25_000, 25_000, 1_000),
        accelerators=(
            ("0000:b3:00.0", "crypto", "Sim QuickCrypt 200", "qat_sim"),
            ("0000:b4:00.0", "compression", "Sim QuickCrypt 200", "qat_sim"),
        ),
    ),
    Machine(
        vendor="Lumen Compute",
        product="LC-8 Short Depth",
        bios="0.98",
        cpu="Sim Epyc 8 @ 2.65GHz",
        cpu_vendor="AuthenticSim",
        cores=8,
        threads=16,
        max_khz=3_400_000,
        dimms=2,
        dimm_bytes=32 * GIB,
        dimm_type="DDR5",
        disk="Osprey NV 480",
        disk_bytes=480_103_981_056,
        disk_type="nvme",
        nic_driver="bnxt_en",
        nic_firmware="227.0.134",
        nic_mbps=(10_000, 10_000),
        accelerators=(("0000:41:00.0", "gpu", GPU_MODEL, "sim_gpu"),),
    ),
)


@dataclass(frozen=True, slots=True)
class Wear:
    """What happened to a node's hardware and software since it was new; each is a count."""

    disk: int = 0  # replaced
    dimm: int = 0  # taken out, put back
    kernel: int = 0  # upgraded

    def after(self, turn: int) -> "Wear":
        """Return what is so after one more change; ``turn`` chooses which."""
        name = ("disk", "dimm", "kernel")[turn % 3]
        return replace(self, **{name: getattr(self, name) + 1})


NEW: Final = Wear()


def sections(node: str, wear: Wear, *, seed: int, as_of_ms: int) -> dict[str, Section]:
    """Return the inventory of a node."""
    digest = hashlib.blake2b(f"{seed}/{node}".encode(), digest_size=16)
    box = MACHINES[digest.digest()[0] % len(MACHINES)]
    serial = digest.hexdigest().upper()
    found: dict[str, tuple[dict[str, Fields], dict[str, str]]] = {
        "accelerator": _accelerators(box),
        "cpu": ({"0": _cpu(box)}, {}),
        "dimm": ({f"DIMM{n}": _dimm(box, n) for n in range(_dimms(box, wear))}, {}),
        "gpu": _gpus(box, serial),
        "hugepages": (_pages(), {}),
        "disk": _disk(box, f"{serial[20:28]}{wear.disk:02}"),
        "memory": ({"memory": {"total_bytes": _dimms(box, wear) * box.dimm_bytes}}, {}),
        "lldp": (_neighbours(node, seed), {}),
        "nic": (_nics(box, serial), {}),
        "os": ({"os": _os(node, serial, wear)}, {}),
        "system": ({"system": _system(box, serial)}, {"system.board_asset_tag": ABSENT}),
        "tpm": ({}, {"*": ABSENT}),
    }
    return {
        name: section(items, missing, as_of_ms=as_of_ms) for name, (items, missing) in found.items()
    }


def _dimms(box: Machine, wear: Wear) -> int:
    return box.dimms - 1 if wear.dimm % 2 and box.dimms > 1 else box.dimms


def _cpu(box: Machine) -> Fields:
    return {
        "vendor": box.cpu_vendor,
        "model_name": box.cpu,
        "microcode": "0x5003707",
        "cores": box.cores,
        "threads": box.threads,
        "max_khz": box.max_khz,
    }


def _dimm(box: Machine, number: int) -> Fields:
    return {
        "locator": f"DIMM{number}",
        "populated": True,
        "size_bytes": box.dimm_bytes,
        "type": box.dimm_type,
        "manufacturer": "Heron Memory",
        "part": f"HM-{box.dimm_type}-{box.dimm_bytes // GIB}",
        "ecc": True,
    }


def _disk(box: Machine, serial: str) -> tuple[dict[str, Fields], dict[str, str]]:
    fields: Fields = {
        "name": "nvme0n1" if box.disk_type == "nvme" else "sda",
        "model": box.disk,
        "serial": serial,
        "firmware": "3B2QGXA7",
        "type": box.disk_type,
        "size_bytes": box.disk_bytes,
        "rotational": False,
        "by_path": None,
    }
    return {serial: fields}, {f"{serial}.by_path": ABSENT}


def _nics(box: Machine, serial: str) -> dict[str, Fields]:
    nics: dict[str, Fields] = {}
    for port, mbps in enumerate(box.nic_mbps):
        tail = f"{serial[2:10]}{port:02x}".lower()
        mac = ":".join(("02", *(tail[at : at + 2] for at in range(0, 10, 2))))
        nics[mac] = {
            "ifname": f"eno{port + 1}",
            "mac": mac,
            "driver": box.nic_driver,
            "firmware": box.nic_firmware,
            "speed_mbps": mbps,
            "mtu": 1500,
        }
    return nics


def _accelerators(box: Machine) -> tuple[dict[str, Fields], dict[str, str]]:
    items: dict[str, Fields] = {
        address: {"kind": kind, "product": product, "driver": driver, "usable": True}
        for address, kind, product, driver in box.accelerators
    }
    return items, {} if items else {"*": ABSENT}


def _gpus(box: Machine, serial: str) -> tuple[dict[str, Fields], dict[str, str]]:
    items: dict[str, Fields] = {
        f"GPU-{serial[:12]}": {
            "pci": address,
            "vendor": "Lumen",
            "model": product,
            "driver": driver,
            "serial": serial[12:22],
            "driver_version": "550.54",
            "memory_bytes": GPU_BYTES,
        }
        for address, kind, product, driver in box.accelerators
        if kind == "gpu"
    }
    return items, {} if items else {"*": ABSENT}


def _pages() -> dict[str, Fields]:
    """Return no huge pages of each size, on the one NUMA node."""
    machine: Fields = {"sizes_bytes": [*PAGE_SIZES], "thp_mode": "madvise"}
    by_size: dict[str, Fields] = {
        f"node0/{size}": {"node": 0, "size_bytes": size, "count": 0} for size in PAGE_SIZES
    }
    return {"machine": machine, **by_size}


def _neighbours(node: str, seed: int) -> dict[str, Fields]:
    """Return the site's switch, which every node's first port is plugged into."""
    site, _, name = node.partition(".")
    tail = hashlib.blake2b(f"{seed}/{site}/switch".encode(), digest_size=5).hexdigest()
    chassis = ":".join(("06", *(tail[at : at + 2] for at in range(0, 10, 2))))
    port = f"1/0/{''.join(filter(str.isdecimal, name)) or name}"
    fields: Fields = {
        "ifname": "eno1",
        "chassis_id": chassis,
        "chassis_id_type": "mac",
        "port_id": port,
        "port_id_type": "ifname",
        "ttl_s": 120,
        "system_name": f"sw1-{site}",
        "description": "Tern Networks TN-24, release 8.2",
        "capabilities": ["bridge"],
        "pvid": 10,
    }
    return {f"eno1 {chassis} {port}": fields}


def _os(node: str, serial: str, wear: Wear) -> Fields:
    return {
        "name": "Debian GNU/Linux",
        "version": "12",
        "distribution": "debian",
        "kernel": KERNELS[(int(serial[4], 16) // 6 + wear.kernel) % len(KERNELS)],
        "arch": "x86_64",
        "hostname": node.partition(".")[2],
        "machine_id": serial.lower(),
        "virtualisation": "none",
    }


def _system(box: Machine, serial: str) -> Fields:
    return {
        "sys_vendor": box.vendor,
        "product_name": box.product,
        "product_serial": serial[:12],
        "product_uuid": serial.lower(),
        "bios_version": box.bios,
        "boot_mode": "uefi",
        "board_asset_tag": None,
    }
