"""The device probes over machines that nobody of the project made, against others' readings.

The trees lie beside the project in ``../shared/corpora`` (or where ROOST_CORPORA says) and are not
part of it: a ``/sys`` of node_exporter with the metrics it reads from it, and trees of hwloc.
"""

import os
import re
import tarfile
from pathlib import Path

import pytest

from roost_agent.discovery.accelerators import accelerator
from roost_agent.discovery.block import disk, partition
from roost_agent.discovery.devices import rdma, watchdog
from roost_agent.discovery.edac import edac
from roost_agent.discovery.network import link
from roost_agent.discovery.nic import nic
from roost_agent.discovery.pci import pci
from roost_agent.discovery.raid import raid
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.sensors import power, sensor
from roost_agent.discovery.sriov import sriov
from roost_agent.discovery.storage import storage_controller

PROJECT = Path(__file__).resolve().parents[4]
CORPORA = Path(os.environ.get("ROOST_CORPORA", PROJECT.parent / "shared" / "corpora"))
NODE_EXPORTER = CORPORA / "node_exporter"
HWLOC = CORPORA / "hwloc"

pytestmark = pytest.mark.skipif(
    not (NODE_EXPORTER.is_dir() and HWLOC.is_dir()), reason=f"corpora absent from {CORPORA}"
)


