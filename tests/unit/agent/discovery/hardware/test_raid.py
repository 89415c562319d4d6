import pytest

from roost_agent.discovery.raid import raid

UUID = "0fbf5f2c-add2-43c2-bd78-a4be3ab709ef"


def array(machine, **files):
    base = {"level": "raid1", "array_state": "clean", "degraded": 1, "raid_disks": 2, "uuid": UUID}
    machine.plant({f"sys/block/md0/md/{name}": value for name, value in (base | files).items()})
    machine.plant(
        {
            "sys/block/md0/md/dev-sda/state": "in_sync",
            "sys/block/md0/md/dev-sdb/state": "faulty,blocked",
            "sys/block/md0/size": 16,
        }
    )
    return machine


def test_an_array_is_known_by_its_uuid_and_tells_its_members(machine):
    item = raid(array(machine).reader()).items[UUID]
    assert (item["kind"], item["name"], item["level"]) == ("md", "md0", "raid1")
    assert (item["degraded"], item["raid_disks"], item["size_bytes"]) == (1, 2, 16 * 512)
    assert (item["members"], item["faulty"]) == (["sda", "sdb"], ["sdb"])


@pytest.mark.parametrize("state", ["clean", "active", "active-idle", "write-pending"])
def test_an_array_that_is_written_to_is_not_a_changed_array(machine, state):
    assert raid(array(machine, array_state=state).reader()).items[UUID]["state"] == "active"


@pytest.mark.parametrize("state", ["inactive", "readonly", "broken"])
def test_a_state_that_is_news_stays(machine, state):
    assert raid(array(machine, array_state=state).reader()).items[UUID]["state"] == state


def test_the_uuid_that_udev_writes_with_colons_is_the_same(machine):
    array(machine, uuid="")
    machine.plant(
        {
            "sys/block/md0/dev": "9:0",
            "run/udev/data/b9:0": "E:MD_UUID=0fbf5f2c:add243c2:bd78a4be:3ab709ef",
        }
    )
    assert list(raid(machine.reader()).items) == [UUID]


def test_a_striped_array_cannot_be_degraded_and_says_nothing_of_it(machine):
    array(machine, level="raid0")
    (machine.tree.root / "sys/block/md0/md/degraded").unlink()
    section = raid(machine.reader())
    assert section.items[UUID]["degraded"] is None
    assert section.missing[f"{UUID}.degraded"] == "absent"


def test_a_logical_volume_tells_group_and_volume_even_with_dashes_in_them(machine):
    machine.plant(
        {
            "sys/block/dm-0/dm/uuid": "LVM-abc",
            "sys/block/dm-0/dm/name": "my--vg-root--a",
            "sys/block/dm-0/dm/suspended": 0,
            "sys/block/dm-0/size": 8,
            "sys/block/dm-0/slaves/sda2": "",
        }
    )
    assert raid(machine.reader()).items["LVM-abc"] == {
        "kind": "lvm",
        "name": "my--vg-root--a",
        "state": "active",
        "members": ["sda2"],
        "size_bytes": 4096,
        "vg": "my-vg",
        "lv": "root-a",
    }


@pytest.mark.parametrize(
    ("uuid", "kind"), [("CRYPT-LUKS2-x", "crypt"), ("mpath-36005", "multipath"), ("", "dm")]
)
def test_a_mapping_is_what_its_uuid_begins_with(machine, uuid, kind):
    machine.plant({"sys/block/dm-0/dm/uuid": uuid, "sys/block/dm-0/dm/name": "m"})
    assert raid(machine.reader()).items[uuid or "m"]["kind"] == kind


def test_hostile_arrays_leave_the_good_one(machine):
    array(machine).fifo("sys/block/md9/md/uuid")
    machine.plant({"sys/block/md8/md/level": "z" * (1 << 20)})
    items = raid(machine.reader()).items
    assert items[UUID]["level"] == "raid1"
    assert items["md8"]["level"] is None
