"""The command runs as a process of its own: it lowers its own limits for good."""

import json
import os
import pty
import subprocess
import sys

import msgspec
import pytest

RUN = "import sys; from roost_agent.discovery.command import run; sys.exit(run(sys.argv[1:]))"
CONFINED = """
import os, psutil, resource, sys
from roost_agent.discovery.command import run
run(sys.argv[1:])
for name in (resource.RLIMIT_CPU, resource.RLIMIT_NOFILE):
    print(resource.getrlimit(name), file=sys.stderr)
print(os.nice(0), file=sys.stderr)
print(int(psutil.Process().ionice().ioclass), file=sys.stderr)
"""
STUCK = """
import queue, sys
from roost_agent.discovery.command import run
from roost_agent.discovery.registry import PROBES
from roost_agent.discovery.runner import Deadlines
PROBES["cpu"] = lambda reader: queue.SimpleQueue().get()
sys.exit(run(sys.argv[1:], deadlines=Deadlines(class_ms=100)))
"""


def probe(*argv, code=RUN, **options):
    return subprocess.run(
        [sys.executable, "-c", code, *argv],
        capture_output=True,
        timeout=25,
        check=False,
        **options,
    )


@pytest.fixture
def machine(tree):
    tree.plant({"proc/meminfo": "MemTotal:       16384 kB\nSwapTotal:          0 kB"})
    return tree.root


def test_the_agent_gets_messagepack(machine):
    done = probe("memory", "--msgpack", "--root", machine)
    assert done.returncode == 0
    document = msgspec.msgpack.decode(done.stdout)
    assert document["v"] == 1
    assert list(document["sections"]) == ["memory"]
    assert document["sections"]["memory"]["items"]["memory"]["total_bytes"] == 16384 << 10


def test_json_has_the_same_document(machine):
    document = json.loads(probe("memory", "--json", "--root", machine).stdout)
    assert document["sections"]["memory"]["items"]["memory"]["swap_bytes"] == 0


def test_a_pipe_gets_text_as_a_terminal_does(machine):
    done = probe("memory", "--root", machine)
    assert b"total_bytes  16 MiB" in done.stdout


def test_a_terminal_gets_text(machine):
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-c", RUN, "memory", "--root", machine]
    with subprocess.Popen(argv, stdout=theirs, stderr=subprocess.PIPE) as child:
        os.close(theirs)
        output = os.read(ours, 4096)
        assert child.wait(timeout=25) == 0
    os.close(ours)
    assert b"total_bytes  16 MiB" in output


def test_an_unknown_class_gets_a_suggestion():
    done = probe("memroy")
    assert done.returncode == 2
    assert b"no class 'memroy', did you mean 'memory'?" in done.stderr


def test_a_root_that_is_not_there_is_an_error(tmp_path):
    done = probe("--root", tmp_path / "none")
    assert done.returncode == 2
    assert b"No such file or directory" in done.stderr


def test_a_reader_that_went_away_is_no_traceback(machine):
    with open(os.devnull, "rb") as closed:  # noqa: PTH123 - a descriptor that cannot be written
        done = subprocess.run(
            [sys.executable, "-c", RUN, "memory", "--root", machine],
            stdout=closed,
            stderr=subprocess.PIPE,
            timeout=25,
            check=False,
        )
    assert done.returncode == 1
    assert b"cannot write" in done.stderr
    assert b"Traceback" not in done.stderr


def test_the_process_confines_itself():
    done = probe("memory", code=CONFINED)
    nice = str(min(os.nice(0) + 10, 19)).encode()  # on top of what the tests themselves run under
    assert done.stderr.split(b"\n") == [b"(20, 20)", b"(256, 256)", nice, b"3", b""]


def test_a_thread_that_hangs_does_not_hold_the_process(machine):
    done = probe("cpu", "memory", "--msgpack", "--root", machine, code=STUCK)
    assert done.returncode == 0
    sections = msgspec.msgpack.decode(done.stdout)["sections"]
    assert sections["cpu"]["missing"] == {"*": "timeout"}
    assert sections["memory"]["items"]
