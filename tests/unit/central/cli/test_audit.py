"""``roost audit``: lists, and finds a chain that was touched, of a centre or in a file."""

import json
from dataclasses import asdict, replace

import pytest

from roost_central.access.chain import START, Act, Anchor, entry
from roost_central.signer.row import BEGIN, Row, chained, encode_row

AUDIT = "/api/v1/audit"
ALONE = "--without-signer"
NO_SIGNER = {"code": "conflict", "detail": "this centre has no signer"}
KEY = "ab" * 32


def record_of(*names, head=BEGIN, fault=""):
    """A signer's record of a certificate for each name, and what the centre says of it."""
    lines, begin = [], head
    for n, name in enumerate(names, 1):
        raw = encode_row(Row(uid=9, verb="issue", n=n, kind="node", name=name, key=KEY))
        head = chained(head, raw)
        lines.append(f"{head} {raw.decode()}")
    end = {"n": len(names), "hash": head}
    told = {"begin": {"n": 0, "hash": begin}, "compared": end, "unexplained": [], "fault": fault}
    return told, lines


def rows_of(count, start=START):
    rows, head = [], start
    for n in range(count):
        row = entry(head, Act(n, "ann", "admin", "alarm.ack", "\x1b[31mkey", {"n": n}))
        rows.append(row)
        head = Anchor(row.seq, row.hash)
    return rows


def shown(row):
    at = "2026-11-22T10:00:00.000Z"
    hashes = {"prev_hash": row.prev_hash.hex(), "hash": row.hash.hex()}
    return {"seq": row.seq, "at": at, **asdict(row.act), **hashes}


def lines(rows):
    return b"".join(json.dumps(shown(row)).encode() + b"\n" for row in rows)


@pytest.fixture
def log(centre, monkeypatch):
    """The rows that the centre gives, its head and what they follow; to be changed by a test."""
    others = centre.route
    log = {"rows": rows_of(4), "start": START, "record": None}
    log["head"] = Anchor(4, log["rows"][-1].hash)

    def route(self, path, params):
        if path == AUDIT:
            return 200, {"items": [shown(row) for row in log["rows"]], "next": None}
        if path == f"{AUDIT}/head":
            anchors = {
                name: {"seq": log[name].seq, "hash": log[name].hash.hex()}
                for name in ("head", "start")
            }
            return 200, anchors
        if path == f"{AUDIT}/signatures":
            return (200, log["record"][0]) if log["record"] else (409, NO_SIGNER)
        if path == f"{AUDIT}/signatures/record":
            return 200, "".join(f"{line}\n" for line in log["record"][1]).encode()
        if path == f"{AUDIT}/export":
            return 200, lines(log["rows"])
        return others(self, path, params)

    monkeypatch.setattr(centre, "route", route)
    return log


def test_acts_are_listed_without_what_a_terminal_would_obey(run, log):
    code, out, _ = run("audit", "list", "--actor", "ann")
    assert (code, "\x1b" in out) == (0, False)
    assert "alarm.ack" in out


def test_a_whole_chain_is_said_to_be_whole_with_its_head(run, log):
    code, out, _ = run("audit", "verify", ALONE)
    assert (code, out.splitlines()[0]) == (
        0,
        f"4 rows are whole; the chain ends at 4:{log['rows'][-1].hash.hex()}",
    )
    assert json.loads(run("audit", "verify", ALONE, "-o", "json")[1])["rows"] == 4


@pytest.mark.parametrize(
    "harm",
    [
        lambda rows: [rows[0], replace(rows[1], act=replace(rows[1].act, actor="eve")), *rows[2:]],
        lambda rows: [rows[0], *rows[2:]],
        lambda rows: rows[:3],
        lambda rows: rows[1:],
    ],
)
def test_a_row_that_was_changed_or_is_missing_is_a_failed_check(run, log, harm, capsys):
    log["rows"] = harm(log["rows"])
    assert run("audit", "verify")[0] == 8
    assert "the audit log is broken at row" in capsys.readouterr().err


def test_a_log_that_was_written_anew_is_found_by_a_head_that_was_kept(run, log):
    kept = f"3:{log['rows'][2].hash.hex()}"
    assert run("audit", "verify", ALONE, "--head", kept)[0] == 0
    assert run("audit", "verify", "--head", "3:" + "0" * 64)[0] == 8
    assert run("audit", "verify", "--head", "3")[0] == 2


def test_after_a_cut_the_rest_is_checked_from_what_it_follows(run, log):
    log["start"] = Anchor(2, log["rows"][1].hash)
    log["rows"] = log["rows"][2:]
    assert run("audit", "verify", ALONE)[0] == 0


def test_a_file_is_checked_without_a_centre(run, log, tmp_path, capsys):
    path = tmp_path / "audit.ndjson"
    path.write_bytes(lines(log["rows"][1:]))
    assert run("audit", "verify", str(path))[0] == 0
    path.write_bytes(lines([*log["rows"][:2], log["rows"][3]]))
    assert run("audit", "verify", str(path))[0] == 8
    path.write_text("not json\n")
    assert run("audit", "verify", str(path))[0] == 8
    path.write_text("\n")
    assert run("audit", "verify", str(path))[0] == 8
    assert "no row in the file" in capsys.readouterr().err


def asked_for(*names):
    rows, head = [], START
    for name in names:
        row = entry(head, Act(1, "ann", "admin", "enrol.approve", name, {"keys": [KEY]}))
        rows.append(row)
        head = Anchor(row.seq, row.hash)
    return rows, head


def test_signatures_are_compared_here_with_the_rows_that_were_checked(run, log, capsys):
    log["rows"], log["head"] = asked_for("edge.n1", "edge.n2")
    log["record"] = record_of("edge.n1", "edge.n2")
    code, out, _ = run("audit", "verify")
    assert (code, "2 signatures have their rows in it" in out) == (0, True)
    log["record"] = record_of("edge.n1", "edge.n3")
    assert run("audit", "verify")[0] == 8
    assert "signature 2: node edge.n3" in capsys.readouterr().err


def test_a_record_that_a_centre_changed_on_the_way_is_a_failed_check(run, log, capsys):
    log["rows"], log["head"] = asked_for("edge.n1")
    told, lines = record_of("edge.n1", "edge.n2")
    log["record"] = told, [lines[0], lines[1].replace("edge.n2", "edge.n1")]
    assert run("audit", "verify")[0] == 8
    assert "broken behind row 1" in capsys.readouterr().err
    log["record"] = record_of(fault="it was begun anew")
    assert run("audit", "verify")[0] == 8


def test_a_centre_that_gives_no_record_is_a_failed_check_unless_the_fleet_has_no_signer(
    run, log, capsys
):
    assert run("audit", "verify")[0] == 8
    assert "not compared with it: this centre has no signer; of a fleet" in capsys.readouterr().err
    code, out, _ = run("audit", "verify", ALONE)
    assert (code, "signatures were not compared: this centre has no signer" in out) == (0, True)
    log["rows"], log["head"] = asked_for("edge.n1")
    log["record"] = record_of("edge.n3")
    assert run("audit", "verify", ALONE)[0] == 8  # where there is one it is compared all the same


def test_there_is_nothing_to_accept_where_all_is_explained(run, log, capsys):
    log["record"] = record_of("edge.n1")
    assert run("audit", "accept", "-m", "why")[0] == 2
    assert "nothing to accept" in capsys.readouterr().err
