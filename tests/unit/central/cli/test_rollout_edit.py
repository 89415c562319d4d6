"""``roost rollout edit``: what it does to sites and signatures is told."""

import json

import pytest

ID = "b" * 32
ONE = f"/api/v1/rollouts/{ID}"


@pytest.fixture
def plan(centre, tmp_path):
    file = tmp_path / "plan.toml"
    file.write_text("name = 'x'\n")
    centre.more[ONE] = {
        "id": ID, "name": "x", "state": "awaiting_approval", "rev": 4, "sites": 9,
        "approvals": [{"operator": "olga"}, {"operator": "olga"}],
    }  # fmt: skip
    return str(file)


def test_the_state_that_was_read_is_said_and_void_signatures_are_told(run, centre, plan):
    code, out, _ = run("rollout", "edit", ID, plan, "--expect", "9", "-m", "a name")
    assert code == 0
    assert "1 approvals are void" in out
    [(_, _, _, body, _)] = [each for each in centre.seen if each[0] == "PUT"]
    assert json.loads(body) == {"plan": "name = 'x'\n", "rev": 4, "expect": 9, "reason": "a name"}


def test_a_file_that_is_no_text_is_not_sent(run, centre, plan, tmp_path):
    (tmp_path / "plan.toml").write_bytes(b"\xff")
    assert run("rollout", "edit", ID, plan)[0] != 0
    assert not [each for each in centre.seen if each[0] == "PUT"]
