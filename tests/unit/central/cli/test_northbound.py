"""``roost northbound``: the targets, what was given up, a test of one."""

import json

import pytest

HOSTILE = "=cmd|' /C calc'!A0\x1b[31m\x00<b>\u202e"
ISO = "2026-11-22T10:00:00.000Z"
TARGET = {
    "name": "noc1",
    "kind": "webhook",
    "address": "https://noc.example",
    "state": "unreachable",
    "queue": 1_234,
    "cursor": 9,
    "sent": 10,
    "failures": 3,
    "last_error": HOSTILE + "x" * 100,
    "worked": ISO,
    "dead_letters": 1,
    "disabled": "",
}
LETTER = {"target": "noc1", "at": ISO, "seq": 7, "error": "HTTP 422", "body": HOSTILE}


@pytest.fixture
def north(centre, monkeypatch):
    """The centre's answers for the noun; a test of ``noc1`` answers as ``told``."""
    told = {"delivered": True, "error": ""}
    route = centre.route

    def answer(self, path, params):
        if path == "/api/v1/northbound":
            return 200, {"targets": [TARGET], "dead_letters": [LETTER]}
        if path == "/api/v1/northbound/noc1:test":
            return 200, told
        return route(self, path, params)

    monkeypatch.setattr(centre, "route", answer)
    return told


def test_the_targets_are_listed_with_their_trouble_cut(run, north):
    code, out, _ = run("northbound", "list")
    assert code == 0
    row = out.splitlines()[1]
    for part in ("noc1", "webhook", "unreachable", "1234"):
        assert part in row.replace(",", "")
    assert "\x1b" not in out
    assert json.loads(run("northbound", "list", "-o", "json")[1])[0]["last_error"].endswith("x")


def test_an_old_error_of_a_target_that_works_again_is_no_trouble(run, north, monkeypatch):
    monkeypatch.setitem(TARGET, "failures", 0)
    heading, row = run("northbound", "list", "-o", "csv")[1].splitlines()
    assert dict(zip(heading.split(","), row.split(","), strict=True))["trouble"] == ""


def test_what_was_given_up_is_listed(run, north):
    code, out, _ = run("northbound", "letters", "-o", "ndjson")
    assert (code, json.loads(out)["seq"]) == (0, 7)


def test_a_test_that_fails_is_a_check_that_failed(run, north, centre):
    assert run("northbound", "test", "noc1")[:2] == (0, "noc1 took the test message\n")
    north |= {"delivered": False, "error": "timed out"}
    code, out, _ = run("northbound", "test", "noc1")
    assert (code, out) == (8, "")
    method, path, *_ = centre.seen[-1]
    assert (method, path) == ("POST", "/api/v1/northbound/noc1:test")


def test_a_target_that_is_not_there_is_said_so(run, centre):
    assert run("northbound", "test", "no/such")[0] == 3
    assert centre.seen[-1][1] == "/api/v1/northbound/no%2Fsuch:test"
