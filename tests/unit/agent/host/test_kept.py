"""What a host must not forget is on its disk, whole, or what was there before is."""

import os

import pytest

from roost_agent.errors import StorageError
from roost_agent.host.kept import (
    BYTES_MAX,
    FILE,
    OTHERS,
    Failed,
    Kept,
    Locked,
    read,
    read_locked,
    write,
    write_locked,
)
from roost_protocol.catalogue import ALARM_TEXT_BYTES_MAX
from roost_protocol.host import Admin
from roost_protocol.limits import HA_NODES_MAX, NAME_CHARS_MAX

KEPT = Kept(Admin.LOCKED, "aa" * 16, by="ann", reason="fan", attempts={"health": 2})


def test_what_was_kept_is_read_again_and_nothing_is_none(tmp_path):
    assert read(tmp_path) is None
    write(tmp_path, KEPT)
    assert read(tmp_path) == KEPT
    write(tmp_path, Kept(Admin.UNLOCKED))
    assert read(tmp_path) == Kept(Admin.UNLOCKED)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_file_and_folder_are_on_the_disk_before_it_is_said(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr("os.fsync", lambda fd: (done.append("fsync"), fsync(fd)))
    monkeypatch.setattr("os.replace", lambda *a: (done.append("replace"), replace(*a)))
    monkeypatch.setattr("pathlib.os.replace", os.replace)
    write(tmp_path, KEPT)
    assert done == ["fsync", "replace", "fsync"]


@pytest.mark.parametrize("body", [b"", b"{", b'{"admin":"gone"}', b"\xff", b"[" * (BYTES_MAX + 9)])
def test_what_makes_no_sense_is_an_error_and_not_an_unlocked_host(tmp_path, body):
    (tmp_path / FILE).write_bytes(body)
    with pytest.raises(StorageError, match=FILE):
        read(tmp_path)


def test_what_the_disk_refuses_is_an_error_and_leaves_what_was_there(tmp_path, monkeypatch):
    write(tmp_path, KEPT)

    def full(_fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        write(tmp_path, Kept(Admin.UNLOCKED))
    monkeypatch.undo()
    assert read(tmp_path) == KEPT
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    with pytest.raises(StorageError, match="directory"):
        read(tmp_path)


def test_a_site_of_which_all_hosts_are_locked_in_the_longest_words_is_read_again(tmp_path):
    said = "\x07" * ALARM_TEXT_BYTES_MAX
    names = [f"n{n:02}".ljust(NAME_CHARS_MAX, "x") for n in range(HA_NODES_MAX - 1)]
    locked = Locked(names, dict.fromkeys(names, said))
    write_locked(tmp_path, locked)
    assert read_locked(tmp_path) == locked


def test_what_an_older_agent_kept_of_the_others_is_read(tmp_path):
    (tmp_path / OTHERS).write_text('{"names":["n2"],"absent":{}}')
    assert read_locked(tmp_path) == Locked(["n2"])
    failed = Locked(failed={"n3": Failed(5, 7, "aa" * 16, 9)})
    write_locked(tmp_path, failed)
    assert read_locked(tmp_path) == failed
