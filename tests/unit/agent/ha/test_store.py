"""What HA keeps over a restart."""

import os
from pathlib import Path

import pytest

from roost_agent.errors import StorageDamagedError, StorageError
from roost_agent.ha.redundancy import RedundancyState
from roost_agent.ha.store import Store, put_file
from roost_agent.ports import SystemEntropy
from roost_protocol.voter_state import VoterState


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "ha"


@pytest.fixture
def store(folder):
    store = Store(folder)
    yield store
    store.close()


async def test_what_was_written_is_read_by_the_next_start(store, folder):
    state = VoterState.blank(b"v" * 16)
    await store.write_voter(state)
    await store.write_redundancy(RedundancyState.FAILED)
    again = Store(folder)
    assert again.voter(SystemEntropy()) == state
    assert again.redundancy() is RedundancyState.FAILED
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "voter").stat().st_mode & 0o777 == 0o600
    assert store.fault == ""


def test_a_new_disk_is_a_new_voter(store):
    first, second = (store.voter(SystemEntropy()) for _ in range(2))
    assert first.voter_id != second.voter_id
    assert first.records == {}
    assert store.redundancy() is RedundancyState.NORMAL


@pytest.mark.parametrize("content", [b"", b"junk", bytes(100)])
def test_a_voter_that_cannot_read_its_file_does_not_vote_as_a_new_one(store, folder, content):
    folder.mkdir()
    (folder / "voter").write_bytes(content)
    with pytest.raises(StorageDamagedError, match="may have promised"):
        store.voter(SystemEntropy())


def test_a_file_that_cannot_be_opened_is_an_error_too(store, folder):
    (folder / "voter").mkdir(parents=True)
    with pytest.raises(StorageDamagedError, match="directory"):
        store.voter(SystemEntropy())


def test_a_redundancy_state_that_makes_no_sense_bars_nobody(store, folder):
    folder.mkdir()
    (folder / "redundancy").write_bytes(b"perhaps\n")
    assert store.redundancy() is RedundancyState.NORMAL


async def test_a_disk_that_refuses_is_told_and_may_heal(store, folder):
    folder.mkdir()
    (folder / "voter.new").mkdir()
    with pytest.raises(StorageError):
        await store.write_voter(VoterState.blank(b"v" * 16))
    assert "voter" in store.fault
    (folder / "voter.new").rmdir()
    await store.write_voter(VoterState.blank(b"v" * 16))
    assert store.fault == ""


async def test_what_fencing_keeps_is_there_again_and_what_cannot_be_read_is_no_new_budget(
    store, folder
):
    assert store.fence() is None
    await store.write_fence(b"{}")
    assert store.fence() == b"{}"
    (folder / "fence").unlink()
    (folder / "fence").mkdir()
    assert store.fence() == b""


@pytest.fixture
def calls(monkeypatch):
    """What is synced and renamed, in its order, by the names of the files."""
    made = []
    sync, rename = os.fsync, os.replace

    def synced(fd):
        made.append(("fsync", Path(f"/proc/self/fd/{fd}").readlink().name))
        sync(fd)

    def renamed(old, new):
        made.append(("rename", Path(old).name, Path(new).name))
        rename(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    monkeypatch.setattr(os, "replace", renamed)
    return made


def test_a_file_is_on_disk_before_it_has_its_name_and_the_name_before_it_counts(folder, calls):
    put_file(folder / "voter", b"x")
    assert calls == [("fsync", "voter.new"), ("rename", "voter.new", "voter"), ("fsync", "ha")]


def test_a_write_that_is_cut_short_is_gone_on_with(folder, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, raw: write(fd, bytes(raw)[:10]))
    put_file(folder / "voter", bytes(range(100)))
    assert (folder / "voter").read_bytes() == bytes(range(100))
