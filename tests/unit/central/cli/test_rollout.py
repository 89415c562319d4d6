"""``roost rollout`` as its reader meets it: how far, what failed and what helps, what is next."""

import json

import pytest

from roost_central.cli import rollout_text

ID = "5c2f11d0" + "a" * 24
ONE = f"/api/v1/rollouts/{ID}"
ISO = "2026-11-22T10:00:00.000Z"
WAVE = {
    "wave": 1, "name": "canary", "state": "passed", "why": "", "since": ISO, "sites": 5,
    "states": {"succeeded": 5}, "failures": {}, "succeeded": 5, "failed": 0, "in_flight": 0,
    "unreachable": 0, "worse": 0, "went_back": 0, "soaked_s": 16, "soak_s": 15, "rate": 0.0,
    "deadline": None,
}  # fmt: skip
RUNNING = WAVE | {
    "wave": 2, "name": "rest", "state": "releasing", "sites": 1_200, "succeeded": 7, "in_flight": 3,
    "states": {"succeeded": 7, "queued": 1_190}, "soaked_s": 0, "rate": 1_015.0, "deadline": ISO,
}  # fmt: skip
FOUND = {
    "id": ID, "kind": "release", "name": "pump 1.2.0",
    "component": "app/pump", "version": "1.2.0", "digest": "1" * 64,
    "state": "running", "pause": None, "why": "", "made": ISO, "changed": ISO, "by": "ann",
    "reason": "ticket 7", "sites": 1_205, "wave": 2, "waves": 2, "approvers": 0, "approvals": [],
    "stages": [WAVE, RUNNING],
}  # fmt: skip
HALTED = FOUND | {
    "state": "paused", "pause": "health_gate", "why": "2 health: 2 failed, at most 0 may",
    "stages": [WAVE, RUNNING | {"state": "failed", "failed": 2, "failures": {"health": 2}}],
}  # fmt: skip
GROUP = {
    "failure": "health", "reason": "new alarm 200.006", "count": 2, "sites": ["s1", "s2"],
    "remedy": "look at a site's alarms, then roll back", "went_back": False,
}  # fmt: skip


@pytest.fixture
def shown(run, centre):
    """What `show` says of a rollout."""

    def show(found, *words, group=GROUP):
        centre.more |= {ONE: found, f"{ONE}/failures": {"items": [group], "next": None}}
        code, out, err = run("rollout", "show", ID, *words)
        assert code == 0, err
        return out

    return show


def test_a_rollout_says_how_far_it_is_since_when_and_how_to_follow_it(shown):
    out = shown(FOUND)
    assert out.startswith("rollout 5c2f11d0  pump 1.2.0: app/pump 1.2.0\nrunning\n12 of ")
    assert "12 of 1,205 sites have it, 0 failed, 3 at work\n" in out
    assert "made 2026-11-22 10:00:00Z (" in out
    assert " ago) by ann, 'ticket 7'\n" in out
    assert (
        "wave 2 (rest) is releasing, 1,015 sites a minute at most, until 2026-11-22 10:00:00Z at"
        in out
    )
    assert "roost rollout watch 5c2f11d0;" in out
    assert "roost rollout failures" not in out
    assert "2026-11-22 12:00:00+0200" not in out
    assert "until 2026-11-22 11:00:00+0100 at the latest" in shown(FOUND, "--tz", "Europe/Berlin")


def test_a_wave_that_offers_no_more_says_no_rate_and_one_without_a_name_is_named_once(shown):
    now = RUNNING | {"state": "soaking", "name": "wave 2"}
    out = shown(FOUND | {"stages": [WAVE, now]})
    assert "\nwave 2 is soaking, until " in out


def test_sites_that_put_it_off_are_told_and_where_their_reasons_are(shown):
    states = RUNNING["states"] | {"rejected": 2}
    out = shown(FOUND | {"stages": [WAVE, RUNNING | {"states": states}]})
    assert "3 at work, 2 put off\n" in out
    again = (
        "2 sites put it off and will be asked again: roost rollout jobs 5c2f11d0 --state rejected"
    )
    assert again in out
    assert "put it off" not in shown(FOUND)


def test_a_rollout_that_halted_names_the_reasons_what_helps_and_the_ways_on(shown):
    out = shown(HALTED)
    assert "paused (health_gate): 2 health: 2 failed, at most 0 may; last change " in out
    assert "2 sites failed, health: new alarm 200.006 (s1, s2)\n  look at a site's alarms" in out
    assert "roost rollout resume 5c2f11d0 --retry (or --skip)" in out
    assert 'roost rollout rollback 5c2f11d0 -m "WHY"' in out


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("scheduled", "begin: roost rollout start 5c2f11d0\n"),
        ("rolling_back", "watch 5c2f11d0\n"),
        ("aborted", 'send it back: roost rollout rollback 5c2f11d0 -m "WHY"\n'),
        ("rolled_back", "roost rollout jobs 5c2f11d0\n"),
        ("completed", "ticket 7"),
    ],
)
def test_each_state_says_what_is_next(shown, state, said):
    assert said in shown(FOUND | {"state": state})


