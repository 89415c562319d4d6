"""A secret is its owner's alone, and a crash leaves the old one or the new one."""

import pytest

from roost_central.private_file import write_new, write_whole


def test_what_is_written_is_its_owners_alone(tmp_path):
    write_whole(tmp_path / "key", b"secret")
    assert (tmp_path / "key").read_bytes() == b"secret"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_what_a_crash_left_half_written_is_in_nobodys_way(tmp_path):
    (tmp_path / "admin.token").write_bytes(b"old")
    (tmp_path / "admin.new").write_bytes(b"ha")
    write_whole(tmp_path / "admin.token", b"new")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"new"]


def test_a_disk_that_refuses_leaves_the_old_one(tmp_path):
    (tmp_path / "key").write_bytes(b"old")
    (tmp_path / "key").with_suffix(".new").mkdir()
    with pytest.raises(OSError, match=r"key\.new"):
        write_whole(tmp_path / "key", b"new")
    assert (tmp_path / "key").read_bytes() == b"old"


def test_what_is_there_is_not_written_over_as_new(tmp_path):
    write_new(tmp_path / "root.key", b"first")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "root.key", b"second")
    assert (tmp_path / "root.key").read_bytes() == b"first"
