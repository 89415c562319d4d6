"""The folders of process files: what they define together."""

import os

from roost_agent.host.processes.files import load
from roost_agent.host.processes.folders import FILES_MAX, any_there

OWN = '[process.{}]\npidfile = "/run/x"\n'
PMON = "[process]\nprocess = {}\npidfile = /run/y\n"


def folders(tmp_path, own=(), pmon=()):
    for name, text in own:
        (tmp_path / "own").mkdir(exist_ok=True)
        (tmp_path / "own" / name).write_text(text)
    for name, text in pmon:
        (tmp_path / "pmon").mkdir(exist_ok=True)
        (tmp_path / "pmon" / name).write_text(text)
    return str(tmp_path / "own"), str(tmp_path / "pmon")


def test_folders_that_are_not_there_define_nothing(tmp_path):
    assert not any_there(folders(tmp_path))
    assert load(folders(tmp_path)).processes == {}


def test_both_kinds_are_read_and_roosts_own_wins(tmp_path):
    where = folders(
        tmp_path,
        own=[("a.toml", OWN.format("a")), ("notes.txt", "")],
        pmon=[("a.conf", PMON.format("a")), ("b.conf", PMON.format("b"))],
    )
    found = load(where)
    assert any_there(where)
    assert {name: each.pidfile for name, each in found.processes.items()} == {
        "a": "/run/x",
        "b": "/run/y",
    }
    assert found.faults == {}


def test_two_of_one_kind_and_one_name_are_a_fault_of_the_second(tmp_path):
    where = folders(tmp_path, own=[("a.toml", OWN.format("x")), ("b.toml", OWN.format("x"))])
    assert [name.rpartition("/")[2] for name in load(where).faults] == ["b.toml"]


def test_a_bad_file_loses_itself_alone(tmp_path):
    where = folders(tmp_path, own=[("a.toml", "[["), ("b.toml", OWN.format("b"))])
    os.mkfifo(tmp_path / "own" / "c.toml")  # nobody waits for whoever would write there
    (tmp_path / "own" / "d.toml").write_bytes(b"\xff")
    (tmp_path / "own" / "e.toml").write_text("#" * 70_000)
    found = load(where)
    assert list(found.processes) == ["b"]
    assert [name.rpartition("/")[2] for name in found.faults] == ["a.toml", "d.toml", "e.toml"]
    assert "bound 65536 bytes" in found.faults[f"{where[0]}/e.toml"][0]


def test_more_than_a_hundred_processes_and_two_hundred_files_are_left_out(tmp_path):
    many = "".join(OWN.format(f"p{number}") for number in range(101))
    where = folders(tmp_path, own=[("a.toml", many)])
    found = load(where)
    assert len(found.processes) == 100
    assert "p100: bound 100 processes" in found.faults[f"{where[0]}/a.toml"][0]
    for number in range(FILES_MAX + 5):
        (tmp_path / "own" / f"f{number:03}.toml").write_text("[[")
    assert len(load(where).faults) == FILES_MAX
