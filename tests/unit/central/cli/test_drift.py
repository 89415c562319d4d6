"""``roost drift``: what differs is listed, and adopted by a file that people look at."""

import json

import pytest

HOSTILE = "=cmd|' /C calc'!A0\x1b[31m"
AT = "2026-11-22T10:00:00.000Z"
ROW = {
    "node": "a.n1", "site": "a", "setting": "time.servers", "wanted": '["ntp1"]', "found": HOSTILE,
    "at": AT,
}  # fmt: skip
DRAFT = {
    "profile": "adopted-a-n1", "file": "adopted-a-n1.toml", "source": '[profile]\nname = "x"\n',
    "taken": ["time.servers"], "left": [{"setting": "dns.search", "why": "it is not there"}],
}  # fmt: skip


@pytest.fixture(autouse=True)
def answers(centre):
    centre.more |= {
        "/api/v1/drift": {"items": [ROW], "next": None},
        "/api/v1/nodes/a.n1/drift:adopt": DRAFT,
    }
    return centre.more


def test_what_differs_is_listed_and_may_end_a_check(run, answers):
    code, out, _ = run("drift", "list", "--site", "a")
    assert code == 0
    assert out.splitlines()[1].split("\t")[:3] == ["a.n1", "time.servers", '["ntp1"]']
    assert "\x1b" not in out
    assert run("drift", "list", "--exit-code")[0] == 8
    answers["/api/v1/drift"] = {"items": [], "next": None}
    code, _, err = run("drift", "list", "--exit-code")
    assert (code, err) == (0, "No node tells of a setting that differs.\n")


def test_a_draft_is_printed_or_written_and_what_is_left_is_told(run, centre, tmp_path):
    code, out, err = run("drift", "adopt", "a.n1", "time.servers")
    assert (code, out) == (0, DRAFT["source"])
    assert err == "not adopted: dns.search: it is not there\n"
    assert json.loads(centre.seen[-1][3]) == {"settings": ["time.servers"]}
    path = tmp_path / "a.toml"
    assert run("drift", "adopt", "a.n1", "--out", str(path))[0] == 0
    assert path.read_text() == DRAFT["source"]
    assert run("drift", "adopt", "a.n1", "--out", str(path))[0] != 0
