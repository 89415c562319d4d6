"""``roost host lock|unlock|...``: what is in the way is told before anything is asked for."""

import json

import click
import pytest

from roost_central.cli import host_act, main, order
from roost_central.hosts.actions import ACTIONS

PATH = "/api/v1/nodes/a.n1"
ISO = "2026-11-22T10:00:00.000Z"
BLOCKER = {
    "code": "last-active", "text": "n1 is the last active of web: n2 is locked",
    "todo": "make another host able to take it first", "can_force": True,
}  # fmt: skip
EFFECT = {"kind": "stops", "text": "web (nginx) stops: no other host can take it", "services": []}
ORDER = {
    "id": "ab" * 16, "node": "a.n1", "verb": "host-lock", "given": {"node": "n1"}, "reason": "fan",
    "state": "ready", "code": "", "text": "", "by": "ada", "by_two": False, "approved_by": "",
    "placed": ISO, "not_after": ISO, "changed": ISO, "sent": None, "sends": 0, "taken": None,
    "ended": None,
}  # fmt: skip
HOST = {
    "node": "a.n1", "admin": "locked", "oper": "disabled", "avail": "online", "task": "stopping",
}  # fmt: skip


def found(name, **said):
    base = {
        "action": name, "title": ACTIONS[name].title, "allowed": True, "forcible": True,
        "needs_confirm": False, "receiver": "a.n1", "blockers": [], "effects": [],
    }  # fmt: skip
    return base | said


@pytest.fixture
def answers(centre):
    acts = [found(name) for name in ACTIONS]
    acts[0] = found("lock", allowed=False, blockers=[BLOCKER], effects=[EFFECT])
    acts[1]["needs_confirm"] = True
    page = {"node": "a.n1", "admin": "unlocked", "oper": "enabled", "avail": "available",
            "generation": 3, "items": acts, "next": None}  # fmt: skip
    answer = {"node": "a.n1", "action": "", "order": ORDER, "forced": [], "effects": [], "ended": 0}
    centre.more |= {f"{PATH}/host/actions": page, f"{PATH}/host": HOST}
    centre.more |= {f"{PATH}/host:{name}": answer | {"action": name} for name in ACTIONS}
    centre.more[f"/api/v1/orders/{ORDER['id']}"] = ORDER | {"state": "done", "text": "it is"}
    return centre.more


def bodies(centre):
    return [json.loads(body) for method, _, _, body, _ in centre.seen if method == "POST"]


@pytest.mark.usefixtures("answers")
def test_what_is_in_the_way_is_told_with_what_to_do_and_what_force_would_break(run, centre, capsys):
    assert run("host", "lock", "a.n1", "-m", "fan")[0] == 5
    err = capsys.readouterr().err
    assert BLOCKER["text"] in err
    assert BLOCKER["todo"] in err
    assert "--force goes past it" in err
    assert EFFECT["text"] in err
    assert bodies(centre) == []


@pytest.mark.usefixtures("answers")
def test_force_asks_for_the_name_and_nothing_else_will_do(run, centre, capsys):
    code, _, _ = run("host", "lock", "a.n1", "-m", "fan", "--force", input="a.n2\n")
    assert (code, bodies(centre)) == (2, [])
    assert "nothing was done" in capsys.readouterr().err
    code, out, _ = run("host", "lock", "a.n1", "-m", "fan", "--force", input="a.n1\n")
    assert code == 0
    assert "host-lock" in out
    [body] = bodies(centre)
    assert (body["force"], body["confirm"], body["expect"]) == (
        True, "a.n1",
        {"admin": "unlocked", "oper": "enabled", "avail": "available", "generation": 3},
    )  # fmt: skip


@pytest.mark.usefixtures("answers")
def test_what_is_always_confirmed_is_not_asked_where_somebody_said_yes(run, centre):
    assert run("host", "force-lock", "a.n1", "-m", "fan", "-y")[0] == 0
    assert [body["confirm"] for body in bodies(centre)] == ["a.n1"]


