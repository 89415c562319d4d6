"""The loop over folders that look like cgroups; tests/integration/guard has the kernel's own."""

import json
from pathlib import Path

import pytest

from roost_agent.guard import cgroup
from roost_agent.guard.core import ARMED, Arm, Deadlines
from roost_agent.guard.hardware import machine
from roost_agent.guard.lag import WAITS_MIN
from roost_agent.guard.loop import IDLE_MS, RETRY_MS, Loop, Setting
from roost_agent.guard.watchdog import Watchdog

HOLD = Arm("main", 5, 4_000, 5_000, 6_000)


class Device:
    def __init__(self, says=2):
        self.says = says
        self.heard = ""

    def set_timeout(self, seconds):
        return self.says

    def identity(self):
        if self.says == 1:
            raise OSError(25, "Inappropriate ioctl for device")
        return "dog 1"

    def feed(self):
        self.heard += "."

    def close(self, *, stop):
        self.heard += "V" if stop else "x"


class Stage:
    """A loop with a clock that is set by hand."""

    def __init__(self, folder, device=None, holds=()):
        self.now_ms = 0
        self.lines = []
        self.root = folder / "exclusive"
        self.root.mkdir()
        self.device = device
        self.slices = folder / "roost-ha.slice"
        self.setting = Setting(
            str(self.root), str(folder / "state"), "boot", 6_000, 100, slices=str(self.slices)
        )
        core = Deadlines(6_000, holds, has_watchdog=device is not None)
        watchdog = Watchdog("dog" if device else "", 2, lambda path: device)
        self.loop = Loop(self.setting, core, watchdog, lambda: self.now_ms, self.lines.append)

    def group(self, name, populated, root=None):
        folder = (root or self.root) / name
        folder.mkdir(exist_ok=True, parents=True)
        (folder / "cgroup.freeze").touch()
        (folder / "cgroup.kill").touch()
        (folder / "cgroup.procs").touch()
        self.populate(folder, populated)
        return str(folder)

    def populate(self, name, populated):
        (self.root / name / "cgroup.events").write_text(f"populated {populated}\n")

    def killed(self, name):
        return (self.root / name / "cgroup.kill").read_text() == "1"

    def is_frozen(self, name):
        return {"1": True, "0": False, "": None}[(self.root / name / "cgroup.freeze").read_text()]

    def ask(self, do, **fields):
        return json.loads(self.loop.answer(json.dumps({"do": do, **fields}).encode()))

    def turn(self, now_ms):
        self.now_ms = now_ms
        return self.loop.turn()


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


def armed(stage, **more):
    group = stage.group("main", 1)
    times = {"d1_ms": 4_000, "d2_ms": 5_000, "d3_ms": 6_000}
    return stage.ask("arm", lease="main", epoch=5, cgroups=[group], **times, **more)


def test_a_kill_is_repeated_until_the_group_is_empty(stage):
    assert armed(stage) == {"ok": True, "watchdog_ms": 0}
    assert stage.turn(4_000) == 100
    assert not stage.killed("main")
    assert stage.turn(5_000) <= RETRY_MS
    assert stage.killed("main")
    assert stage.ask("state")["holds"][0]["stage"] == "killing"
    stage.populate("main", 0)
    stage.turn(5_010)
    assert stage.ask("state")["ended"] == {"main": 5}
    assert stage.turn(5_020) == IDLE_MS
    assert [line.partition(": ")[2] for line in stage.lines] == [
        "past D1, told to end",
        "past D2, killed",
        "has stopped",
    ]


def test_a_disarm_is_refused_while_the_group_is_populated(stage):
    armed(stage)
    assert stage.ask("disarm", lease="main", epoch=5)["error"] == "runs"
    stage.populate("main", 0)
    assert stage.ask("disarm", lease="main", epoch=5)["ok"]


def test_what_has_no_hold_is_swept(stage):
    armed(stage)
    stage.group("stray", 1)
    stage.group("done", 0)
    stage.turn(0)
    assert stage.killed("stray")
    assert not stage.killed("main")
    assert not stage.killed("done")


def test_slices_of_systemd_are_guarded_and_swept_like_our_own_folder(stage):
    group = stage.group("roost-ha-main.slice", 1, stage.slices)
    stray = stage.group("roost-ha-stray.slice", 1, stage.slices)
    times = {"d1_ms": 4_000, "d2_ms": 5_000, "d3_ms": 6_000}
    assert stage.ask("arm", lease="main", epoch=5, cgroups=[group], **times)["ok"]
    assert stage.ask("state")["slices"] == str(stage.slices)
    stage.turn(0)
    assert stage.killed(stray)
    assert not stage.killed(group)
    stage.turn(5_000)
    assert stage.killed(group)


def test_a_group_is_open_while_it_is_held_and_shut_from_its_deadline_on(stage):
    group = stage.group("main", 0)
    stage.turn(0)
    assert stage.is_frozen("main")
    assert armed(stage)["ok"]
    assert stage.is_frozen("main") is False
    stage.turn(5_000)
    assert stage.is_frozen("main")
    stage.populate(group, 0)
    stage.turn(5_010)
    stage.turn(7_000)
    assert stage.is_frozen("main")


def test_a_group_that_is_disarmed_is_shut_before_it_counts_as_empty(stage):
    armed(stage)
    stage.populate("main", 0)
    assert stage.ask("disarm", lease="main", epoch=5)["ok"]
    assert stage.is_frozen("main")


