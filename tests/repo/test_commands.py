"""How the long commands (bench, prove) end when they are told to, and what they do not take."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS / "support"))

import command  # noqa: E402 - found there
from parts import chosen  # noqa: E402 - found there

# Its child holds the pipe open: whoever reads to the end of it knows that both are gone.
CODE = """
import signal, subprocess, sys, time
import command
def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    child = subprocess.Popen(["sleep", "600"])
    try:
        print("begun", flush=True)
        while child.poll() is None:  # a wait is not woken by what came just before it
            time.sleep(0.01)
        return 0
    except KeyboardInterrupt:
        child.kill()
        raise
sys.exit(command.run(main))
"""


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, command.EXIT_TERMINATED), (signal.SIGINT, command.EXIT_INTERRUPTED)],
)
def test_a_command_that_is_told_to_end_takes_what_it_started_with_it(number, status):
    with subprocess.Popen(
        [sys.executable, "-c", CODE],
        cwd=TESTS / "support",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        _, told = process.communicate(timeout=25)
    assert process.returncode == status
    assert "Traceback" not in told


def test_what_has_not_begun_when_the_caller_gives_up_never_does():
    begun = []

    def work(item):
        begun.append(item)
        time.sleep(0.05)

    results = command.at_once(2, work, range(1_000))
    next(results)
    with pytest.raises(KeyboardInterrupt):
        results.throw(KeyboardInterrupt())
    assert len(begun) < 1_000


def test_what_is_done_at_once_is_all_done():
    assert sorted(command.at_once(2, abs, range(-5, 0))) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("ha", ["ha"]),
        ("ha_", ["ha_real"]),
        ("h", ["ha", "ha_real", "handshakes"]),
        ("", ["ha", "ha_real", "handshakes", "sim"]),
        ("x", []),
    ],
)
def test_the_part_of_exactly_a_name_is_run_alone(word, parts):
    assert chosen(["ha", "ha_real", "handshakes", "sim"], word) == parts


@pytest.mark.parametrize(
    ("folder", "options", "told"),
    [
        ("prove", ["--share", "0"], "0 is not a share"),
        ("prove", ["--share", "1.5"], "1.5 is not a share"),
        ("prove", ["--share", "nan"], "nan is not a share"),
        (
            "prove",
            ["-k", "no-such-part"],
            "cert, clock, config, disk, flood, fuzz, ha, ha_real, halts, handshakes, host",
        ),
        ("bench", ["-k", "no-such-part"], "agent, alarm"),
        ("bench", ["--qui"], "unrecognized arguments"),  # it would be quick in name only
    ],
)
def test_a_wrong_option_is_named_and_nothing_runs(folder, options, told):
    done = subprocess.run(
        [sys.executable, str(TESTS / folder / "run.py"), *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=25,
    )
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.parametrize(("folder", "prefix"), [("bench", "measure"), ("prove", "prove")])
def test_every_part_can_be_begun(folder, prefix):
    code = (
        f"import importlib, run\nfor part in run.PARTS: importlib.import_module('{prefix}_' + part)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=TESTS / folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
