"""File systems that only a try tells of: written to, asked, hanging, gone."""

import threading

import pytest

from roost_agent.alarms.rules import Finding, Reading
from roost_agent.alarms.samples import storage as tries
from roost_agent.alarms.samples.filesystems import FileSystems
from roost_agent.alarms.samples.sampler import Look
from roost_agent.alarms.samples.storage import HANGS_MS, TRY, Storage, Tried
from roost_agent.alarms.samples.waits import Waits
from roost_agent.discovery.filesystem import Mount
from roost_agent.discovery.reader import Reader
from roost_protocol.severity import Severity


def mounts(*places):
    return [Mount("0:1", "/", place, "nfs4", "host:/x", "rw", "rw") for place in places]


@pytest.fixture
def gate():
    opened = threading.Event()
    yield opened
    opened.set()


def test_one_that_hangs_is_not_begun_again_and_holds_up_no_other(gate):
    begun, waits = [], Waits(2)

    def hangs():
        begun.append(1)
        gate.wait(30)
        return "late"

    calls = {"hangs": hangs, "well": lambda: "well"}
    for now_ms in (5, 10, 15):
        assert waits.all(calls, now_ms, 0.05) == {"hangs": 5, "well": "well"}
    assert len(begun) == 1
    gate.set()
    assert waits.all(calls, 20, 5)["hangs"] == "late"


def test_the_agents_own_file_system_is_written_to_and_read_back(tmp_path):
    (found,) = Storage(str(tmp_path), ()).tried(mounts("/", str(tmp_path)), 5).items()
    assert found == (str(tmp_path), Tried())
    first = (tmp_path / TRY).read_bytes()
    Storage(str(tmp_path), ()).tried(mounts("/"), 6)
    assert len(first) == len((tmp_path / TRY).read_bytes()) == tries.TRY_BYTES
    assert first != (tmp_path / TRY).read_bytes()


def test_a_write_that_is_refused_is_told_by_its_errno_on_the_mount_that_holds_the_folder(tmp_path):
    (tmp_path / TRY).mkdir()
    assert Storage(str(tmp_path), ()).tried(mounts("/", "/srv"), 5) == {"/": Tried("EISDIR")}
    assert Storage(str(tmp_path / "gone"), ()).tried(mounts("/"), 5) == {"/": Tried("ENOENT")}


def test_a_server_that_does_not_answer_is_told_as_such_and_never_as_full_or_empty(gate):
    def ask(place):
        gate.wait(30)
        return Tried("", 10.0, 5.0)

    storage = Storage("", ["/nas/"], ask=ask)
    storage.wait_s = 0.2
    assert storage.tried(mounts("/nas"), 1_000) == {"/nas": None}
    assert storage.tried(mounts("/nas"), 1_000 + HANGS_MS) == {"/nas": Tried("timeout")}
    gate.set()
    assert storage.tried(mounts("/nas"), 9_000 + HANGS_MS) == {"/nas": Tried("", 10.0, 5.0)}


def test_one_that_should_be_mounted_and_is_not_is_a_fault():
    assert Storage("", ["/nas"]).tried(mounts("/"), 5) == {"/nas": Tried("not mounted")}


def test_no_server_is_asked_that_is_not_named(tmp_path):
    asked = []

    def ask(place):
        asked.append(place)
        return Tried()

    Storage("", ["/nas"], ask=ask).tried(mounts("/nas", "/other"), 5)
    assert asked == ["/nas"]


def test_on_this_machine_the_write_is_a_finding_and_what_is_named_has_its_readings(tmp_path):
    def see(sampler):
        return list(sampler.sample(Look(Reader(), 1_000)))

    well = [each for each in see(FileSystems(str(tmp_path))) if isinstance(each, Finding)]
    assert {each.severity for each in well} == {Severity.CLEARED}
    (tmp_path / TRY).unlink()
    (tmp_path / TRY).mkdir()
    bad = [each for each in see(FileSystems(str(tmp_path))) if isinstance(each, Finding)]
    assert [each.params["errno"] for each in bad if each.severity is Severity.CRITICAL] == [
        "EISDIR"
    ]
    named = see(FileSystems("", ["/proc"]))
    (found,) = [each for each in named if isinstance(each, Reading) and each.entity == "fs=/proc"]
    assert found.value is None  # it has no blocks
