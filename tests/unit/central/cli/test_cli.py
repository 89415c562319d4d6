"""What an operator types and reads."""

import csv
import io
import json
import os
import stat
import subprocess
import sys
from urllib.parse import quote

import pytest
import yaml

CONTROL = {chr(code) for code in range(32)} - {"\n", "\t", "\r"}


def is_inert(text):
    return not CONTROL & set(text) and "\u202e" not in text


def test_a_list_follows_every_page(run):
    code, out, _ = run("site", "list", "-o", "name")
    assert (code, out.split()) == (0, [f"edge-{n}" for n in range(5)])


def test_the_plural_of_a_noun_is_the_noun(run):
    assert run("sites", "list", "-o", "name") == run("site", "list", "-o", "name")


def test_json_carries_every_field(run):
    rows = json.loads(run("site", "list", "-o", "json")[1])
    assert rows[0]["labels"]["region"].startswith("=cmd")
    assert rows[0]["shard"] == 0


def test_yaml_and_ndjson_carry_the_same_rows_as_json(run):
    rows = json.loads(run("node", "list", "-o", "json")[1])
    assert yaml.safe_load(run("node", "list", "-o", "yaml")[1]) == rows
    assert [
        json.loads(line) for line in run("node", "list", "-o", "ndjson")[1].splitlines()
    ] == rows


def test_a_pipe_gets_columns_and_rfc_3339_times(run):
    head, first, *_ = run("site", "list")[1].splitlines()
    assert head.split("\t")[:4] == ["SITE", "STATUS", "NODES", "HEARD"]
    assert first.split("\t")[:4] == ["edge-0", "degraded", "2/3", "2026-11-22T10:00:00.000Z"]


@pytest.mark.parametrize("form", ["table", "wide", "json", "yaml", "csv", "ndjson", "name"])
@pytest.mark.parametrize(
    "verb",
    [("site", "list"), ("node", "list"), ("node", "inventory", "edge-0.n1"), ("path", "list")],
)
def test_a_hostile_string_is_inert_in_every_form(run, verb, form):
    code, out, _ = run(*verb, "-o", form)
    assert code == 0
    assert is_inert(out)


def test_no_cell_of_a_csv_is_a_formula(run):
    for verb in (("site", "list"), ("node", "inventory", "edge-0.n1")):
        for row in csv.reader(io.StringIO(run(*verb, "-o", "csv")[1])):
            assert not any(cell.startswith(("=", "+", "@", "\t")) for cell in row)


def test_an_inventory_says_why_a_value_is_missing_and_how_old_it_is(run):
    _, out, _ = run("node", "inventory", "edge-0.n1")
    assert "product_serial  (denied)" in out
    assert "dimm: none (absent)" in out
    assert "1 m 0 s old" in out
    assert "behind" in out


def test_a_class_or_an_item_that_came_or_went_is_told_apart_from_a_value(run):
    shown = run("node", "inventory", "edge-0.n1", "--diff", "7d")[1].splitlines()
    assert [line.split("\t")[-2:] for line in shown] == [
        ["OLD", "NEW"],
        ["-", "present"],
        ["present", "-"],
        ["False", "True"],
    ]


def test_a_site_is_shown_with_its_matrix_of_paths(run):
    _, out, _ = run("site", "show", "edge-0")
    assert "NODE\tWAN1\tLAN-A" in out
    assert "n1\tup 1.5 ms\tdown 100.0 % lost" in out


def test_a_path_that_is_down_has_no_round_trip(run, centre, monkeypatch):
    as_it_was = centre.route

    def held(handler, path, params):
        status, found = as_it_was(handler, path, params)
        nodes = [{**node, "paths": [{**node["paths"][0], "state": "down"}]} for node in
                 found["node_list"]]  # fmt: skip
        return status, {**found, "node_list": nodes}

    monkeypatch.setattr(centre, "route", held)
    assert run("site", "show", "edge-0")[1].endswith("\nn1\tdown\n")


