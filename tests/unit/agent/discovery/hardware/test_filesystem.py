import os

import pytest

from roost_agent.discovery.filesystem import filesystem, parse
from roost_agent.discovery.reader import Reader

ROOT = "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard,errors=remount-ro"


def mounts(tree, *lines):
    return tree.plant({"proc/1/mountinfo": "\n".join(lines)}).reader()


def test_a_file_system_is_known_by_its_uuid_and_else_by_its_place(tree):
    tree.plant({"run/udev/data/b254:0": "E:ID_FS_UUID=5272bb60\nE:ID_FS_LABEL=root"})
    data = r"28 27 8:1 / /srv/my\040data rw - xfs /dev/sda1 rw,noquota"
    items = filesystem(mounts(tree, ROOT, data)).items
    assert items["5272bb60"] == {
        "device": "/dev/vda",
        "type": "ext4",
        "label": "root",
        "mountpoint": "/",
        "options": "discard,errors=remount-ro,rw",
        "size_bytes": None,
    }
    assert items["/srv/my data"]["type"] == "xfs"


def test_a_bind_mount_is_the_same_file_system_again(tree):
    bind = "20 1 254:0 /var/x /mnt/bind rw - ext4 /dev/vda rw"
    items = filesystem(mounts(tree, bind, ROOT)).items
    assert list(items) == ["/"]


@pytest.mark.parametrize(
    "line",
    [
        "22 27 0:21 / /proc rw - proc proc rw",
        "23 27 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw",
        "24 27 0:40 / /var/lib/kubelet/pods/1/volumes rw - tmpfs tmpfs rw",
        "25 27 0:41 / /var/lib/docker/overlay2/1/merged rw - overlay overlay rw,lowerdir=/x",
        "26 27 0:42 / /home rw - autofs systemd-1 rw",
    ],
)
def test_what_holds_no_data_or_belongs_to_a_container_is_left_out(tree, line):
    assert filesystem(mounts(tree, line)).missing == {"*": "absent"}


class LiveTree(Reader):
    """A tree that passes for the running machine, whose mount points can then be asked."""

    is_live = True


def sized(tree, kind, number=None):
    """Return the size of a file system that is said to be mounted at the tree's own root."""
    device = tree.root.stat().st_dev
    number = number or f"{os.major(device)}:{os.minor(device)}"
    mounts(tree, f"30 27 {number} / {tree.root} rw - {kind} /dev/vda rw")
    (item,) = filesystem(LiveTree(str(tree.root))).items.values()
    return item["size_bytes"]


def test_a_local_file_system_of_this_machine_has_its_size(tree):
    told = os.statvfs(tree.root)
    assert sized(tree, "ext4") == told.f_blocks * told.f_frsize


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p", "unheard-of"])
def test_a_server_that_may_be_gone_is_not_asked_for_a_size(tree, kind):
    assert sized(tree, kind) is None


def test_a_mount_point_that_shows_us_another_file_system_has_no_size(tree):
    assert sized(tree, "ext4", "4095:1") is None


@pytest.mark.parametrize("line", ["", "x", "1 2 3 4 5 6", "a - b", "1 2 3 4 5 6 - ext4", "\0 - \0"])
def test_a_line_that_is_not_mountinfo_is_no_mount(line):
    assert parse(line) is None


def test_options_too_long_for_the_wire_say_so(tree):
    long = f"25 27 254:1 / /srv rw - overlay overlay rw,lowerdir={'/layer:' * 100}"
    section = filesystem(mounts(tree, long))
    assert section.missing["/srv.options"] == "too-big"


def test_a_tree_without_mountinfo_says_why(tree):
    assert filesystem(tree.reader()).missing == {"*": "absent"}
