"""Alarms and incidents as an operator types and reads them."""

import csv
import json

import pytest

from roost_central.cli.counted import counted

HOSTILE = "=cmd|' /C calc'!A0\x1b[31m\x00<b>\u202e"
ISO = "2026-11-22T10:00:00.000Z"
LATER = "2026-11-22T13:00:00.000Z"
COUNTS = {
    "critical": 1, "major": 2, "minor": 0, "warning": 4, "unknown": 31, "shelved": 5, "masked": 0,
    "suppressed": 0, "in_incident": 2, "incidents": 1, "flood": True, "status": "critical",
}  # fmt: skip


def an_alarm(number, **more):
    return {
        "id": f"01K{number}", "key_id": f"{number:016x}", "type": "100.101",
        "name": "node.cpu.high", "entity": f"site=edge-{number},node=n1,cpu", "seq": number,
        "site": f"edge-{number}", "node": f"edge-{number}.n1", "severity": "major",
        "state": "active", "op_state": "none", "flapping": False, "count": 3, "late": False,
        "text": HOSTILE, "repair": "Find what loads it.", "params": {"value": 96}, "reason": "",
        "event_type": "qos", "cause": "threshold-crossed", "raised": ISO, "changed": ISO,
        "cleared": None, "age_s": 61.0, "as_of": ISO, "as_of_age_s": 7200.0, "ack": None,
        "shelf": None, "assignee": None, "ticket": None, "masked_by": "", "suppressed_by": "",
        "incident": "", **more,
    }  # fmt: skip


ALARMS = [
    an_alarm(1, severity="critical", incident="INC-1"),
    an_alarm(2, state="unknown", ack={"by": "jd", "age_s": 5000.0, "note": "seen", "stale": True}),
    an_alarm(3, shelf={"by": "jd", "until": LATER, "reason": "lab"}),
    an_alarm(4, suppressed_by="SU1"),
    an_alarm(5, masked_by="00", flapping=True, late=True),
]
OVER = [an_alarm(1, state="cleared", cleared=LATER, reason="gone", assignee="")]
TIMELINE = [
    {"seq": 9, "at": ISO, "received": LATER, "event": "raise", "actor": "", "severity": "major",
     "state": "active", "text": "CPU", "note": ""},
    {"seq": 10, "at": LATER, "received": LATER, "event": "ack", "actor": "jd",
     "severity": "major", "state": "active", "text": "CPU", "note": "mine"},
]  # fmt: skip
INCIDENT = {
    "id": "INC-1", "state": "open", "severity": "critical", "name": "site.path.down",
    "opened": ISO, "closed": None, "cause": "carrier=carB", "precision": 0.99, "coverage": None,
    "causes": [{"text": "carrier=carB", "precision": 0.99, "covers": 70}],
    "rejected": [{"text": "release=4.2.1", "precision": 0.2, "covers": 11}],
    "sites": 80, "covered": 70, "unexplained": 2, "dark": 3, "recovered": 9,
    "not_back": [f"edge-{n}" for n in range(120)], "alarms": 80,
    "ack": {"by": "jd", "at": ISO, "note": ""}, "mtta_s": 12.0, "mttr_s": None,
    "notes": [{"at": ISO, "by": "jd", "text": HOSTILE}],
}  # fmt: skip
LOAD = {
    "hours": 24, "operators": 2, "stale": 3, "chattering": 2, "fleeting": 1, "mtta_s": 60.0,
    "alarms_per_hour": {"value": 8.4, "good": 6.0, "limit": 12.0, "band": "manageable"},
    "flood_share": {"value": 0.0, "good": 0.0, "limit": 0.02, "band": "good"}, "mttr_s": None,
    "priority": {"critical": 0.1, "major": 0.2, "minor": 0.3, "warning": 0.4},
    "top_types": [{"key": "100.101", "name": "node.cpu.high", "count": 7}],
    "top_sites": [{"key": "edge-1", "name": "edge-1", "count": 5}], "per_hour": [],
}  # fmt: skip
KEPT = {"id": "SH1", "filter": "", "type": "100.101", "alarms": 2, "by": "jd", "reason": "lab",
        "at": ISO, "until": None}  # fmt: skip
GROUP = {"key": "edge-1", "critical": 1, "major": 0, "minor": 0, "warning": 0, "unknown": 0,
         "total": 1}  # fmt: skip
