"""What a node said in quarantine as an operator reads it, whatever it said."""

import json

import pytest

HOSTILE = "=cmd|' /C calc'!A0\x1b[31m"
ISO = "2026-11-22T10:00:00.000Z"
ITEM = {
    "seq": 2, "node": "edge-0.n1", "received": ISO, "at": ISO, "boot_id": "1b7c" * 8,
    "incarnation": 3, "lane": "alarm", "item_seq": 9, "kind": "alarm", "text": HOSTILE,
    "size_bytes": 120, "body": "",
}  # fmt: skip


@pytest.fixture(autouse=True)
def answers(centre):
    document = {**ITEM, "seq": 1, "kind": "inventory", "text": "", "size_bytes": 15_700}
    centre.more["/api/v1/nodes/edge-0.n1/held"] = {"items": [ITEM, document], "next": None}


def test_each_item_is_told_with_the_box_that_spoke(run):
    code, out, _ = run("node", "held", "edge-0.n1")
    assert code == 0
    heading, alarm, inventory = (line.split("\t") for line in out.splitlines())
    assert heading == ["AT", "KIND", "BOX", "SAYS"]
    assert alarm[1:3] == ["alarm", "1b7c1b7c/3"]
    assert "\x1b" not in alarm[3]
    assert inventory[3] == "15,700 bytes"


def test_a_program_gets_all_of_it(run):
    code, out, _ = run("node", "held", "edge-0.n1", "-o", "json")
    assert code == 0
    assert [row["seq"] for row in json.loads(out)] == [2, 1]
