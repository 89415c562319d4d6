"""What the centre makes of a query, as an operator reads it."""

import json

import pytest

EXPLAIN = "/api/v1/query/explain"
ANSWER = {
    "canonical": "inv.nic.mtu>1500 region=r01",
    "on": "node",
    "slow": True,
    "fields": [
        {"name": "inv.nic.mtu", "kind": "number", "unit": "", "doc": "\x1b[31mIts.",
         "indexed": False},
    ],
    "parts": [
        {"text": "region=r01", "where": "memory", "statements": []},
        {"text": "inv.nic.driver=ice", "where": "index", "statements": [
            {"sql": "SELECT ?", "parameters": ["ice"], "plan": ["SEARCH inventory_value"]}]},
        {"text": "inv.nic.mtu>1500", "where": "documents", "statements": []},
    ],
}  # fmt: skip


@pytest.fixture
def explained(centre):
    centre.more[EXPLAIN] = ANSWER


@pytest.mark.usefixtures("explained")
def test_each_part_is_told_with_where_it_is_answered(run, centre):
    status, out, _ = run("query", "explain", "region=r01 inv.nic.mtu>1500")
    assert status == 0
    assert "1. region=r01  in memory" in out
    assert "2. inv.nic.driver=ice  by the index of the inventory\n     SEARCH" in out
    assert "3. inv.nic.mtu>1500  by reading the documents" in out
    assert "\x1b" not in out
    assert "SELECT" not in out
    assert "SELECT ?\n     with ['ice']" in run("query", "explain", "x", "-o", "wide")[1]


@pytest.mark.usefixtures("explained")
def test_a_program_gets_the_whole_answer(run):
    status, out, _ = run("query", "explain", "--on", "site", "x", "-o", "json")
    assert (status, json.loads(out)) == (0, ANSWER)