def test_of_profiles_an_aborted_rollout_offers_no_way_back(shown):
    assert "rollback" not in shown(FOUND | {"state": "aborted", "kind": "profile"})


def test_who_was_back_by_itself_is_no_failure_of_a_rollout_that_went_back(shown, run, centre):
    back = FOUND | {
        "state": "rolled_back",
        "stages": [
            WAVE
            | {
                "succeeded": 4,
                "went_back": 1,
                "states": {"succeeded": 4, "rolled_back": 1},
            },
            RUNNING
            | {
                "state": "pending",
                "succeeded": 0,
                "in_flight": 0,
                "states": {"canceled": 1_200},
            },
        ],
    }
    alone = GROUP | {"count": 1, "failure": "install", "remedy": "nothing", "went_back": True}
    out = shown(back, group=alone)
    assert "4 of 5 touched sites went back, 1 by itself before, 0 failed, 0 at work\n" in out
    assert "ARE BACK" in out
    assert "HAVE IT" not in out
    assert "\t4 of 5\t" in out
    assert (
        "\t0 of 0\t" in out
    )  # 1,200 sites that were never offered it have nothing to go back from
    assert "1 site went back by itself, install: new alarm 200.006 (s1, s2)\n" in out
    code, out, _ = run("rollout", "failures", ID)
    assert code == 0
    assert "install, went back" in out


def test_failures_are_a_table_with_what_helps_below_and_nothing_else_for_a_program(run, shown):
    shown(HALTED)
    _, out, _ = run("rollout", "failures", ID)
    assert out.endswith("\nhealth: look at a site's alarms, then roll back\n")
    assert run("rollout", "failures", ID, "-o", "csv")[1].count("\n") == 2


def test_failures_with_a_code_name_step_nodes_and_what_helps_against_it(run, centre):
    typed = {
        "failure": "verify", "step": "verify", "nodes": ["s1.n2"], "sites": ["s1"], "count": 1,
        "went_back": False,
    }  # fmt: skip
    groups = [
        typed | {"code": code, "reason": f"{code} is wrong", "remedy": f"mend {code}"}
        for code in ("hardware", "expired")
    ]
    centre.more |= {f"{ONE}/failures": {"items": groups, "next": None}}
    _, out, _ = run("rollout", "failures", ID)
    assert "verify hardware" in out
    assert "s1.n2" in out
    assert out.endswith("\nverify hardware: mend hardware\nverify expired: mend expired\n")


def test_none_is_said_beside_the_data(run, centre):
    centre.more |= {f"{ONE}/failures": {"items": [], "next": None}}
    centre.more |= {f"{ONE}/jobs": {"items": [], "next": None}}
    assert run("rollout", "failures", ID)[1:] == ("", "no site of it failed\n")
    code, out, err = run("rollout", "jobs", ID, "--state", "failed")
    assert (code, out) == (0, "")
    assert "lists all" in err


def test_a_list_shows_short_ids_to_people_and_whole_ones_to_programs(run, centre):
    centre.more |= {"/api/v1/rollouts": {"items": [FOUND], "next": None}}
    assert ID in run("rollout", "list")[1]  # a pipe
    assert run("rollout", "list", "-o", "name")[1] == f"{ID}\n"


def test_a_list_counts_sites_and_says_where_nobody_kept_that(run, centre):
    counts = {"done": 12, "at_work": 3, "failed": 1, "silent": 0, "waiting": 1_189, "apart": 0}
    rows = [FOUND | {"counts": counts}, FOUND | {"counts": None}]
    centre.more |= {"/api/v1/rollouts": {"items": rows, "next": None}}
    head, first, second = run("rollout", "list")[1].splitlines()
    assert "DONE\tAT WORK\tFAILED\tSILENT\tWAITING" in head
    assert "\t12\t3\t1\t0\t1189\t" in first
    assert "\t-\t-\t-\t-\t-\t" in second
    assert rollout_text.done(rows[0]) == "12 of 1,205"
    assert rollout_text.done(rows[1]) == "? of 1,205"


def test_sites_that_are_measured_say_what_is_waited_for(shown):
    states = {"succeeded": 7, "verifying": 2, "soaking": 1, "queued": 1_190}
    out = shown(FOUND | {"stages": [WAVE, RUNNING | {"states": states, "left_s": 21}]})
    assert (
        "2 sites verifying (clean beats with the release), 1 site soaking (no new alarm may come); "
        "the next is through in 21 s\n"
    ) in out


