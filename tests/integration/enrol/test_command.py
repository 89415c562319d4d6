"""``roost enrol`` against the real centre: an operator lets boxes in, from token to list."""

import json

import pytest
from fleet_stage import roost

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


def test_the_line_that_is_printed_joins_a_box(stage, box):
    stage.add_site("line", "n1")
    line = roost(stage, "enrol", "token", "create", "--site", "line", "--auto-approve").strip()
    echo, _, join = line.partition(" | ")
    url = join.removeprefix("roost-agent join ").removesuffix(" --token -")
    assert box.join(url, token=echo.removeprefix("echo '").removesuffix("'")).returncode == 0
    claims = json.loads(roost(stage, "enrol", "token", "list", "-o", "json"))
    [claim] = [each for each in claims if each["site"] == "line"]
    assert (claim["used"], "token" in claim) == (1, False)


def test_a_token_comes_as_squares_too(stage):
    stage.add_site("squares")
    made = stage.central.post("/api/v1/claims", {"site": "squares"})
    side = len(made["qr"])
    assert side % 4 == 1  # ISO/IEC 18004: 17 + 4 x version
    assert {len(row) for row in made["qr"]} == {side}
    assert all(row.startswith("1111111") for row in (made["qr"][0], made["qr"][6]))  # a finder


def test_a_box_is_shown_compared_and_let_in(stage, box):
    stage.add_site("shown")
    join = box.start_join(stage.url, "--pin", stage.token("shown").rpartition(".")[2])
    while not (rows := json.loads(roost(stage, "enrol", "list", "-o", "json"))):
        assert join.poll() is None, box.log.read_text()
    [row] = rows
    assert row["words"] in roost(stage, "enrol", "show", row["id"])
    words = ("enrol", "approve", row["id"], "--site", "shown", "--node", "n1", "--words")
    assert "compare all six again" in roost(stage, *words, "a b c d e f", fails=True)
    roost(stage, *words, row["words"])
    out, _ = join.communicate(timeout=60)
    assert "as shown.n1" in out, box.log.read_text()
    assert row["id"] in roost(stage, "enrol", "list", "--all", "-o", "name")


def test_serial_numbers_come_from_a_file_whole_or_not(stage, tmp_path):
    stage.add_site("listed", "n1")
    good = tmp_path / "boxes.csv"
    good.write_text("serial,site,node\nS-1,listed,n1\nS-2,listed,\n")
    assert len(json.loads(roost(stage, "enrol", "import", str(good), "-o", "json"))) == 2
    bad = tmp_path / "bad.csv"
    bad.write_text("serial,site\nS-3,listed\n\nS-4,nowhere\n")
    assert "nowhere" in roost(stage, "enrol", "import", str(bad), fails=True)
    bad.write_text("serial,site\nS-3,listed\n\nS-4,+\n")
    assert f"{bad} line 4: " in roost(stage, "enrol", "import", str(bad), fails=True)
    claims = json.loads(roost(stage, "enrol", "token", "list", "-o", "json"))
    assert {each["subject"] for each in claims if each["site"] == "listed"} == {"S-1", "S-2"}
    [first] = [each["id"] for each in claims if each["subject"] == "S-1"]
    roost(stage, "enrol", "token", "revoke", first)
    assert "there is no claim" in roost(stage, "enrol", "token", "revoke", first, fails=True)


def test_a_token_that_cannot_be_is_refused_by_the_field(stage):
    create = ("enrol", "token", "create", "--site")
    assert "there is no site" in roost(stage, *create, "unknown", fails=True)
    stage.add_site("fields")
    assert "cidr" in roost(stage, *create, "fields", "--cidr", "10.0.0.1/8", fails=True)
    assert "--ttl" in roost(stage, *create, "fields", "--ttl", "soon", fails=True)
    words = ("fields", "--node", "n1", "--max-nodes", "5")
    assert "is for one slot" in roost(stage, *create, *words, fails=True)