@pytest.mark.usefixtures("answers")
def test_a_maintenance_has_its_time_and_zero_ends_it(run, centre):
    run("host", "maintenance", "a.n1", "-m", "fan", "--for", "10m")
    run("host", "maintenance", "a.n1", "-m", "fan", "--for", "0")
    assert [body["seconds"] for body in bodies(centre)] == [600, 0]


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize(
    ("span", "told"), [("73h", "--for 73h: at most 72h"), ("5", "'5' is no length of time")]
)
def test_a_maintenance_of_a_wrong_length_is_refused_in_its_own_words(
    run, centre, capsys, span, told
):
    assert run("host", "maintenance", "a.n1", "-m", "fan", "--for", span)[0] == 2
    assert told in capsys.readouterr().err
    assert bodies(centre) == []


def test_who_waits_sees_how_the_host_stands_and_the_exit_code_says_how_it_ended(run, answers):
    code, out, err = run("host", "swact", "a.n1", "-m", "fan", "--wait")
    assert (code, "done" in out) == (0, True)
    assert "a.n1: locked disabled online, stopping" in err
    answers[f"/api/v1/orders/{ORDER['id']}"] = ORDER | {"state": "failed", "text": "n2 is not up"}
    assert run("host", "swact", "a.n1", "-m", "fan", "--wait")[0] == 8


@pytest.mark.parametrize("action", ["reset", "power-cycle", "power-on"])
def test_who_waits_for_a_board_s_act_waits_for_the_boot_as_well(run, answers, action, monkeypatch):
    answers[f"{PATH}/host"] = HOST | {"boot_id": "aa"}

    def boots(_seconds):
        order = answers[f"/api/v1/orders/{ORDER['id']}"]
        assert order["state"] == "done"
        answers[f"{PATH}/host"] = HOST | {"boot_id": "bb"}

    monkeypatch.setattr(host_act.time, "sleep", boots)
    code, _, err = run("host", action, "a.n1", "-m", "fan", "--wait")
    assert (code, err.splitlines()[-1]) == (0, "a.n1 has booted")
    monkeypatch.setattr(host_act, "BOOT_S", 0.05)
    code, _, err = run("host", action, "a.n1", "-m", "fan", "--wait")
    assert (code, "not heard with another boot" in err) == (8, True)


def test_a_dry_run_says_that_nothing_is_in_the_way(run, answers):
    answers[f"{PATH}/host:unlock"] |= {"order": None}
    code, out, _ = run("host", "unlock", "a.n1", "-m", "fan", "--dry-run")
    assert (code, out) == (0, "unlock of a.n1: nothing is in the way\n")


def test_a_host_that_is_deleted_is_said_with_what_ended(run, answers):
    answers[f"{PATH}/host:delete"] |= {"order": None, "ended": 2}
    assert run("host", "delete", "a.n1", "-m", "fan")[1].endswith("2 certificates revoked\n")


@pytest.mark.usefixtures("answers")
def test_all_actions_are_listed_with_what_is_in_their_way(run):
    _, out, _ = run("host", "actions", "a.n1")
    rows = [line.split("\t") for line in out.splitlines()[1:]]
    assert [row[0] for row in rows] == list(ACTIONS)
    assert rows[0][1:3] == ["by --force", BLOCKER["text"]]
    assert rows[1][1:3] == ["yes", "-"]


def test_a_question_that_nobody_is_there_for_is_answered_with_what_to_say(monkeypatch, capsys):
    def aborts(**_):
        raise click.Abort

    monkeypatch.setattr(main.roost, "main", aborts)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 130
    assert "-y, it says yes" in capsys.readouterr().err


def test_a_reinstall_says_which_image_and_what_it_waits_for(run, centre, answers):
    acts = answers[f"{PATH}/host/actions"]["items"]
    next(each for each in acts if each["action"] == "reinstall")["needs_confirm"] = True
    placed = ORDER | {"verb": "host-reinstall", "state": "pending", "by_two": True}
    answers[f"{PATH}/host:reinstall"] |= {"order": placed}
    assert run("host", "reinstall", "a.n1", "-m", "x", "-y")[0] != 0, "no image"
    words = ("host", "reinstall", "a.n1", "--image", "os@2", "-m", "x", "-y", "--wait")
    code, _, err = run(*words)
    assert (code, "waits for a second person" in err) == (0, True)
    [body] = bodies(centre)
    assert (body["image"], body["confirm"], body["force"]) == ("os@2", "a.n1", False)
    begun = placed | {"state": "taken", "code": "awaits-box", "text": "n1 was started with os 2"}
    assert order.waits_for(begun) == "waits for its box: n1 was started with os 2"
