"""``roost profile`` and ``roost node desired``: files to the centre, plans and faults to people."""

import json

import pytest

from roost_central.cli import profile

HOSTILE = "=cmd|' /C calc'!A0\x1b[31m\x00<b>\u202e"
AT = "2026-11-22T10:00:00.000Z"
GOOD = '[profile]\nname = "fleet"\nfleet = true\n[time]\nservers = ["ntp1"]\n'
BAD = '[profile]\nname = "bad"\nselect = "regoin:r1"\n[time]\nserver = 1\n'
PROFILE = {
    "name": "fleet", "layer": "fleet", "target": "", "priority": 100, "text": HOSTILE,
    "file": "f.toml", "revision": 3, "by": "ann", "at": AT, "settings": 1, "nodes": 4, "fault": "",
}  # fmt: skip
PLAN = {
    "outcomes": {"fleet": "created"}, "matched": {"fleet": 4}, "changed": 4, "groups_left": 2,
    "unchecked": 1, "unable": 3, "faults": [],
    "groups": [
        {"nodes": 4, "examples": ["a.n1", HOSTILE], "mark": "restart-service",
         "changes": [{"path": "time.servers", "old": None, "new": ["ntp1"], "profile": "fleet",
                      "mark": "restart-service"}]},
    ],
}  # fmt: skip
FAULT = {
    "file": "f.toml", "line": 5, "where": "time.servers", "code": "conflict", "detail": "differ",
    "nodes": 7, "examples": ["a.n1", "a.n2"],
}  # fmt: skip
DESIRED = {
    "node": "a.n1", "generation": 2, "digest": "00", "since": AT, "by": "ann", "reason": "why",
    "fault": "", "sections": {"time": {"servers": ["ntp1"]}},
    "settings": [
        {"path": "time.servers", "value": ["ntp1"], "profile": "fleet", "mark": "restart-service",
         "found": "[]"}
    ],
    "reported": {
        "config": "failed", "why": HOSTILE, "held_by": "", "applied_generation": 1,
        "applied_digest": "00", "pending_reboot": True, "drift": 1, "as_of": AT, "order": "5c",
        "outcome": "failed", "told": AT, "tries": 2,
        "report": {
            "at": AT, "received": AT, "generation": 2, "state": "rolled-back", "code": "",
            "text": "undone", "drift": 1,
            "sections": [{"section": "time", "state": "failed", "reason": "chronyd did not start"}],
        },
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def answers(centre):
    """The centre's answers for these nouns; a test may change them."""
    centre.more |= {
        "/api/v1/profiles": {"items": [PROFILE], "next": None},
        "/api/v1/profiles/fleet": {**PROFILE, "source": GOOD + HOSTILE, "sections": {}},
        "/api/v1/profiles/fleet/revisions": {
            "items": [
                {"revision": 2, "at": AT, "by": "ann", "reason": "over", "source": None},
                {"revision": 1, "at": AT, "by": "ann", "reason": "", "source": GOOD},
            ],
            "next": None,
        },
        "/api/v1/profiles:preview": PLAN,
        "/api/v1/profiles:apply": PLAN,
        "/api/v1/nodes/a.n1/desired": DESIRED,
        "/api/v1/nodes/a.n1/desired/generations": {
            "items": [{"generation": 2, "at": AT, "by": "ann", "reason": "why"}], "next": None
        },
    }  # fmt: skip
    return centre.more


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/b.toml").write_text(GOOD.replace('"fleet"', '"b"'))
    (tmp_path / "profiles/a.toml").write_text(GOOD)
    (tmp_path / "profiles/notes.txt").write_text("no profile")
    return tmp_path / "profiles"


def test_files_are_checked_without_a_centre_as_compilers_do(run, centre, folder):
    code, out, err = run("profile", "check", str(folder))
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"{folder}/a.toml: fleet: for the fleet"
    (folder / "c.toml").write_text(BAD)
    code, _, err = run("profile", "check", str(folder))
    assert code == 8
    assert f"{folder}/c.toml:3: profile.select:" in err
    assert f"{folder}/c.toml:5: time.server: " in err
    assert "did you mean servers?" in err
    assert centre.seen == []


def test_two_files_of_one_name_do_not_pass_a_check(run, folder):
    (folder / "c.toml").write_text(GOOD)
    code, _, err = run("profile", "check", str(folder))
    assert code == 8
    assert f"{folder}/c.toml: profile.name: 'fleet' is the name in {folder}/a.toml as well" in err


def test_a_file_that_is_no_text_or_too_long_hides_no_fault_of_the_others(run, folder):
    (folder / "c.toml").write_text(BAD)
    (folder / "d.toml").write_bytes(b"a = 1\nb = \xff\n")
    code, _, err = run("profile", "check", str(folder), "/dev/zero")
    assert code == 8
    assert f"{folder}/d.toml:2: is no UTF-8: byte 0xff" in err
    assert "/dev/zero: is longer than 65536 bytes" in err
    assert f"{folder}/c.toml:5: time.server: " in err


def test_a_check_of_nothing_is_no_success(run, tmp_path, capsys):
    for args in ((), (str(tmp_path),)):
        assert run("profile", "check", *args)[0] == 2
        assert "no file" in capsys.readouterr().err


def test_a_folder_is_sent_in_order_and_the_plan_is_told(run, centre, folder):
    code, out, _ = run("profile", "preview", str(folder), "--remove", "old")
    assert code == 0
    sent = json.loads(centre.seen[-1][3])
    assert [each["file"] for each in sent["files"]] == [f"{folder}/a.toml", f"{folder}/b.toml"]
    assert (sent["files"][0]["source"], sent["remove"]) == (GOOD, ["old"])
    assert "created    fleet, for 4 nodes\n4 nodes would change\n" in out
    assert 'time.servers: not set -> ["ntp1"]  (fleet, restart-service)' in out
    assert "and 2 smaller groups more" in out
    assert "1 node without an inventory" in out
    assert "3 nodes of these cannot be told: " in out
    assert "\x1b" not in out


@pytest.mark.parametrize(("count", "said"), [(1, "1 node changes"), (2, "2 nodes change")])
def test_a_verb_agrees_with_the_number_of_nodes(count, said):
    none = {"outcomes": {}, "matched": {}, "groups": [], "changed": count}
    assert next(profile._told(none, "change")) == said
    assert next(profile._told(none, "would change")).endswith(" would change")


def test_what_is_wrong_with_a_plan_is_told_and_ends_with_its_code(run, answers, folder):
    answers["/api/v1/profiles:preview"] = {**PLAN, "faults": [FAULT]}
    code, _, err = run("profile", "preview", str(folder))
    assert code == 8
    assert err == "f.toml:5: time.servers: differ (7 nodes: a.n1, a.n2, ...)\n"


def test_a_change_carries_why_and_how_many(run, centre, folder):
    args = ("profile", "apply", str(folder / "a.toml"), "--reason", "why", "--expect", "4")
    code, out, _ = run(*args)
    assert code == 0
    assert "4 nodes change\n" in out
    sent = json.loads(centre.seen[-1][3])
    assert (sent["reason"], sent["expect"], sent["remove"]) == ("why", 4, [])
    assert json.loads(run(*args, "-o", "json")[1]) == PLAN


def test_profiles_are_taken_away_by_name(run, centre):
    assert run("profile", "remove", "fleet", "--reason", "over")[0] == 0
    assert json.loads(centre.seen[-1][3]) == {"remove": ["fleet"], "reason": "over"}


def test_nothing_is_sent_where_nothing_is_asked(run, centre, tmp_path, capsys):
    assert run("profile", "apply")[0] == 2
    assert "no file" in capsys.readouterr().err
    (tmp_path / "x.toml").write_bytes(b"\xff")
    (tmp_path / "y.toml").write_bytes(b"\xfe")
    assert run("profile", "apply", str(tmp_path))[0] == 2
    told = capsys.readouterr().err
    assert f"{tmp_path}/x.toml:1: is no UTF-8" in told
    assert f"{tmp_path}/y.toml:1: is no UTF-8" in told
    assert centre.seen == []


def test_profiles_are_listed_and_shown_with_hostile_text_made_harmless(run, centre):
    code, out, _ = run("profile", "list")
    assert code == 0
    assert out.splitlines()[1].split("\t")[:4] == ["fleet", "fleet", "-", "4"]
    assert centre.seen[-1][2] == {"count": "true"}
    code, out, _ = run("profile", "show", "fleet")
    assert code == 0
    assert 'servers = ["ntp1"]' in out
    assert "\x1b" not in out
    assert run("profile", "show", "none")[0] == 3
    code, out, _ = run("profile", "show", "fleet", "--history")
    assert [line.split("\t")[3] for line in out.splitlines()[1:]] == ["removed", "applied"]
    assert json.loads(run("profile", "show", "fleet", "-o", "json")[1])["revision"] == 3


def test_what_a_node_should_be_is_shown_with_whose_each_setting_is(run, answers):
    code, out, _ = run("node", "desired", "a.n1")
    assert code == 0
    assert out.startswith("generation 2 since ")
    assert out.splitlines()[-1].split("\t") == [
        "time.servers", '["ntp1"]', "[]", "fleet", "restart-service",
    ]  # fmt: skip
    assert "has generation 1\na setting waits for a reboot" in out
    assert "1 setting changed by other hands" in out
    assert "generation 2 rolled-back, undone\n  time: failed, chronyd did not start\n" in out
    assert "\x1b" not in out
    answers["/api/v1/nodes/a.n1/desired"] = {**DESIRED, "fault": "x: a and b differ"}
    assert (
        "keeps this, for its profiles cannot be followed: x: a" in run("node", "desired", "a.n1")[1]
    )
    answers["/api/v1/nodes/a.n1/desired"] = {**DESIRED, "generation": 0}
    assert run("node", "desired", "a.n1")[1] == "no profile is for a.n1\n"


def test_the_generations_of_a_node_are_listed_and_asked_for(run, centre):
    code, out, _ = run("node", "desired", "a.n1", "--history")
    assert code == 0
    assert out.splitlines()[1].split("\t") == ["2", AT, "ann", "why"]
    assert run("node", "desired", "a.n1", "--generation", "1")[0] == 0
    assert centre.seen[-1][2] == {"generation": "1"}


COUNTS = {
    "in_sync": 1, "pending": 2, "applying": 0, "failed": 1, "unable": 0, "none": 0, "total": 4,
    "held": 2, "pending_reboot": 1, "drifted": 1,
}  # fmt: skip


def test_how_far_nodes_have_come_is_counted_by_profile(run, answers):
    answers["/api/v1/profiles:status"] = {
        "nodes": COUNTS | {"none": 3, "total": 7},
        "profiles": [{"profile": "fleet", "nodes": COUNTS}],
    }  # fmt: skip
    code, out, _ = run("profile", "status")
    assert code == 0
    assert [line.split("\t")[:3] for line in out.splitlines()[1:]] == [
        ["fleet", "4", "1"], ["(fleet)", "7", "1"],
    ]  # fmt: skip
    assert len(run("profile", "status", "fleet")[1].splitlines()) == 2
    assert run("profile", "status", "none")[0] == 3
    assert json.loads(run("profile", "status", "fleet", "-o", "json")[1])["nodes"]["held"] == 2


def test_a_node_is_told_again_with_why(run, centre, answers):
    answers["/api/v1/nodes/a.n1/desired:reapply"] = DESIRED["reported"]
    code, out, err = run("node", "reapply", "a.n1", "-m", "by hand")
    assert (code, json.loads(centre.seen[-1][3])) == (0, {"reason": "by hand"})
    assert out.startswith("failed: ")
    assert "roost node desired a.n1" in err


def test_a_change_says_in_which_waves_it_reaches_its_sites(run, centre, answers, folder, capsys):
    answers["/api/v1/profiles:apply"] = {**PLAN, "rollout": "5c2f", "waves": [1, 3]}
    args = ("profile", "apply", str(folder / "a.toml"), "--groups", "1,rest", "--soak", "10m")
    code, out, _ = run(*args, "--wait-for", "2h", "--max-failed", "3")
    assert code == 0
    sent = json.loads(centre.seen[-1][3])
    assert (sent["groups"], sent["soak_s"], sent["wait_s"], sent["failed_max"]) == (
        "1,rest", 600, 7_200, 3,
    )  # fmt: skip
    assert "rollout 5c2f, in waves of 1, 3 sites: roost rollout watch 5c2f" in out
    assert run(*args, "--at-once")[0] == 2
    assert "without groups" in capsys.readouterr().err
    assert run(*args, "--soak", "0s")[0] == 0
    assert json.loads(centre.seen[-1][3])["soak_s"] == 0  # the next group at once
    assert run("profile", "apply", str(folder / "a.toml"), "--at-once")[0] == 0
    assert json.loads(centre.seen[-1][3])["at_once"] is True
