"""Installers that hang, lie, shout and die: whatever they do is an answer."""

import json
import time
from pathlib import Path

import pytest
from waiting import wait_until

from roost_agent.install.contract import BYTES_MAX, Exit, call

FAKE = """#!/bin/sh
case $1 in
verify) cat ;;
stage) echo '{"text": "kept", "more": [1]}'; exit 4 ;;
precheck) echo 'not now' >&2; exit 3 ;;
describe) exit 1 ;;
install) echo 'no room' >&2; exit 2 ;;
activate) kill -KILL $$ ;;
commit) echo 'lies'; exit 0 ;;
list) head -c 100000 /dev/zero; sleep 60 ;;
cleanup) echo '{}'; echo bad >&2; exit 77 ;;
rollback) sleep 60 & echo $! >%s; exec sleep 60 ;;
verify-rollback) (sleep 60 & echo $! >%s) ; echo '{}' ;;
esac
"""


@pytest.fixture
def fake(tmp_path):
    program = tmp_path / "fake"
    program.write_text(FAKE % (tmp_path / "left", tmp_path / "behind"))
    program.chmod(0o755)
    return (str(program),)


@pytest.mark.parametrize(
    ("verb", "exit_", "text"),
    [
        ("stage", Exit.REBOOT, "kept"),
        ("precheck", Exit.LATER, "precheck: not now"),
        ("describe", Exit.UNSUPPORTED, "describe: unsupported"),
        ("install", Exit.FAILED, "install: no room"),
        ("activate", Exit.FAILED, "activate: signal 9"),
        ("commit", Exit.FAILED, "commit: what it said is no JSON object"),
        ("cleanup", Exit.FAILED, "cleanup: exit status 77: bad"),
    ],
)
def test_however_an_installer_ends_it_is_told(fake, verb, exit_, text):
    answer = call(fake, verb, {})
    assert (answer.exit, answer.text) == (exit_, text)
    assert answer.is_ok is (verb == "stage")


def test_an_installer_gets_what_is_asked_and_what_it_says_is_kept(fake):
    answer = call(fake, "verify", {"digest": "0a"})
    assert answer.said == {"verb": "verify", "digest": "0a"}
    assert call(fake, "stage", {}).said["more"] == [1]
    assert call(fake, "verify", {"much": "x" * BYTES_MAX}).text.endswith("bound 65536")
    assert json.dumps(answer.said)


def test_one_that_says_too_much_is_killed(fake):
    began = time.monotonic()
    assert (
        call(fake, "list", {}).text == f"list: it said more than {BYTES_MAX} bytes, and was killed"
    )
    assert time.monotonic() - began < 30


def test_one_that_hangs_is_killed_with_all_its_processes(fake, tmp_path):
    answer = call(fake, "rollback", {}, seconds=0.5)
    assert answer.text == "rollback: not done within 0 s, so it was killed"
    wait_until(lambda: not is_alive(tmp_path / "left"), "what it started is gone")


def test_what_is_left_behind_is_killed_and_holds_nobody_up(fake, tmp_path):
    began = time.monotonic()
    assert call(fake, "verify-rollback", {}).is_ok
    assert time.monotonic() - began < 30
    wait_until(lambda: not is_alive(tmp_path / "behind"), "what it left is gone")


def test_one_that_is_not_there_is_told(tmp_path):
    assert "No such file" in call((str(tmp_path / "none"),), "stage", {}).text


def is_alive(file):
    """Whether a process runs, and is no zombie that waits for whoever reaps here."""
    try:
        return Path(f"/proc/{int(file.read_text())}/stat").read_text().split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