GROUPS = [GROUP, *({**GROUP, "key": word} for word in ("minor", "critical", "major"))]
TYPE = {"type": "100.101", "name": "node.cpu.high", "source": "agent", "default": "major",
        "active": 3, "mgmt_affecting": "major", "degrade_affecting": None,
        "repair": "Look."}  # fmt: skip
GETS = {
    "/api/v1/alarms": {"items": ALARMS, "next": None},
    "/api/v1/alarms/history": {"items": OVER, "next": None},
    "/api/v1/alarms/01K1": {**ALARMS[0], "causes": [ALARMS[1]], "masks": []},
    "/api/v1/alarms/01K1/timeline": {"items": TIMELINE, "next": None},
    "/api/v1/alarms/summary": {"counts": COUNTS, "groups": GROUPS, "seq": 1},
    "/api/v1/alarms/load": LOAD,
    "/api/v1/alarm-types": {"items": [TYPE]},
    "/api/v1/shelves": {"items": [KEPT]},
    "/api/v1/suppressions": {"items": [KEPT]},
    "/api/v1/incidents": {"items": [INCIDENT], "next": None},
    "/api/v1/incidents/INC-1": INCIDENT,
}
MATCHING = 5


def acted(verb, params, body):
    """Answer as the centre does: a number that differs is a conflict, and nothing is done."""
    if "filter" in body and body["expect_count"] != MATCHING:
        bound = {"field": "expect_count", "bound": MATCHING}
        return 409, {"title": "Conflict", "detail": f"{MATCHING} match now", "errors": [bound]}
    keys = body.get("ids") or [row["key_id"] for row in ALARMS]
    results = [
        {"id": "", "key_id": key, "why": "unknown" if key == "nope" else "",
         "outcome": "refused" if key == "nope" else "done"}
        for key in keys
    ]  # fmt: skip
    done = 0 if params.get("dry_run") else sum(row["outcome"] == "done" for row in results)
    return 200, {"matched": len(keys), "changed": done, "results": results}


@pytest.fixture(autouse=True)
def alarms(centre):
    """Let the fake centre know alarms; its other routes stay."""
    others = centre.route

    def route(self, path, params):
        body = self.seen[-1][3]
        if self.command == "POST" and path.startswith("/api/v1/alarms:"):
            return acted(path.rpartition(":")[2], params, json.loads(body))
        if self.command == "POST" and path == "/api/v1/suppressions":
            return 201, {**KEPT, **json.loads(body)}
        if self.command == "POST" and path.startswith("/api/v1/incidents/INC-1:"):
            return 200, INCIDENT
        if self.command == "DELETE":
            return 200, {}
        if self.command == "GET" and path in GETS:
            return 200, GETS[path]
        return others(self, path, params)

    centre.route = route
    return centre


def sent(centre, path):
    """Return the body and the parameters of the last request at a path."""
    found = [row for row in centre.seen if row[1] == path]
    return json.loads(found[-1][3] or b"null"), found[-1][2]


def is_inert(text):
    control = {chr(code) for code in range(32)} - {"\n", "\t", "\r"}
    return not control & set(text) and "\u202e" not in text


@pytest.mark.parametrize("form", ["table", "wide", "json", "yaml", "csv", "ndjson", "name"])
@pytest.mark.parametrize("noun", ["alarm", "incident"])
def test_a_hostile_text_is_inert_in_every_form(run, noun, form):
    code, out, _ = run(noun, "list", "-o", form)
    assert code == 0
    assert is_inert(out)


