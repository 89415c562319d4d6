"""``roost change``: how far a change has come, and the words that move it."""

import json

import pytest

HOSTILE = "=cmd|' /C calc'!A0\x1b[31m"
AT = "2026-11-22T10:00:00.000Z"
COUNTS = {
    "in_sync": 1, "pending": 0, "applying": 0, "failed": 1, "unable": 0, "none": 0, "total": 2,
    "held": 0, "pending_reboot": 0, "drifted": 0,
}  # fmt: skip
CHANGE = {
    "id": "5c2f", "state": "stopped", "why": "nodes: 1 failed; at most 0 may", "made": AT,
    "changed": AT, "by": "ann", "reason": HOSTILE, "profiles": ["fleet", "r4"], "group": 1,
    "groups": [2, 7], "stage_began": AT, "synced": None, "soak_s": 600, "wait_s": 3600,
    "failed_max": 0,
}  # fmt: skip
DETAIL = CHANGE | {
    "stages": [
        {"group": 1, "sites": 2, "nodes": 2, "turn": "now", "counts": COUNTS},
        {"group": 2, "sites": 7, "nodes": 9, "turn": "later", "counts": None},
    ],
    "failed": [{"node": "a.n1", "why": HOSTILE}],
}


@pytest.fixture(autouse=True)
def answers(centre):
    moves = {
        f"/api/v1/changes/5c2f/{move}": DETAIL for move in ("pause", "resume", "abort", "roll-back")
    }
    centre.more |= moves | {
        "/api/v1/changes": {"items": [CHANGE], "next": None},
        "/api/v1/changes/5c2f": DETAIL,
    }
    return centre.more


def test_changes_are_listed_with_whose_turn_it_is(run):
    code, out, _ = run("change", "list")
    assert code == 0
    assert out.splitlines()[1].split("\t")[:4] == ["5c2f", "stopped", "1 of 2", "fleet, r4"]


def test_a_change_is_shown_with_its_groups_and_who_failed_and_what_can_be_done(run, answers):
    code, out, _ = run("change", "show", "5c2f")
    assert code == 0
    assert [line.split("\t")[:5] for line in out.splitlines()[4:6]] == [
        ["1", "now", "2", "2", "1"], ["2", "later", "7", "9", "-"],
    ]  # fmt: skip
    assert "a.n1: " in out
    assert "roost change resume 5c2f" in out
    assert "\x1b" not in out
    for state, said in (("running", "not in sync yet"), ("aborted", "until it is undone")):
        answers["/api/v1/changes/5c2f"] = DETAIL | {"state": state}
        assert said in run("change", "show", "5c2f")[1]
    answers["/api/v1/changes/5c2f"] = DETAIL | {"state": "running", "synced": AT}
    assert "after 600 s" in run("change", "show", "5c2f")[1]
    answers["/api/v1/changes/5c2f"] = DETAIL | {"state": "done", "failed": []}
    assert run("change", "show", "5c2f")[1].count("roost") == 0
    assert json.loads(run("change", "show", "5c2f", "-o", "json")[1])["groups"] == [2, 7]


@pytest.mark.parametrize("move", ["pause", "resume", "abort", "roll-back"])
def test_each_move_carries_why(run, centre, move):
    assert run("change", move, "5c2f", "-m", "mine")[0] == 0
    assert json.loads(centre.seen[-1][3]) == {"reason": "mine"}