def test_a_site_says_how_long_it_waits_and_that_it_never_had_the_release():
    row = {"state": "verifying", "detail": "waits for 3 clean beats", "left_s": 21}
    assert rollout_text.detail(row) == "waits for 3 clean beats, 21 s left"
    again = {"state": "failed", "detail": "no route", "left_s": 840, "never_had": True}
    assert rollout_text.detail(again) == "no route, again in 14 min"
    assert rollout_text.stands(again) == "failed, never had it"


def test_watch_has_no_flag_that_does_nothing(run, centre):
    centre.more |= {ONE: FOUND | {"state": "completed"}}
    assert run("rollout", "watch", ID, "-w")[0] != 0


def test_a_rollout_that_is_not_there_is_told_with_where_they_stand(run, centre, capsys):
    centre.missing[f"{ONE}/failures"] = f"there is no rollout '{ID}'"
    code, *_ = run("rollout", "failures", ID)
    assert code != 0
    assert "roost rollout list" in capsys.readouterr().err


def test_a_dry_run_ends_with_the_command_that_makes_it(run, centre, tmp_path):
    plan = tmp_path / "pump.toml"
    plan.write_text("name = 'x'\n")
    wave = {
        "wave": 1, "name": "rest", "sites": 1, "first": ["s1"], "begins_s": [0, 0],
        "ends_s": [90, 7_200], "bytes_wan": 2_048, "current": 0, "exposed": 0, "exposed_first": [],
        "blockers": {"alarm 200.801": 1},
    }  # fmt: skip
    found = {
        "name": "pump", "component": "app/pump", "version": "1.2.0", "digest": "1" * 64,
        "plan_digest": "2" * 64, "sites": 1, "nodes": 3, "bytes_wan": 2_048, "approvers": 0,
        "waves": [wave], "uncovered": [], "refusals": [], "sections": [], "unable": 0,
        "kind": "release",
    }  # fmt: skip
    centre.more |= {"/api/v1/rollouts:plan": found}
    code, out, _ = run("rollout", "plan", str(plan))
    assert code == 0
    head = "pump: app/pump 1.2.0 for 1 site with 3 nodes, 2.0 KiB over their WANs; nobody has to"
    assert out.startswith(head)
    assert "at once\t2 min to 2.0 h" in out
    assert "wave 1: 1 site held back: alarm 200.801\n" in out
    assert out.endswith(f"make it: roost rollout create {plan} --expect 1\n")
    centre.more |= {"/api/v1/rollouts:plan": found | {"refusals": ["release is retracted"]}}
    code, out, _ = run("rollout", "plan", str(plan))
    assert code == 8
    assert out.endswith("refused: release is retracted\n")


def test_a_plan_of_profiles_goes_with_their_files_and_tells_what_changes(
    run, centre, tmp_path, capsys
):
    plan = tmp_path / "ntp.toml"
    plan.write_text("name = 'x'\nprofiles = ['p.toml']\n")
    assert run("rollout", "plan", str(plan))[0] != 0
    assert "p.toml: cannot be read" in capsys.readouterr().err
    (tmp_path / "p.toml").write_text("[profile]\n")
    section = {"section": "time", "settings": 1, "nodes": 3, "sites": 2, "mark": "restart-service",
               "affects_service": True}  # fmt: skip
    found = {
        "name": "x", "kind": "profile", "component": "profile", "version": "p", "digest": "1" * 64,
        "plan_digest": "2" * 64, "sites": 2, "nodes": 3, "bytes_wan": 30, "approvers": 0,
        "waves": [], "uncovered": [], "refusals": [], "sections": [section], "unable": 1,
    }  # fmt: skip
    centre.more |= {"/api/v1/rollouts:plan": found}
    code, out, _ = run("rollout", "plan", str(plan))
    assert code == 0
    assert json.loads(centre.seen[-1][3])["files"] == [{"file": "p.toml", "source": "[profile]\n"}]
    assert "time: 1 setting on 3 nodes of 2 sites (affects services: restart-service)" in out
    assert "not waited for: 1 node without settings now" in out


def test_a_rollout_that_is_at_its_end_is_watched_no_longer(run, centre):
    centre.more |= {ONE: FOUND | {"state": "completed"}}
    code, out, _ = run("rollout", "watch", ID)
    assert code == 0
    assert out.count("rollout 5c2f11d0  pump 1.2.0") == 1


def test_a_pipe_that_watches_is_told_what_changed_and_not_that_time_passed():
    later = FOUND | {"changed": "2026-11-22T10:09:00.000Z"}
    later["stages"] = [WAVE, RUNNING | {"soaked_s": 9, "rate": 16.0, "left_s": 5}]
    assert rollout_text.news(later) == rollout_text.news(FOUND)
    later["stages"] = [WAVE, RUNNING | {"succeeded": 8}]
    assert rollout_text.news(later) != rollout_text.news(FOUND)