def unpack(archive: Path, root: Path) -> None:
    """Unpack a ttar: a line for the path, then a link's target or a count of lines."""
    lines = iter(archive.read_bytes().split(b"\n"))
    for line in lines:
        if line.startswith(b"Directory: "):
            (root / line[11:].decode()).mkdir(parents=True, exist_ok=True)
        elif line.startswith(b"Path: "):
            path = root / line[6:].decode()
            path.parent.mkdir(parents=True, exist_ok=True)
            key, _, value = next(lines).partition(b": ")
            if key == b"SymlinkTo":
                path.symlink_to(value.decode())
            else:
                text = b"".join(next(lines) + b"\n" for _ in range(int(value)))
                path.write_bytes(text.replace(b"NULLBYTE", b"\0").removesuffix(b"EOF\n"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    root = tmp_path_factory.mktemp("node_exporter")
    unpack(NODE_EXPORTER / "sys.ttar", root)
    unpack(NODE_EXPORTER / "udev.ttar", root / "run")
    # The dump has an NVMe disk in full but lacks the link by which the kernel lists it.
    nvme = "devices/pci0000:00/0000:00:02.1/0000:01:00.0/nvme/nvme0/nvme0n1"
    (root / "sys/block/nvme0n1").symlink_to(f"../{nvme}")
    opened = Reader(str(root))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def metrics():
    """Every sample of node_exporter: name, labels, value."""
    found = []
    for name in ("e2e-output.txt", "pcidevice-names-output.txt"):
        for line in (NODE_EXPORTER / name).read_text("utf-8", "replace").splitlines():
            sample = re.fullmatch(r"(\w+)\{(.*)\} (\S+)", line)
            if sample:
                labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', sample[2]))
                found.append((sample[1], labels, sample[3]))
    return found


def samples(metrics, name):
    chosen = [(labels, value) for sample, labels, value in metrics if sample == name]
    assert chosen, f"node_exporter has no {name}"
    return chosen


def address(labels):
    return "{segment}:{bus}:{device}.{function}".format(**labels)


def test_pci_ids_are_those_that_node_exporter_reads(reader, metrics):
    items = pci(reader).items
    told = samples(metrics, "node_pcidevice_info")
    assert {address(labels) for labels, _ in told} == set(items)
    for labels, _ in told:
        item = items[address(labels)]
        assert f"0x{item['vendor_id']}" == labels["vendor_id"]
        assert f"0x{item['device_id']}" == labels["device_id"]
        assert f"0x{item['class_id']}" == labels["class_id"]
        assert f"0x{item['revision']}" == labels["revision"]
        assert f"0x{item['subsystem_vendor_id']}" == labels["subsystem_vendor_id"]
        assert f"0x{item['subsystem_device_id']}" == labels["subsystem_device_id"]


@pytest.mark.parametrize(
    ("metric", "field", "scale"),
    [
        ("node_pcidevice_current_link_transfers_per_second", "link_cur_speed_mts", 10**6),
        ("node_pcidevice_max_link_transfers_per_second", "link_max_speed_mts", 10**6),
        ("node_pcidevice_current_link_width", "link_cur_width", 1),
        ("node_pcidevice_max_link_width", "link_max_width", 1),
        ("node_pcidevice_numa_node", "numa", 1),
    ],
)
def test_pci_links_and_numa_nodes_are_those_that_node_exporter_reads(
    reader, metrics, metric, field, scale
):
    items = pci(reader).items
    for labels, value in samples(metrics, metric):
        assert items[address(labels)][field] * scale == float(value)


@pytest.mark.parametrize(
    ("metric", "field"),
    [
        ("node_pcidevice_sriov_totalvfs", "total_vfs"),
        ("node_pcidevice_sriov_numvfs", "num_vfs"),
        ("node_pcidevice_sriov_drivers_autoprobe", "autoprobe"),
    ],
)
def test_sriov_is_what_node_exporter_reads(reader, metrics, metric, field):
    items = sriov(reader).items
    totals = samples(metrics, "node_pcidevice_sriov_totalvfs")
    able = {address(labels) for labels, total in totals if float(total)}
    assert set(items) == able
    for labels, value in samples(metrics, metric):
        if address(labels) in able:
            assert int(items[address(labels)][field]) == float(value)


def test_every_sensor_that_node_exporter_labels_is_found(reader, metrics):
    items = sensor(reader).items
    for labels, _ in samples(metrics, "node_hwmon_sensor_label"):
        chip = labels["chip"].removeprefix("platform_").rpartition("_")
        place = f"platform/{chip[0]}.{chip[2]}" if chip[0] else ""
        found = [item for item in items if place in item and labels["label"] in item]
        assert found, labels


@pytest.mark.parametrize(
    ("metric", "limit"),
    [("node_hwmon_temp_crit_celsius", "crit"), ("node_hwmon_temp_max_celsius", "max")],
)
def test_the_limits_of_core_temperatures_are_those_that_node_exporter_reads(
    reader, metrics, metric, limit
):
    items = sensor(reader).items
    read = [labels for labels, _ in samples(metrics, "node_hwmon_sensor_label")]
    names = {(labels["chip"], labels["sensor"]): labels["label"] for labels in read}
    checked = 0
    for labels, value in samples(metrics, metric):
        match = re.fullmatch(r"platform_coretemp_(\d)", labels["chip"])
        if match:
            label = names[labels["chip"], labels["sensor"]]
            item = items[f"coretemp platform/coretemp.{match[1]} {label}"]
            assert item[limit] == float(value) * 1000
            checked += 1
    assert checked == 10


def test_every_channel_that_node_exporter_counts_errors_of_is_a_dimm(reader, metrics):
    items = edac(reader).items
    told = samples(metrics, "node_edac_channel_correctable_errors_total")
    dimms = {"mc{controller}/csrow{csrow}/ch{channel}".format(**labels) for labels, _ in told}
    assert dimms | {"mc0"} == set(items)


def test_the_nvme_disk_is_read_in_full_from_the_dump(reader):
    (item,) = [row for row in disk(reader).items.values() if row["name"] == "nvme0n1"]
    assert (item["model"], item["serial"], item["firmware"]) == (
        "CT2000P3SSD8",
        "2328E6EDD8A7",
        "P9CR30A",
    )
    assert item["size_bytes"] == 3_907_029_168 * 512
    parts = [row for row in partition(reader).items.values() if row["name"].startswith("nvme0n1p")]
    assert [row["number"] for row in parts] == [1, 2, 3]


def test_an_nvme_controller_is_what_node_exporter_reads(reader, metrics):
    (labels, _), *_ = samples(metrics, "node_nvme_info")
    item = storage_controller(reader).items[labels["device"]]
    assert (item["model"], item["serial"]) == (labels["model"], labels["serial"])
    assert (item["firmware"], item["state"]) == (labels["firmware_revision"], labels["state"])
    assert item["cntlid"] == int(labels["cntlid"])


def test_rdma_adapters_are_what_node_exporter_reads(reader, metrics):
    items = rdma(reader).items
    for labels, _ in samples(metrics, "node_infiniband_info"):
        item = items[labels["device"]]
        assert (item["fw_ver"], item["board_id"]) == (
            labels["firmware_version"],
            labels["board_id"],
        )
    for labels, rate in samples(metrics, "node_infiniband_rate_bytes_per_second"):
        item = items["{device}/{port}".format(**labels)]
        assert item["rate_mbps"] * 125_000 == float(rate)


def test_watchdogs_are_what_node_exporter_reads(reader, metrics):
    items = watchdog(reader).items
    for labels, _ in samples(metrics, "node_watchdog_info"):
        item = items[labels["name"]]
        assert (item["identity"] or "", item["state"] or "") == (
            labels["identity"],
            labels["state"],
        )
    for labels, value in samples(metrics, "node_watchdog_timeout_seconds"):
        assert items[labels["name"]]["timeout_s"] == float(value)


def test_arrays_are_what_node_exporter_reads(reader, metrics):
    arrays = {row["name"]: row for row in raid(reader).items.values() if row["kind"] == "md"}
    for labels, value in samples(metrics, "node_md_raid_disks"):
        assert arrays[labels["device"]]["raid_disks"] == float(value)
    for labels, value in samples(metrics, "node_md_degraded"):
        degraded = arrays[labels["device"]]["degraded"]
        assert degraded == float(value) or (degraded is None and not float(value))  # raid0


def test_supplies_are_what_node_exporter_reads(reader, metrics):
    items = power(reader).items
    for labels, _ in samples(metrics, "node_power_supply_info"):
        item = items[labels["power_supply"]]
        assert item["type"] == labels["type"]
        assert (item["serial"] or "") == labels.get("serial_number", "")
    for labels, watt_hours in samples(metrics, "node_power_supply_energy_full_design"):
        assert items[labels["power_supply"]]["capacity_uwh"] == float(watt_hours) * 10**6


def test_interfaces_are_what_node_exporter_reads(reader, metrics):
    links = link(reader).items
    nics = {row["ifname"]: row for row in nic(reader).items.values()}
    for labels, value in samples(metrics, "node_network_mtu_bytes"):
        if labels["device"] in links:
            assert links[labels["device"]]["mtu"] == float(value)
    for labels, value in samples(metrics, "node_network_speed_bytes"):
        assert nics[labels["device"]]["speed_mbps"] * 125_000 == float(value)
    for labels, value in samples(metrics, "node_bonding_slaves"):
        assert len(links[labels["master"]]["bond_members"]) == float(value)


@pytest.fixture(scope="module", params=["32intel64-2p8co2t+8ve", "40intel64-4n10c+pci-conflicts"])
def hwloc(request, tmp_path_factory):
    """A tree of hwloc, and what hwloc printed for it."""
    root = tmp_path_factory.mktemp("hwloc")
    with tarfile.open(HWLOC / f"{request.param}.tar.bz2") as archive:
        archive.extractall(root, filter="tar")
    opened = Reader(str(root / request.param))
    yield opened, (HWLOC / f"{request.param}.console").read_text()
    opened.close()


def gigabytes(item):
    """Return what a link carries each second: 8b/10b below 8 GT/s, 128b/130b from there on."""
    speed, width = item["link_cur_speed_mts"], item["link_cur_width"]
    return round(speed * width * (128 / 130 if speed >= 8000 else 0.8) / 8000, 2)


def test_pci_functions_are_those_that_hwloc_prints(hwloc):
    reader, console = hwloc
    items = pci(reader).items
    printed = re.findall(r"\(busid=(\S+) id=(\w+):(\w+) class=(\w+)\(\w+\)(.*)\)", console)
    assert printed
    for busid, vendor, device, class_id, rest in printed:
        item = items[busid]
        assert (item["vendor_id"], item["device_id"]) == (vendor, device)
        assert item["class_id"].startswith(class_id)
        link = re.search(r"link=([\d.]+)GB/s", rest)
        if link and "link_cur_width" in item:  # the older tree tells links in config space alone
            assert gigabytes(item) == float(link[1])


def test_coprocessors_that_hwloc_prints_are_accelerators(hwloc):
    reader, console = hwloc
    printed = re.findall(r"busid=([0-9a-f:.]+) id=\w+:\w+ class=0b40", console)
    assert set(printed) <= set(accelerator(reader).items)


def test_network_interfaces_that_hwloc_prints_are_nics(hwloc):
    reader, console = hwloc
    printed = re.findall(r'OSDev\[Network\] L#\d+ \(Address=(\S+)\) "(\w+)"', console)
    found = [(row["mac"], row["ifname"]) for row in nic(reader).items.values()]
    assert sorted(printed) == sorted(found)
