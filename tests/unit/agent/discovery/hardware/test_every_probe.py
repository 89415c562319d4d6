"""What holds for all device probes alike: they end, they say why, and nulls have reasons."""

import pytest

from roost_agent.discovery import (
    accelerators,
    block,
    devices,
    edac,
    filesystem,
    fpga,
    gpu,
    network,
    nic,
    pci,
    raid,
    sensors,
    sriov,
    storage,
    usb,
)
from roost_agent.discovery.bounds import bound

PCI = "sys/bus/pci/devices"
PROBES = {
    block.disk: "sys/block",
    block.partition: "sys/block",
    raid.raid: "sys/block",
    filesystem.filesystem: "proc/1/mountinfo",
    nic.nic: "sys/class/net",
    network.link: "sys/class/net",
    pci.pci: PCI,
    sriov.sriov: PCI,
    accelerators.accelerator: PCI,
    gpu.gpu: PCI,
    fpga.fpga: PCI,
    usb.usb: "sys/bus/usb/devices",
    sensors.sensor: "sys/class/hwmon",
    sensors.power: "sys/class/power_supply",
    edac.edac: "sys/devices/system/edac/mc",
    storage.storage_controller: PCI,
    devices.watchdog: "sys/class/watchdog",
    devices.serial: "sys/class/tty",
    devices.rdma: "sys/class/infiniband",
}
every_probe = pytest.mark.parametrize(
    ("probe", "place"), PROBES.items(), ids=[probe.__name__ for probe in PROBES]
)
# Names that each class takes for a device of its own.
DEVICES = (
    "0000:00:01.0",
    "sda",
    "md0",
    "dm-0",
    "eth0",
    "1-1",
    "hwmon0",
    "mc0",
    "nvme0n1",
    "x\x1b[2J",
)


@every_probe
def test_a_machine_without_the_class_says_why(machine, probe, place):
    section = probe(machine.reader())
    assert section.items == {}
    assert section.missing["*"] in {"absent", "no-module"}


@every_probe
def test_a_pipe_or_a_loop_in_place_of_the_class_ends_with_a_reason(machine, probe, place):
    machine.fifo(place)
    assert set(probe(machine.reader()).missing) == {"*"}
    (machine.tree.root / place).unlink()
    machine.at(place).symlink_to(place.rpartition("/")[2])
    assert set(probe(machine.reader()).missing) == {"*"}


@every_probe
def test_devices_that_are_empty_or_loops_never_fail_the_class(machine, probe, place):
    for name in DEVICES:
        machine.plant({f"{place}/{name}/uevent": b"\xff\0DEVTYPE=\x1b"})
        machine.at(f"{place}/{name}/device").symlink_to("device")
    machine.at(f"{place}/loop").symlink_to("loop")
    machine.fifo(f"{place}/pipe")
    section = probe(machine.reader())
    nulls = {
        f"{item}.{field}"
        for item, row in section.items.items()
        for field, value in row.items()
        if value is None
    }
    assert nulls == set(section.missing) - {"*"}
    bounded, dropped = bound(section)
    assert (bounded, dropped) == (section, 0)  # nothing that the wire would refuse