def test_a_list_says_what_was_done_and_what_may_have_passed(run, monkeypatch):
    monkeypatch.setattr("roost_central.cli.output.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "300")
    out = run("alarm", "list")[1]
    for said in ("unknown (was major)", "acked 1 h 23 m, stale", "last word 2 h 0 m ago",
                 f"shelved until {LATER}", "suppressed", "masked", "flapping, late"):  # fmt: skip
        assert said in out


def test_a_list_passes_its_filter_and_ends_at_its_limit(run, centre):
    code, out, err = run(
        "alarm", "list", "-q", "sev>=major", "--hidden", "--limit", "2", "-o", "name"
    )
    assert (code, out.split()) == (0, [row["key_id"] for row in ALARMS[:2]])
    assert "the first 2 only" in err
    params = sent(centre, "/api/v1/alarms")[1]
    assert (params["filter"], params["hidden"]) == ("sev>=major", "true")


def test_the_history_is_asked_between_two_times(run, centre):
    assert run("alarm", "history", "--since", "24h", "-o", "name")[1].split() == ["1".zfill(16)]
    assert sent(centre, "/api/v1/alarms/history")[1]["since"] == "24h"


def test_what_is_over_says_when_it_ended_how_long_it_stood_and_why(run, monkeypatch):
    assert "raised" not in run("alarm", "history", "-o", "csv")[1].splitlines()[0]
    heading, row = run("alarm", "history")[1].splitlines()
    shown = dict(zip(heading.split("\t"), row.split("\t"), strict=True))
    assert (shown["SEVERITY"], shown["CLEARED"], shown["ENDED BY"]) == ("major", LATER, "gone")
    assert float(shown["STOOD"]) == 3 * 3600
    monkeypatch.setattr("roost_central.cli.output.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "300")
    assert "3 h 0 m" in run("alarm", "history")[1]


def test_a_program_gets_plain_values_of_every_column(run):
    heading, *rows = run("alarm", "list", "-o", "csv")[1].splitlines()
    assert rows
    for row in csv.DictReader([heading, *rows]):
        assert (row["owner"], row["changed"]) == ("", ISO)


def test_one_alarm_is_shown_with_repair_causes_and_what_came_late(run):
    out = run("alarm", "show", "01K1")[1]
    assert "repair     Find what loads it." in out
    assert "may be caused by" in out
    assert "raise major CPU (received 3 h 0 m late)" in out
    assert "ack major mine by jd" in out
    assert is_inert(out)
    assert json.loads(run("alarm", "show", "01K1", "-o", "json")[1])["timeline"] == TIMELINE


@pytest.mark.parametrize(
    ("verb", "says"),
    [
        (("summary", "--by", "site"), "C 1 · M 2 · m 0 · W 4 · 31 unknown · 5 shelved"),
        (("types",), "node.cpu.high"),
        (("load",), "8.4 manageable (good up to 6.0, limit 12.0)"),
        (("load",), "0.0% good (none is good, limit 2.0%)"),
        (("shelves",), "lab"),
        (("suppressions",), "100.101"),
    ],
)
def test_the_other_lists_say_what_they_know(run, verb, says):
    assert says in run("alarm", *verb)[1]
    assert json.loads(run("alarm", *verb, "-o", "json")[1])


def test_severities_are_counted_from_the_worst(run):
    lines = run("alarm", "summary")[1].splitlines()[3:]
    assert [line.split()[0] for line in lines] == ["critical", "major", "minor", "edge-1"]


def test_a_flood_is_named(run):
    assert "FLOOD" in run("alarm", "summary")[1]


def test_an_export_is_what_the_centre_streams(run, centre):
    assert run("alarm", "export", "-o", "ndjson", "--hidden")[0] == 0
    assert centre.seen[-1][4]["Accept"] == "application/x-ndjson"
    assert run("alarm", "export")[0] == 0
    assert centre.seen[-1][4]["Accept"] == "text/csv"
    assert run("alarm", "export", "-o", "yaml")[0] == 2


def test_an_export_between_two_times_is_of_what_was_cleared(run, centre):
    assert run("alarm", "export", "--since", "30d", "-q", "sev=major", "-o", "ndjson")[0] == 0
    params = sent(centre, "/api/v1/alarms/history")[1]
    assert params == {"since": "30d", "filter": "sev=major"}
    assert centre.seen[-1][4]["Accept"] == "application/x-ndjson"
    assert run("alarm", "export", "--until", "30d")[0] == 0
    assert run("alarm", "export", "--since", "30d", "--hidden")[0] == 2


def test_alarms_are_named_by_key(run, centre):
    code, out, _ = run("alarm", "ack", "0a", "0b", "-m", "mine")
    assert (code, out) == (0, "ack: 2 done, 0 unchanged, 0 refused\n")
    assert sent(centre, "/api/v1/alarms:ack")[0] == {"ids": ["0a", "0b"], "note": "mine"}


def test_a_query_acts_on_the_number_that_is_expected(run, centre):
    code, out, _ = run("alarm", "ack", "-q", "sev=major", "--expect", "5")
    assert (code, out) == (0, "ack: 5 done, 0 unchanged, 0 refused\n")
    assert sent(centre, "/api/v1/alarms:ack")[0] == {"filter": "sev=major", "expect_count": 5}


def test_a_number_that_differs_is_a_conflict_and_changes_nothing(run, capsys):
    assert run("alarm", "ack", "-q", "sev=major", "--expect", "4")[0] == 5
    assert "5 match now" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["-y"]])
