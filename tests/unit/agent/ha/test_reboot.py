"""Every command here is a script of the test's own that writes a file; nothing else can be run."""

import time

import pytest

from roost_agent.ha.reboot import FILE, HOUR_MS, Reboot
from roost_agent.ha_node import reboot_command


class Clock:
    def __init__(self):
        self.ms = 10 * 24 * HOUR_MS

    def wall_ms(self):
        return self.ms


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def done(tmp_path):
    """The file that the script writes."""
    return tmp_path / "rebooted"


@pytest.fixture
def script(tmp_path, done):
    file = tmp_path / "script"
    file.write_text(f'#!/bin/sh\necho "$@" >> {done}\n')
    file.chmod(0o755)
    return file


@pytest.fixture
def node(tmp_path, clock, script):
    return Reboot(tmp_path, clock, (str(script), "now"), sync=lambda: None)


async def test_a_reboot_is_counted_and_then_done(node, tmp_path, done):
    assert await node.now("db failed") == ""
    assert done.read_text() == "now\n"
    assert (tmp_path / FILE).exists()


async def test_three_in_an_hour_are_enough(node, done, clock):
    for _ in range(3):
        assert await node.now("x") == ""
    assert await node.now("db failed") == "no reboot for db failed: 3 within 1 h already"
    assert len(done.read_text().splitlines()) == 3
    clock.ms += HOUR_MS
    assert await node.now("x") == ""


async def test_six_in_a_day_are_enough(node, clock):
    for _ in range(6):
        assert await node.now("x") == ""
        clock.ms += HOUR_MS
    assert await node.now("x") == "no reboot for x: 6 within 24 h already"
    clock.ms += 18 * HOUR_MS
    assert await node.now("x") == ""


async def test_a_clock_that_was_set_back_forgets_nothing(node, clock):
    for _ in range(3):
        assert await node.now("x") == ""
    clock.ms -= 4_000 * 24 * HOUR_MS
    assert "already" in await node.now("x")
    clock.ms += HOUR_MS  # and not for eleven years
    assert await node.now("x") == ""


@pytest.mark.parametrize("text", ["", "7", "[[]]", '["x"]'])
async def test_a_count_that_cannot_be_read_is_a_full_one(node, tmp_path, text):
    (tmp_path / FILE).write_text(text)
    assert "already" in await node.now("x")


async def test_what_cannot_be_counted_is_not_done(tmp_path, clock, script, done):
    (tmp_path / "file").write_text("")
    node = Reboot(tmp_path / "file", clock, (str(script),), sync=lambda: None)
    assert "no reboot for x" in await node.now("x")
    assert not done.exists()


async def test_without_a_command_nothing_is_done_nor_counted(tmp_path, clock):
    node = Reboot(tmp_path, clock, (), sync=lambda: None)
    assert await node.now("x") == "no reboot for x: no unit of this agent says how"
    assert not (tmp_path / FILE).exists()


async def test_a_command_that_fails_or_is_not_there_is_told(tmp_path, clock):
    node = Reboot(tmp_path, clock, ("/bin/false",), sync=lambda: None)
    assert await node.now("x") == "no reboot for x: /bin/false: exit status 1"
    node = Reboot(tmp_path, clock, ("/no/such",), sync=lambda: None)
    assert await node.now("x") == "no reboot for x: /no/such: No such file or directory"


async def test_a_disk_that_hangs_is_not_waited_for(tmp_path, clock, script, done, monkeypatch):
    monkeypatch.setattr("roost_agent.ha.reboot.SYNC_S", 0.01)
    node = Reboot(tmp_path, clock, (str(script),), sync=lambda: time.sleep(0.5))
    assert await node.now("x") == ""
    assert done.exists()


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({}, ()),
        ({"ROOST_HA_REBOOT": "/bin/x now"}, ()),
        ({"INVOCATION_ID": "7"}, ()),
        ({"INVOCATION_ID": "7", "ROOST_HA_REBOOT": "/bin/x now"}, ("/bin/x", "now")),
    ],
)
def test_only_a_unit_that_says_how_can_reboot(env, words):
    assert reboot_command(env) == words