def test_what_came_in_while_a_group_was_shut_keeps_it_held(stage, monkeypatch):
    armed(stage)
    looks = iter([True, False])
    monkeypatch.setattr(cgroup, "is_empty", lambda group: next(looks))
    assert stage.ask("disarm", lease="main", epoch=5)["error"] == "runs"
    assert stage.is_frozen("main") is False


def test_a_group_that_cannot_be_shut_is_told_once(stage):
    group = stage.group("main", 0)
    Path(group, "cgroup.freeze").unlink()
    stage.turn(0)
    stage.turn(2_000)
    assert stage.lines == [f"{group}/cgroup.freeze: No such file or directory"]


def test_an_answer_is_no_until_the_state_is_written(stage):
    (stage.root.parent / "state").mkdir()  # a file cannot take its place
    assert armed(stage)["error"] == "state"


def test_what_is_no_request_is_answered(stage):
    assert stage.ask("pray")["error"] == "bad"
    assert stage.ask("stopping", lease="main", epoch=1)["error"] == "epoch"
    assert stage.ask("arm", lease="m", epoch=1, cgroups=["/other"])["error"] == "cgroup"


def test_the_watchdog_is_fed_until_d3(tmp_path):
    device = Device()
    stage = Stage(tmp_path, device)
    assert armed(stage, hard=True) == {"ok": True, "watchdog_ms": 2_000}
    for now_ms in range(500, 6_000, 500):
        stage.turn(now_ms)
    fed = device.heard
    assert len(fed) == 12  # its start test is one
    for now_ms in range(6_000, 9_000, 500):
        stage.turn(now_ms)
    assert device.heard == fed
    stage.populate("main", 0)
    stage.turn(9_000)
    stage.turn(9_500)
    assert len(device.heard) > len(fed)  # it has stopped: the node may live


def test_a_resumed_hold_is_acted_on_before_anything_is_read(tmp_path):
    stage = Stage(tmp_path, holds=[(HOLD._replace(cgroups=(str(tmp_path / "gone"),)), ARMED)])
    assert not stage.loop.is_free
    stage.turn(9_000)
    assert stage.loop.is_free


def test_the_guard_measures_how_late_it_wakes(stage):
    wait_ms = stage.turn(0)
    for _ in range(WAITS_MIN - 1):
        assert stage.ask("state")["lag_ms"] is None
        stage.turn(stage.now_ms + 1)  # a packet came: no wait was over
        wait_ms = stage.turn(stage.now_ms + wait_ms + 4)
    stage.turn(stage.now_ms + wait_ms + 4)
    assert stage.ask("state")["lag_ms"] == 4


def test_a_kill_is_measured_only_while_nothing_is_held(stage):
    stage.loop.try_kill("/folder", lambda folder, now_ms: 7)
    assert stage.ask("state")["kill_ms"] == 7
    armed(stage)
    stage.loop.try_kill("/folder", lambda folder, now_ms: 9)
    assert stage.ask("state")["kill_ms"] == 7


def test_a_watchdog_that_is_to_bite_gets_nothing_until_its_time_was_over(tmp_path):
    device = Device()
    stage = Stage(tmp_path, device)
    stage.turn(1_000)
    fed = device.heard
    assert stage.ask("bite")["ok"]
    for now_ms in range(1_500, 5_000, 500):
        stage.turn(now_ms)
        assert stage.ask("state")["bite"] == "biting"
    assert device.heard == fed
    stage.turn(5_000)
    stage.turn(5_500)
    assert len(device.heard) > len(fed), "it did not bite, and is fed again"
    said = stage.ask("state")
    assert (said["bite"], said["watchdog_ms"]) == ("missed", 0)
    assert said["watchdog"] == "it was fed no more and did not bite in its time"
    assert [line for line in stage.lines if "fed no more" in line]


def test_what_is_held_keeps_the_watchdog_from_being_tried(tmp_path):
    stage = Stage(tmp_path, Device())
    armed(stage)
    assert stage.ask("bite")["error"] == "held"
    assert stage.ask("state")["bite"] == ""


def test_a_device_says_its_name_if_its_driver_knows_it():
    assert Watchdog("dog", 2, lambda path: Device()).identity == "dog 1"
    assert Watchdog("dog", 2, lambda path: Device(1)).identity == ""


def test_a_machine_is_known_by_what_its_firmware_says(tmp_path):
    (tmp_path / "maker").write_bytes(b"ACME \xff\n")
    (tmp_path / "serial").write_bytes(b"4711\x00")
    files = tuple(str(tmp_path / name) for name in ("maker", "none", "serial"))
    assert machine(files) == "ACME, 4711"


@pytest.mark.parametrize("says", [0, 3, 60])
def test_a_device_that_would_bite_late_is_stopped_and_not_used(says):
    device = Device(says)
    watchdog = Watchdog("dog", 2, lambda path: device)
    assert watchdog.timeout_ms == 0
    assert watchdog.why_not == f"dog: set to 2 s, it says {says}"
    assert device.heard == ".V"
    assert watchdog.feed() == ""
    assert watchdog.feed_ms is None


def test_a_device_that_is_not_there_is_told(tmp_path):
    assert Watchdog(str(tmp_path / "dog"), 2).why_not.endswith("dog: No such file or directory")
    (tmp_path / "dog").touch()  # no watchdog takes this ioctl
    assert "Inappropriate ioctl" in Watchdog(str(tmp_path / "dog"), 2).why_not


def test_a_closed_device_bites_unless_it_is_stopped():
    for stop, heard in ((True, ".V"), (False, ".x")):
        device = Device()
        watchdog = Watchdog("dog", 2, lambda path, device=device: device)
        watchdog.close(stop=stop)
        watchdog.close(stop=stop)
        assert device.heard == heard
