"""Which process it is: real processes, and a cgroup that is a folder with their numbers."""

import os
import signal
import subprocess

import pytest

from roost_agent.host.processes.definition import Definition
from roost_agent.host.processes.finder import SAME_MAX, Finder


@pytest.fixture
def spawn():
    """Starts processes that do nothing, and ends them."""
    made = []

    def start(*argv):
        made.append(subprocess.Popen(argv or ("sleep", "100"), stdout=subprocess.PIPE))
        return made[-1]

    yield start
    for process in made:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def group(tmp_path):
    """Writes who is in a unit's cgroup."""

    def write(*pids, below=""):
        folder = tmp_path / "system.slice/pump.service" / below
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
        return Finder({}, str(tmp_path))

    return write


def pump(**said):
    return Definition(process="pump", file="f", **said)


def test_the_file_of_a_process_names_it(tmp_path, spawn):
    file = tmp_path / "pid"
    finder, definition = Finder({}, "/nowhere"), pump(pidfile=str(file))
    assert finder.find(definition) is None
    for text in ("", "x", "0", "-1", "99999999999999999999"):
        file.write_text(text)
        assert finder.find(definition) is None, text
    own = spawn()
    file.write_text(f" {own.pid}\nand more\n")
    assert finder.find(definition).pid == own.pid


@pytest.mark.timeout(10)
def test_a_pid_file_that_is_a_pipe_holds_nobody_up(tmp_path):
    os.mkfifo(tmp_path / "pid")
    assert Finder({}, "/nowhere").find(pump(pidfile=str(tmp_path / "pid"))) is None


def test_a_zombie_is_nobody(tmp_path, spawn):
    own = spawn()
    (tmp_path / "pid").write_text(str(own.pid))
    own.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, own.pid, os.WEXITED | os.WNOWAIT)
    assert Finder({}, "/nowhere").find(pump(pidfile=str(tmp_path / "pid"))) is None


def test_where_the_unit_has_processes_the_file_must_name_one_of_them(tmp_path, spawn, group):
    own, other = spawn(), spawn()
    (tmp_path / "pid").write_text(str(other.pid))
    definition = pump(pidfile=str(tmp_path / "pid"), service="pump")
    assert group(own.pid).find(definition) is None
    assert group(own.pid, other.pid).find(definition).pid == other.pid
    assert (
        group().find(definition).pid == other.pid
    )  # it has none, or is elsewhere: the file counts


def test_of_a_unit_the_head_is_found_and_kept_while_it_lives(spawn, group):
    head = spawn("sh", "-c", "sleep 100 & echo $!; wait")
    child = int(head.stdout.readline())
    definition = pump(service="pump")
    finder = group(child, head.pid)
    assert finder.find(definition).pid == head.pid
    head.kill()
    head.wait()
    assert finder.find(definition).pid == child  # what is left of it
    os.kill(child, signal.SIGKILL)
    group()
    assert finder.find(definition) is None


def test_a_unit_that_delegates_has_its_processes_below(spawn, group):
    own = spawn()
    assert group(own.pid, below="payload").find(pump(service="pump")).pid == own.pid


@pytest.mark.parametrize(
    ("said", "units", "place"),
    [
        ({"service": "pump"}, {}, "system.slice/pump.service"),
        ({"service": "p"}, {"p": "log-x@eu.service"},
         "system.slice/system-log\\x2dx.slice/log-x@eu.service"),
        ({"service": "pump", "cgroup": "own.slice/pump.service"}, {}, "own.slice/pump.service"),
    ],
)  # fmt: skip
def test_a_unit_is_where_systemd_puts_it_or_its_file_says(tmp_path, spawn, said, units, place):
    own = spawn()
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "cgroup.procs").write_text(f"{own.pid}\n")
    assert Finder(units, str(tmp_path)).find(pump(**said)).pid == own.pid


def test_a_pid_file_that_was_written_anew_is_read_again(tmp_path, spawn):
    file = tmp_path / "pid"
    finder, definition = Finder({}, "/nowhere"), pump(pidfile=str(file))
    first, second = spawn(), spawn()
    file.write_text(str(first.pid))
    assert [finder.find(definition).pid for _ in range(3)] == [first.pid] * 3
    file.write_text(f"{second.pid}\n")
    assert finder.find(definition).pid == second.pid
    found = finder.find(definition)
    finder.gone("pump", found)
    assert finder.find(definition) is None, "it has ended, and its file is of before"


def test_of_a_pid_file_that_is_as_it_was_the_unit_is_still_looked_at_now_and_then(
    tmp_path, spawn, group
):
    file, own, other = tmp_path / "pid", spawn(), spawn()
    file.write_text(str(own.pid))
    finder, definition = group(own.pid), pump(pidfile=str(file), service="pump")
    assert finder.find(definition).pid == own.pid
    group(other.pid)
    assert [finder.find(definition) is None for _ in range(SAME_MAX + 1)][-1]
