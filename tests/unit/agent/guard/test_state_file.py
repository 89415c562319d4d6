import json
import os

import pytest

from roost_agent.guard.core import ARMED, STOPPING, Arm
from roost_agent.guard.state_file import Kept, load, save

HOLD = Arm("main", 5, 1, 2, 3, ("/g/main",), (("10.0.0.9/24", "eth0"),), is_hard=True)
STICKY = Arm("pair", 7, None, None, None)


def test_what_is_saved_is_loaded(tmp_path):
    file = str(tmp_path / "state")
    holds = ((HOLD, STOPPING), (STICKY, ARMED))
    save(file, "boot", holds, {"old": 3})
    assert load(file, "boot") == Kept(holds, {"old": 3})
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600


def test_a_write_that_is_cut_short_is_gone_on_with(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, raw: write(fd, bytes(raw)[:10]))
    file = str(tmp_path / "state")
    save(file, "boot", [(HOLD, ARMED)], {"old": 3})
    assert load(file, "boot") == Kept(((HOLD, ARMED),), {"old": 3})


def test_the_state_of_another_boot_counts_for_nothing(tmp_path):
    file = str(tmp_path / "state")
    save(file, "boot", [(HOLD, ARMED)], {})
    assert load(file, "other") == Kept(why_not="the state is of another boot")


def test_no_state_is_no_fault(tmp_path):
    assert load(str(tmp_path / "state"), "boot") == Kept()


ROW = ["main", 5, 1, 2, 3, [], [], False, "armed"]


@pytest.mark.parametrize(
    "holds",
    [
        {"a": 1},
        [ROW[:-1]],
        [[*ROW[:-1], "dreaming"]],
        [[*ROW[:4], None, *ROW[5:]]],  # a deadline is missing: it would never come
        [[*ROW[:4], "x", *ROW[5:]]],
    ],
)
def test_a_state_that_makes_no_sense_is_not_believed(tmp_path, holds):
    (tmp_path / "state").write_text(json.dumps({"boot_id": "boot", "holds": holds, "ended": {}}))
    kept = load(str(tmp_path / "state"), "boot")
    assert kept.holds == ()
    assert kept.why_not.startswith("the state cannot be read")


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"boot_id"', b"\xff"])
def test_a_torn_state_is_not_believed(tmp_path, raw):
    (tmp_path / "state").write_bytes(raw)
    assert load(str(tmp_path / "state"), "boot").why_not
