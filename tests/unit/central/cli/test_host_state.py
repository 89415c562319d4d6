"""``roost host list|show|history|evidence``."""

import json

import pytest

ISO = "2026-11-22T10:00:00.000Z"
HOST = {
    "node": "a.n1", "site": "a", "presence": "online", "admin": "unlocked", "oper": "enabled",
    "avail": "degraded", "last": None, "task": "", "reasons": [
        {"reason": "process", "since": ISO, "age_s": 60.0}
    ], "since": ISO, "cause": "pump failed", "coordinator": "a.n2", "epoch": 8, "as_of": ISO,
    "age_s": 4.0, "boot_id": "00", "uptime_s": 90, "maintenance_until": None, "is_mnfa": False,
    "is_dead_office": False,
}  # fmt: skip
UNSPOKEN = HOST | dict.fromkeys(
    ("admin", "oper", "avail", "since", "coordinator", "epoch", "as_of", "age_s")
) | {"node": "a.n3", "reasons": [], "cause": ""}  # fmt: skip
LAST = {"admin": "locked", "oper": "disabled", "avail": "online"}
MOVE = {
    "at": ISO, "received": ISO, "was": LAST, "admin": "unlocked", "oper": "disabled",
    "avail": "intest", "cause": "unlock by ann", "task": "", "coordinator": "a.n2", "epoch": 8,
}  # fmt: skip
PATH = "/api/v1/nodes/a.n1/host"


@pytest.fixture
def answers(centre):
    centre.more |= {
        "/api/v1/hosts": {"items": [HOST, UNSPOKEN], "next": None},
        PATH: HOST,
        f"{PATH}/history": {"items": [MOVE, MOVE | {"was": None}], "next": None},
        f"{PATH}/evidence": {
            "node": "a.n1", "coordinator": "a.n2", "as_of": ISO, "age_s": 4.0, "next": None,
            "items": [{"at": ISO, "node": "n1", "path": "lan", "text": "lost"}],
        },
    }  # fmt: skip
    return centre.more


@pytest.mark.usefixtures("answers")
def test_a_list_has_the_triple_and_why_it_is_degraded(run):
    _, out, _ = run("host", "list")
    head, first, second = out.splitlines()
    assert head.split("\t")[:4] == ["NODE", "ADMIN", "OPER", "AVAIL"]
    assert [*first.split("\t")[1:4], first.split("\t")[5]] == [
        "unlocked", "enabled", "degraded", "process",
    ]  # fmt: skip
    assert second.startswith("a.n3\t")


@pytest.mark.usefixtures("answers")
def test_one_host_is_told_in_sentences(run):
    _, out, _ = run("host", "show", "a.n1")
    assert out.splitlines()[0] == "a.n1: unlocked enabled degraded, presence online"
    assert "pump failed" in out
    assert "degraded by process for 1 m" in out
    assert "by a.n2, epoch 8" in out


def test_of_a_dark_site_the_last_state_stands_apart(run, answers):
    answers[PATH] = HOST | {"oper": "unknown", "avail": "unknown", "last": LAST}
    _, out, _ = run("host", "show", "a.n1")
    assert "unlocked unknown unknown" in out
    assert "nobody of its site is heard; it was locked disabled online" in out


def test_a_host_that_nobody_spoke_of_is_told_so(run, answers):
    answers[PATH] = UNSPOKEN
    assert "no coordinator of its site has spoken of it yet" in run("host", "show", "a.n1")[1]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("is_mnfa", "none of them is failed"),
        ("is_dead_office", "powered up a moment ago"),
    ],
)
def test_what_a_site_is_in_stands_at_each_of_its_hosts(run, answers, field, words):
    answers[PATH] = HOST | {field: True, "task": "t", "maintenance_until": ISO}
    _, out, _ = run("host", "show", "a.n1")
    assert words in out
    assert "in maintenance until" in out
    assert "task: t" in out


@pytest.mark.usefixtures("answers")
def test_a_history_has_both_ends_of_each_transition(run):
    _, out, _ = run("host", "history", "a.n1")
    _, first, second = (line.split("\t") for line in out.splitlines())
    assert first[1:4] == ["locked disabled online", "unlocked disabled intest", "unlock by ann"]
    assert second[1] == "-"


def test_evidence_is_shown_or_said_to_be_missing(run, answers):
    assert "lan\tlost" in run("host", "evidence", "a.n1")[1]
    answers[f"{PATH}/evidence"] = {"coordinator": None, "items": []}
    assert "no coordinator has told" in run("host", "evidence", "a.n1")[1]


@pytest.mark.usefixtures("answers")
def test_programs_see_everything(run):
    code, out, _ = run("host", "show", "a.n1", "-o", "json")
    assert (code, json.loads(out)) == (0, HOST)
