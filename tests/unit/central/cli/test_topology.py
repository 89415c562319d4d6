"""A site's cables as an operator reads them."""

import json

import pytest

HOSTILE = "sw\x1b[31m1"
ISO = "2026-11-22T10:00:00.000Z"
FOUND = {
    "site": "edge-1",
    "nodes": [
        {"node": "edge-1.n1", "name": "n1", "presence": "online", "as_of": ISO, "age_s": 60.0,
         "missing": "", "ports": []},
        {"node": "edge-1.n2", "name": "n2", "presence": "online", "as_of": None, "age_s": None,
         "missing": "denied", "ports": []},
    ],
    "devices": [{"device": "00:01", "name": HOSTILE, "description": "", "capabilities": [],
                 "addresses": []}],
    "cables": [
        {"node": "edge-1.n1", "port": "eno1", "peer": "00:01", "peer_kind": "device",
         "peer_port": "Gi1", "peer_port_description": "", "told_by": "one", "speed_mbps": 10000,
         "pvid": 10, "vlans": ["10 users", "20"], "frame_bytes_max": None, "aggregated": None},
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def answers(centre):
    centre.more["/api/v1/sites/edge-1/topology"] = FOUND


def test_a_row_is_a_cable(run):
    code, out, _ = run("site", "topology", "edge-1")
    assert code == 0
    heading, row = out.splitlines()
    assert heading.split("\t") == [
        "NODE", "PORT", "MBIT/S", "TO", "ITS PORT", "VLANS", "TOLD BY", "AGE",
    ]  # fmt: skip
    assert row.split("\t")[:2] == ["edge-1.n1", "eno1"]
    assert "\x1b" not in out


def test_a_program_gets_all_of_it(run):
    assert json.loads(run("site", "topology", "edge-1", "-o", "json")[1]) == FOUND


def test_a_terminal_is_told_who_tells_none(run, monkeypatch):
    monkeypatch.setattr("roost_central.cli.output.is_terminal", lambda: True)
    out = run("site", "topology", "edge-1")[1]
    assert "10u,20" in out
    assert "Tells no neighbours: edge-1.n2 (denied)" in out