def test_before_the_first_inventory_there_was_none(run, centre, monkeypatch):
    before = {"node": "edge-0.n1", "gen": None, "age_s": None, "behind": False, "sections": {}}
    monkeypatch.setattr(centre, "route", lambda handler, *_: (200, before))
    told = run("node", "inventory", "edge-0.n1", "--at", "2020-01-01T00:00:00Z")[1]
    assert told == "edge-0.n1 \u00b7 no inventory reported by then\n"


def test_status_names_what_was_refused(run):
    _, out, _ = run("status")
    assert "5: 4 ok" in out
    assert "refused as oversize: 3" in out


def test_status_can_fail_a_script(run):
    assert run("status", "--exit-code")[0] == 8


def test_the_exit_code_of_a_verb_is_that_of_the_process(centre):
    command = [sys.executable, "-m", "roost_central.cli", "status", "--exit-code"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (8, "")


def test_a_label_is_set_against_the_revision_that_was_read(run, centre):
    run("site", "set", "edge-0", "-l", "carrier=carB", "-l", "region=")
    method, path, _, body, headers = next(row for row in centre.seen if row[0] == "PUT")
    assert (method, path, headers["If-Match"]) == ("PUT", "/api/v1/sites/edge-0", '"3"')
    assert json.loads(body)["labels"] == {"carrier": "carB"}


def test_an_import_with_refused_lines_is_a_partial_failure(run):
    code, out, err = run("site", "import", "-", input='{"site":"a"}\n{"site":"A"}\n')
    assert (code, out) == (7, "1 created, 0 updated, 0 unchanged\n")
    assert "line 2: site: not a name" in err


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("site", "show", "nowhere"), 3, "no /api/v1/sites/nowhere"),
        (("site", "list", "-q", "bogus=1"), 2, "did you mean node?"),
        (("path", "show", "edge-0.n1", "p9"), 3, "it has wan1, lan-a"),
        (("event", "show", "99"), 3, "no event 99"),
        (
            ("node", "inventory", "edge-0.n1", "-s", "dimm,disks"),
            3,
            "no class disks; it has system",
        ),
        (("node", "show", "edge-0.n1", "-o", "csv"), 2, "-o csv is for lists"),
        (("site", "list", "--tz", "Mars/Base"), 2, "no such zone"),
        (("-c", "prod", "site", "list"), 2, "no context 'prod'"),
        (("context", "use", "prod"), 3, "`roost login URL` makes one"),
        (("context", "delete", "prod"), 3, "`roost login URL` makes one"),
        (("login", "ftp://roost.example"), 2, "must be http://HOST[:PORT]"),  # and asks no secret
    ],
)
def test_a_refusal_says_what_to_do_next(run, capsys, args, code, says):
    assert run(*args)[0] == code
    assert says in capsys.readouterr().err


def test_a_wrong_token_says_where_one_is_kept(run, capsys, monkeypatch):
    monkeypatch.setenv("ROOST_TOKEN", "rtk_wrong")
    assert run("site", "list")[0] == 4
    assert "roost login URL" in capsys.readouterr().err


def test_a_centre_that_is_not_there_is_named(run, capsys, monkeypatch):
    monkeypatch.setenv("ROOST_URL", "http://127.0.0.1:9")
    assert run("site", "list")[0] == 1
    assert "http://127.0.0.1:9" in capsys.readouterr().err


@pytest.mark.parametrize("secret", ["hush\nhush", "h\u00fcsh\u20ac", "two words"])
def test_what_is_no_token_is_refused_and_not_repeated(run, capsys, monkeypatch, secret):
    monkeypatch.setenv("ROOST_TOKEN", secret)
    assert run("site", "list")[0] == 2
    said = capsys.readouterr().err
    assert "must be one word of ASCII" in said
    assert secret not in said
    assert "hush" not in said


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://h", "http://", "http://h:abc", "http://h:0", "http://h/a b"]
)
def test_an_address_that_is_none_is_refused(run, capsys, monkeypatch, url):
    monkeypatch.setenv("ROOST_URL", url)
    assert run("site", "list")[0] == 2
    assert f"url {url!r}: must be http://HOST[:PORT]" in capsys.readouterr().err