def test_a_script_has_to_say_the_number(run, capsys, more):
    assert run("alarm", "ack", "-q", "sev=major", *more)[0] == 2
    assert "say --expect 5" in capsys.readouterr().err


def test_a_person_is_asked(run, centre, monkeypatch):
    monkeypatch.setattr("roost_central.cli.alarm_act.is_person", lambda: True)
    code, out, _ = run("alarm", "unack", "-q", "sev=major", input="y\n")
    assert (code, out) == (0, "unack: 5 done, 0 unchanged, 0 refused\n")
    acts = len(centre.seen)
    assert run("alarm", "unack", "-q", "sev=major", input="n\n")[0] != 0
    assert sent(centre, "/api/v1/alarms:unack")[1] == {"dry_run": "true"}
    assert len(centre.seen) == acts + 1


def test_a_dry_run_only_counts(run, centre):
    assert run("alarm", "ack", "-q", "sev=major", "--dry-run")[1] == "ack: 5 would match\n"
    posts = [row for row in centre.seen if row[0] == "POST"]
    assert all(row[2] == {"dry_run": "true"} for row in posts)


def test_a_refused_alarm_is_a_partial_failure(run):
    code, out, err = run("alarm", "note", "0a", "nope", "-m", "x")
    assert (code, out) == (7, "note: 1 done, 0 unchanged, 1 refused\n")
    assert "nope: unknown" in err


def test_shelving_says_for_how_long_and_why(run, centre):
    assert run("alarm", "shelve", "0a", "--for", "8h", "-m", "lab")[0] == 0
    assert sent(centre, "/api/v1/alarms:shelve")[0] == {
        "ids": ["0a"], "for_s": 28800, "reason": "lab"
    }  # fmt: skip


@pytest.mark.parametrize(
    "args",
    [
        ("shelve", "0a", "--for", "soon", "-m", "x"),
        ("shelve", "0a", "--for", "10ms", "-m", "x"),
        ("ack",),
        ("ack", "0a", "-q", "sev=major"),
        ("assign", "0a"),
    ],
)
def test_what_makes_no_sense_is_refused_before_it_is_asked(run, centre, args):
    assert run("alarm", *args)[0] == 2
    assert [row for row in centre.seen if row[0] == "POST"] == []


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("ack",), "which alarms? Name them by KEY"),
        (("ack", "0a", "-q", "sev=major"), "use one of them"),
        (("ack", "0a", "--expect", "2"), "but 1 alarm is named"),
        (("ack", "0a", "0b", "--expect", "1"), "but 2 alarms are named"),
        (("unshelve", "0a", "--shelf", "SH1"), "leave KEY and -q out"),
        (("unshelve", "--shelf", ""), "`roost alarm shelves` shows the ids"),
        (("unsuppress", ""), "`roost alarm suppressions` shows the ids"),
    ],
)
def test_a_refusal_says_what_to_do_instead(run, centre, capsys, args, says):
    assert run("alarm", *args)[0] in {2, 5}
    assert says in capsys.readouterr().err
    assert [row for row in centre.seen if row[0] in {"POST", "DELETE"}] == []


def test_ending_a_shelf_or_a_suppression_is_confirmed_to_people_alone(run):
    assert run("alarm", "unshelve", "--shelf", "SH1")[1] == "SH1 has ended\n"
    assert run("alarm", "unsuppress", "SU1")[1] == "SU1 has ended\n"
    assert run("alarm", "unsuppress", "SU1", "-o", "json")[1] == ""


def test_the_number_of_names_is_held_to_what_is_expected(run):
    assert run("alarm", "ack", "0a", "--expect", "2")[0] == 5


def test_an_owner_is_given_and_taken_away(run, centre):
    run("alarm", "assign", "0a", "--to", "jd", "--ticket", "")
    body = sent(centre, "/api/v1/alarms:assign")[0]
    assert body == {"ids": ["0a"], "assignee": "jd", "ticket": None}


