"""The fleet's inventory as an operator types and reads it."""

import json

import pytest

HOSTILE = "=cmd|' /C calc'!A0\x1b[31m"
ISO = "2026-11-22T10:00:00.000Z"
API = "/api/v1/inventory"
ITEMS = [
    {"node": "edge-1.n1", "site": "edge-1", "id": "x1",
     "fields": {"ifname": "ens1", "driver": "ice", "firmware": None, "altnames": ["a", "b"]},
     "missing": {"firmware": "denied"}},
    {"node": "edge-2.n1", "site": "edge-2", "id": HOSTILE, "fields": {"ifname": HOSTILE},
     "missing": {}},
]  # fmt: skip
HIT = {"node": "edge-1.n1", "site": "edge-1", "class": "disk", "item": "eui.1", "field": "serial",
       "value": "S1"}  # fmt: skip
STEP = {"at": ISO, "node": "edge-1.n1", "what": "came", "field": "", "old": None, "new": None}
PART = {
    "class": "disk",
    "item": "eui.1",
    "nodes": ["edge-1.n1"],
    "steps": [
        {**STEP, "what": "changed", "field": "firmware", "old": "1", "new": "2"},
        STEP,
        {**STEP, "node": "edge-2.n1", "what": "went"},
    ],
}
DIFFERENCES = [
    {"section": "nic", "item": "ens1", "field": "driver", "a": "ice", "b": None},
    {"section": "disk", "item": "", "field": "", "a": None, "b": True},
]


@pytest.fixture(autouse=True)
def answers(centre):
    centre.more |= {
        f"{API}/classes/nic": {"items": ITEMS, "next": None},
        f"{API}/search": {"items": [HIT], "more": False},
        f"{API}/part": PART,
        f"{API}/compare": {"items": DIFFERENCES, "more": True},
    }


def test_items_are_listed_with_the_starred_fields_and_reasons(run):
    code, out, _ = run("inventory", "list", "nic", "driver=ice", "-q", "region=r01")
    assert code == 0
    heading, first, second = out.splitlines()
    assert heading.split("\t") == [
        "NODE", "ITEM", "IFNAME", "MAC", "DRIVER", "SPEED_MBPS", "FIRMWARE",
    ]  # fmt: skip
    assert first.split("\t")[:5] == ["edge-1.n1", "x1", "ens1", "-", "ice"]
    assert "\x1b" not in second
    wide = run("inventory", "list", "nic", "-o", "wide")[1].splitlines()
    assert "ALTNAMES" in wide[0]
    assert "a b" in wide[1]


def test_a_list_without_a_row_says_so_and_where_to_look(run, centre):
    centre.more[f"{API}/classes/gpu"] = {"items": [], "next": None}
    code, _, err = run("inventory", "list", "gpu", "model=A2", "-q", "region=r01")
    assert code == 0
    assert "no node of 'region=r01' has a gpu with 'model=A2'" in err
    assert "roost inventory show NODE" in err
    centre.more[f"{API}/classes/accelerator"] = {"items": [], "next": None}
    assert "has an accelerator; " in run("inventory", "list", "accelerator")[2]
    assert run("inventory", "list", "nic")[2] == ""
    assert run("inventory", "list", "gpu", "-o", "json")[2] == ""


def test_a_class_that_there_is_not_is_refused_with_those_that_there_are(run, capsys):
    code, _, err = run("inventory", "list", "nik")
    assert code != 0
    assert "'nic'" in err + capsys.readouterr().err


def test_a_search_that_finds_nothing_says_what_was_sought_and_what_to_ask_instead(run, centre):
    centre.more[f"{API}/search"] = {"items": [], "more": False}
    code, out, err = run("inventory", "search", "S1*")
    assert code == 0
    assert out.splitlines() == ["NODE\tCLASS\tITEM\tFIELD\tVALUE"]  # of a pipe: for programs
    assert "no part in the fleet is 'S1*'" in err
    assert "inv.disk.serial:*TEXT*" in err


def test_a_part_is_found_and_followed(run):
    assert "edge-1.n1\tdisk\teui.1\tserial\tS1" in run("inventory", "search", "S1")[1]
    code, out, err = run("inventory", "part", "disk", "eui.1")
    assert (code, err) == (0, "now in: edge-1.n1\n")
    assert [line.split("\t")[1:3] for line in out.splitlines()[1:]] == [
        ["edge-1.n1", "changed"],
        ["edge-1.n1", "came"],
        ["edge-2.n1", "went"],
    ]
    assert json.loads(run("inventory", "part", "disk", "eui.1", "-o", "json")[1]) == PART


def test_a_part_that_nobody_has_or_had_is_a_sentence(run, centre):
    centre.more[f"{API}/part"] = {**PART, "nodes": [], "steps": []}
    code, out, err = run("inventory", "part", "accelerator", "x")
    assert (code, out) == (0, "")
    assert "now in: no node" in err
    assert "nothing is known of accelerator 'x'; `roost inventory list accelerator`" in err


def test_a_comparison_says_what_is_on_either_side_and_that_there_is_more(run):
    code, out, err = run("inventory", "diff", f"edge-1.n1@{ISO}", "edge-2.n1")
    assert code == 0
    assert out.splitlines()[1].split("\t") == ["nic", "ens1", "driver", "ice", "-"]
    assert out.splitlines()[2].split("\t") == ["disk", "", "", "-", "present"]  # as history has it
    assert "-s names classes" in err
    assert run("inventory", "diff", "edge-1.n1")[0] != 0, "a node is the same as itself"