def test_another_server_at_the_address_is_told_apart(run, capsys, centre, monkeypatch):
    monkeypatch.setattr(centre, "reply", _as_another_server)
    assert run("site", "list")[0] == 1
    assert "what answers is no roost-central" in capsys.readouterr().err


def test_an_answer_that_breaks_off_is_told(run, capsys, centre, monkeypatch):
    monkeypatch.setattr(centre, "reply", _cut)
    assert run("site", "list")[0] == 1
    assert "the answer was cut" in capsys.readouterr().err


def _as_another_server(handler, status, document):
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"<!doctype html>")


def _cut(handler, status, document):
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"{")


def test_the_centre_that_the_environment_names_is_listed_as_the_one_in_use(run, monkeypatch):
    url = os.environ["ROOST_URL"]
    assert run("login", url, "--name", "lab", input="rtk_test\n")[0] == 0
    rows = json.loads(run("context", "list", "-o", "json")[1])
    shown = [(row["name"], row["current"]) for row in rows]
    assert shown == [("environment", True), ("lab", False)]
    monkeypatch.delenv("ROOST_URL")
    rows = json.loads(run("context", "list", "-o", "json")[1])
    assert [(row["name"], row["current"]) for row in rows] == [("lab", True)]


@pytest.mark.parametrize("name", ["lab#", "lab?x=1", "lab/inventory", "l\u00e4b", "Bad Name!"])
def test_a_name_stays_one_segment_of_the_address(run, centre, name):
    assert run("site", "show", name)[0] == 3
    assert centre.seen[-1][1:3] == (f"/api/v1/sites/{quote(name, safe='')}", {})


def test_a_bad_query_is_shown_with_the_place(run, capsys):
    run("site", "list", "-q", "bogus=1")
    assert "    bogus=1\n    ^^^^^\n" in capsys.readouterr().err


def test_an_unknown_value_is_an_empty_cell_of_a_csv(run):
    rows = list(csv.DictReader(io.StringIO(run("path", "list", "-o", "csv")[1])))
    assert rows[1]["rtt_ms"] == ""
    assert rows[1]["heard"] == ""
    assert "lost_percent" in rows[1]


def test_a_path_is_named_with_its_node(run):
    assert run("path", "list", "-o", "name")[1] == "edge-0.n1/wan1\nedge-0.n1/lan-a\n"


def test_a_refused_login_keeps_nothing(run, tmp_path, monkeypatch):
    url = os.environ["ROOST_URL"]
    monkeypatch.delenv("ROOST_TOKEN")
    assert run("login", url, "--name", "lab", input="rtk_wrong\n")[0] == 4
    assert not list(tmp_path.rglob("*.token"))


def test_login_keeps_the_token_in_a_private_file_and_out_of_the_settings(
    run, centre, tmp_path, monkeypatch
):
    url = os.environ["ROOST_URL"]
    monkeypatch.delenv("ROOST_URL")
    monkeypatch.delenv("ROOST_TOKEN")
    assert run("login", url, "--name", "lab", input="rtk_test\n")[0] == 0
    kept = (tmp_path / "roost" / "config.toml").read_text()
    secret = tmp_path / "roost" / "lab.token"
    assert "rtk_" not in kept
    assert secret.read_text() == "rtk_test\n"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert run("site", "list", "-o", "name")[0] == 0
    assert "lab" in run("context", "list")[1]


def test_help_imports_nothing_heavy():
    heavy = ["aiohttp", "rich", "yaml", "asyncio", "sqlalchemy", "msgspec", "urllib.request"]
    code = (
        "import sys; from roost_central.cli.main import roost\n"
        "try: roost.main(['--help'], standalone_mode=True)\n"
        f"except SystemExit: print([m for m in {heavy} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
