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


@pytest.mark.parametrize("is_terminal", [True, False])
def test_who_tells_none_is_said_besides_the_cables(run, monkeypatch, is_terminal):
    monkeypatch.setattr("roost_central.cli.output.is_terminal", lambda: is_terminal)
    _, out, err = run("site", "topology", "edge-1")
    assert "10u,20" in out
    assert "denied" not in out
    assert err == "roost: Tells no neighbours: edge-1.n2 (denied)\n"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_site_without_a_cable_is_a_sentence(run, centre, monkeypatch, is_terminal):
    monkeypatch.setattr("roost_central.cli.output.is_terminal", lambda: is_terminal)
    centre.more["/api/v1/sites/edge-1/topology"] = {**FOUND, "cables": [], "devices": []}
    _, out, err = run("site", "topology", "edge-1")
    assert out == ""
    assert err.startswith("roost: no node of edge-1 heard a neighbour by LLDP. Tells no")
