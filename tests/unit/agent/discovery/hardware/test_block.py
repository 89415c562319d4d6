import pytest

from roost_agent.discovery.block import disk, partition

SATA = "sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0"
NVME = "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0"


def plant(machine, place, files):
    return machine.plant({f"{place}/{name}": value for name, value in files.items()})


def sata(machine, name="sda", lun=SATA, **device):
    """Plant a SCSI disk of 4096 sectors and the LUN behind it."""
    base = machine.device(f"sys/block/{name}", f"{lun}/block/{name}", size=4096, dev="8:0")
    machine.link(f"{base}/device", lun)
    plant(machine, lun, {"model": "X-1", "rev": "1.0", "wwid": "naa.5000"} | device)
    queue = {"rotational": 1, "logical_block_size": 512, "scheduler": "none [mq-deadline]"}
    plant(machine, f"{base}/queue", queue)
    return base


def nvme(machine, name="nvme0n1", **files):
    base = machine.device(f"sys/block/{name}", f"{NVME}/{name}", size=8, nsid=1, dev="259:0")
    machine.link(f"{base}/device", NVME)
    plant(machine, base, {"wwid": "eui.0025"} | files)
    plant(
        machine,
        NVME,
        {
            "model": "CT2000P3SSD8            ",
            "serial": "2328E6EDD8A7        ",
            "firmware_rev": "P9CR30A ",
            "transport": "pcie",
            "cntlid": 1,
            "subsysnqn": "nqn.2014-08.org:x",
        },
    )
    return base


def test_a_disk_is_known_by_its_world_wide_name(machine):
    sata(machine)
    machine.plant({"run/udev/data/b8:0": "E:ID_PATH=pci-ata-1\nE:ID_ATA_ROTATION_RATE_RPM=7200"})
    item = disk(machine.reader()).items["naa.5000"]
    assert item == {
        "size_bytes": 4096 * 512,
        "name": "sda",
        "model": "X-1",
        "serial": None,
        "firmware": "1.0",
        "type": "hdd",
        "transport": "sata",
        "by_path": "pci-ata-1",
        "logical_bytes": 512,
        "physical_bytes": None,
        "rotational": True,
        "removable": None,
        "scheduler": "mq-deadline",
        "write_cache": None,
        "discard": None,
        "zoned": None,
        "hctl": "0:0:0:0",
        "rpm": 7200,
    }


def test_a_namespace_tells_its_controller(machine):
    nvme(machine)
    item = disk(machine.reader()).items["eui.0025"]
    assert (item["model"], item["serial"], item["firmware"]) == (
        "CT2000P3SSD8",
        "2328E6EDD8A7",
        "P9CR30A",
    )
    assert (item["type"], item["transport"]) == ("nvme", "pcie")
    assert (item["cntlid"], item["subsysnqn"]) == (1, "nqn.2014-08.org:x")
    assert item["namespaces"] == [1]


@pytest.mark.parametrize(
    ("files", "udev", "identity"),
    [
        ({"wwid": ""}, "E:ID_WWN=0x5000", "0x5000"),
        ({"wwid": "", "serial": "S1"}, "", "X-1 S1"),
        ({"wwid": "", "serial": ""}, "E:ID_SERIAL_SHORT=S2", "X-1 S2"),
        ({"wwid": ""}, "E:ID_PATH=pci-0000:00:1f.2-ata-1", "pci-0000:00:1f.2-ata-1"),
        ({"wwid": ""}, "", SATA.removeprefix("sys/devices/")),
    ],
)
def test_identity_falls_back_to_serial_and_then_to_where_the_disk_is(
    machine, files, udev, identity
):
    sata(machine, **files)
    machine.plant({"run/udev/data/b8:0": udev})
    assert list(disk(machine.reader()).items) == [identity]


def test_a_namespace_whose_identifiers_are_zeros_goes_by_its_serial(machine):
    nvme(machine, wwid="", eui="00 00 00 00".replace(" ", ""), nguid="0000-0000")
    assert list(disk(machine.reader()).items) == ["CT2000P3SSD8 2328E6EDD8A7"]


def test_a_disk_that_is_reached_over_two_paths_is_one_item(machine):
    sata(machine, "sda")
    sata(machine, "sdb", SATA.replace("host0", "host1"))
    section = disk(machine.reader())
    assert list(section.items) == ["naa.5000"]
    assert section.items["naa.5000"]["paths"] == ["sda", "sdb"]


def test_two_disks_with_one_name_and_different_sizes_are_two_items(machine):
    sata(machine, "sda")
    machine.plant({f"{sata(machine, 'sdb', SATA.replace('host0', 'host1'))}/size": 8})
    assert list(disk(machine.reader()).items) == ["naa.5000", "naa.5000#2"]


def test_a_card_reader_without_a_card_has_no_size_instead_of_zero(machine):
    machine.plant({f"{sata(machine)}/size": 0})
    section = disk(machine.reader())
    assert section.items["naa.5000"]["size_bytes"] is None
    assert section.missing["naa.5000.size_bytes"] == "absent"


@pytest.mark.parametrize("name", ["loop0", "zram0", "sr0", "nbd0", "ram0", "mmcblk0boot0"])
def test_what_is_no_disk_is_left_out(machine, name):
    sata(machine, name)
    assert disk(machine.reader()).items == {}


def test_the_hidden_path_below_a_multipath_namespace_is_left_out(machine):
    nvme(machine, "nvme0c0n1", hidden=1)
    assert disk(machine.reader()).items == {}


def test_a_partition_is_known_by_its_uuid_and_else_by_disk_and_number(machine):
    base = sata(machine)
    for number, uuid in ((1, "8c8e-01"), (2, "")):
        part = {"partition": number, "start": 2048, "size": 16, "dev": f"8:{number}"}
        plant(machine, f"{base}/sda{number}", part)
        machine.plant({f"run/udev/data/b8:{number}": f"E:ID_PART_ENTRY_UUID={uuid}"})
    machine.plant({"run/udev/data/b8:1": "E:ID_PART_ENTRY_UUID=8c8e-01\nE:ID_PART_ENTRY_NAME=EFI"})
    items = partition(machine.reader()).items
    assert list(items) == ["8c8e-01", "naa.5000-part2"]
    assert items["8c8e-01"] == {
        "disk": "naa.5000",
        "number": 1,
        "name": "sda1",
        "type": None,
        "label": "EFI",
        "start_bytes": 2048 * 512,
        "size_bytes": 16 * 512,
    }


def test_the_partitions_of_a_disk_with_two_paths_are_listed_once(machine):
    for host, name in enumerate(("sda", "sdb")):
        base = sata(machine, name, SATA.replace("host0", f"host{host}"))
        plant(machine, f"{base}/{name}1", {"partition": 1, "size": 8, "start": 0})
    assert list(partition(machine.reader()).items) == ["naa.5000-part1"]


def test_hostile_files_cost_their_own_field_alone(machine):
    base = sata(machine, model=b"\xffX\x1b[31m", rev="y" * (1 << 20))
    machine.fifo(f"{base}/removable").fifo("run/udev/data/b8:0")
    machine.at("sys/block/sdz").symlink_to("sdz")
    section = disk(machine.reader())
    item = section.items["naa.5000"]
    assert item["model"] == "\ufffdX\ufffd[31m"
    assert (item["firmware"], section.missing["naa.5000.firmware"]) == (None, "too-big")
    assert (item["removable"], item["size_bytes"]) == (None, 4096 * 512)