def test_clearing_and_unshelving(run, centre):
    run("alarm", "clear", "0a", "-m", "replaced")
    assert sent(centre, "/api/v1/alarms:clear")[0]["reason"] == "replaced"
    run("alarm", "unshelve", "0a", "-o", "json")
    assert sent(centre, "/api/v1/alarms:unshelve")[0] == {"ids": ["0a"]}
    run("alarm", "unshelve", "--shelf", "SH1")
    assert centre.seen[-1][:2] == ("DELETE", "/api/v1/shelves/SH1")


def test_a_type_is_switched_off_and_on(run, centre):
    code, out, _ = run("alarm", "suppress", "100.101", "-m", "noise", "-q", "region:r0*")
    assert (code, out) == (0, "SH1: 2 alarms of 100.101 are suppressed\n")
    run("alarm", "suppress", "100.101", "-m", "noise", "--for", "7d", "-o", "json")
    body = sent(centre, "/api/v1/suppressions")[0]
    assert body == {"type": "100.101", "reason": "noise", "for_s": 604800}
    run("alarm", "unsuppress", "SU1")
    assert centre.seen[-1][:2] == ("DELETE", "/api/v1/suppressions/SU1")


def test_an_incident_explains_itself(run):
    out = run("incident", "show", "INC-1", "--explain")[1]
    assert "likely cause  carrier=carB (precision 0.99, coverage -)" in out
    assert "rejected  release=4.2.1  precision 0.20, covers 11 of 80" in out
    assert "not back (120)" in out
    assert "and 20 more" in out
    assert "not explained:" in out
    assert is_inert(out)


def test_an_incident_is_named_by_the_end_that_tables_and_pages_show(run, monkeypatch, capfd):
    ids = ["INC-01M8NHRSNY1Y3PCYC7H7GQ3ZTP", "INC-01M8NHRSNY1Y3PCYC7H7GQ4ZTP"]
    known = [INCIDENT | {"id": each} for each in ids]
    monkeypatch.setitem(GETS, "/api/v1/incidents", {"items": known, "next": None})
    monkeypatch.setitem(GETS, f"/api/v1/incidents/{ids[0]}", known[0])
    for said in (ids[0], "INC-…GQ3ZTP", "gq3ztp"):
        assert run("incident", "show", said)[1].startswith(ids[0])
    assert run("incident", "show", "ZTP")[0] == 2
    assert capfd.readouterr().err.count("INC-01M8") == 2
    assert run("incident", "show", "nope")[0] == 3


def test_an_incident_without_a_cause_says_so_in_words(run, monkeypatch):
    unknown = INCIDENT | {"cause": "", "causes": [], "precision": 0.0, "coverage": 0.0}
    monkeypatch.setitem(GETS, "/api/v1/incidents/INC-1", unknown)
    out = run("incident", "show", "INC-1")[1]
    assert "likely cause  none found: no attribute of the 80 sites explains it" in out
    assert "precision" not in out
    assert "rejected" not in run("incident", "show", "INC-1")[1]


@pytest.mark.parametrize(
    ("args", "body"),
    [
        (("ack", "-m", "mine"), {"note": "mine"}),
        (("note", "-m", "cut"), {"text": "cut"}),
        (("close", "-m", "done"), {"reason": "done"}),
        (
            ("split", "-q", "region:r02", "--expect", "3", "-m", "power"),
            {"filter": "region:r02", "expect_count": 3, "reason": "power"},
        ),
    ],
)
def test_what_is_done_with_an_incident(run, centre, args, body):
    assert run("incident", args[0], "INC-1", *args[1:]) == (0, f"INC-1: {args[0]} done\n", "")
    assert sent(centre, f"/api/v1/incidents/INC-1:{args[0]}")[0] == body
    assert run("incident", args[0], "INC-1", *args[1:], "-o", "json")[0] == 0


def test_status_counts_alarms(run):
    out = run("status")[1]
    assert "alarms  C 0 · M 1 · m 0 · W 2 · 3 unknown" in out
    assert " open incidents · " in out
    said = [counted(count, "open incident") for count in (1, 2)]
    assert said == ["1 open incident", "2 open incidents"]


def test_a_split_says_which_members(run, capfd):
    assert run("incident", "split", "INC-1", "-m", "power")[0] == 2
    assert "say which members with -q" in capfd.readouterr().err
