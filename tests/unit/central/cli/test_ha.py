"""Local HA as an operator reads it, and what is refused from afar."""

import json
import sys

import pytest

from roost_central.cli import ha, local

ISO = "2026-11-22T10:00:00.000Z"
HA = {
    "site": "lab", "redundancy": "lost", "profile": "default", "voters": ["n1", "n2", "n3"],
    "sticky": False,
    "groups": [
        {"group": "web", "model": "2N", "active": ["n1"], "epoch": 33, "standby": [],
         "redundancy": "lost", "since": ISO,
         "lacks": [{"node": "n2", "why": "n1 takes n2 for lost", "since": ISO, "age_s": 64.0}],
         "why": "n1 took web (epoch 33)",
         "hosts": [
             {"node": "n1", "role": "active", "why_not": "", "state": "active",
              "services": {"page": "active"}},
             {"node": "n2", "role": "barred", "why_not": "maintenance", "state": "",
              "services": {}},
         ]},
    ],
    "nodes": [{"node": "n1", "presence": "online", "as_of": ISO, "age_s": 4.0, "heard": ISO,
               "heard_age_s": 2.0, "is_voter": True,
               "has_quorum": True, "health": 1, "redundancy": "normal", "cfgver": 7,
               "faults": ["disk full"]}],
    "ways": [{"name": "lan-a/n1", "network": "lan-a", "driver": "mqtt", "broker": "n1"}],
    "matrix": [{"node": "n1", "peer": "n2", "state": "alive", "since": ISO,
                "paths": {"lan-a/n1": "down"}}],
}  # fmt: skip
NOTHING = {**HA, "site": "bare", "redundancy": "none", "groups": [], "nodes": [], "matrix": []}
HISTORY = {
    "items": [{"seq": 9, "at": ISO, "received": ISO, "late_s": 1.0, "site": "lab",
               "node": "lab.n1", "kind": "ha", "type": "400.811", "severity": "warning",
               "entity": "", "text": "n1 took web (epoch 33): n2 silent", "params": {}}],
    "turns": [], "next": None,
}  # fmt: skip
AGENT = """
import json, pathlib, sys
words, folder = sys.argv[1:-2], pathlib.Path(sys.argv[-1])
if words[:2] == ["ha", "status"]:
    print((folder / "status.json").read_text())
    sys.exit(0)
(folder / "done").write_text(" ".join(words))
print("done")
sys.exit(int((folder / "code").read_text()))
"""


@pytest.fixture
def answers(centre):
    centre.more.update(
        {
            "/api/v1/sites/lab/ha": HA,
            "/api/v1/sites/bare/ha": NOTHING,
            "/api/v1/sites/lab/ha/history": HISTORY,
        }
    )


@pytest.fixture
def nodes(tmp_path, monkeypatch):
    """Three agents of site lab that answer; n2 runs the group."""
    for number in (1, 2, 3):
        folder = tmp_path / f"lab.n{number}"
        folder.mkdir()
        phase = "holding" if number == 2 else "idle"
        lease = {"lease": "web", "phase": phase, "holder": "n2"}
        (folder / "status.json").write_text(json.dumps({"leases": [lease]}))
        (folder / "code").write_text("0")
    program = tmp_path / "agent.py"
    program.write_text(AGENT)
    monkeypatch.setattr(local, "AGENT", (sys.executable, str(program)))
    monkeypatch.setenv(local.VARIABLE, str(tmp_path))
    return tmp_path


def ordered(nodes):
    return {
        folder.name: (folder / "done").read_text()
        for folder in sorted(nodes.glob("lab.*"))
        if (folder / "done").exists()
    }


def test_a_site_s_status_says_who_why_and_who_not(run, answers):
    out = run("ha", "status", "lab")[1]
    assert "redundancy lost" in out
    assert "n1 took web (epoch 33)" in out
    assert "maintenance" in out
    assert "disk full" in out
    assert "n1 takes n2 for lost, 1 m 4 s" in out
    assert "LAN-A/N1" in out
    assert "down" in out
    assert json.loads(run("ha", "status", "lab", "-o", "json")[1]) == HA


def test_a_site_without_local_ha_says_so(run, answers):
    assert "no node of it takes part in local HA" in run("ha", "status", "bare")[1]


def test_without_a_site_all_with_local_ha_are_listed(run, centre):
    run("ha", "status")
    run("ha", "status", "-q", "region=r1 OR region=r2")
    asked = {seen[2]["filter"] for seen in centre.seen}
    assert asked == {"redundancy!=none", "(region=r1 OR region=r2) redundancy!=none"}


def test_explain_lists_sentences(run, answers):
    assert "n1 took web (epoch 33): n2 silent" in run("ha", "explain", "lab")[1]


def test_a_switchover_goes_to_the_node_that_runs_it(run, nodes):
    assert run("ha", "switchover", "lab", "web", "--to", "n1")[0] == 0
    assert ordered(nodes) == {"lab.n2": "ha switchover web --to n1"}
    assert run("ha", "switchover", "lab", "web", "--force")[0] == 0
    assert ordered(nodes) == {"lab.n2": "ha switchover web --force"}


def test_a_group_that_runs_elsewhere_is_refused_with_where(run, nodes, capsys):
    for file in nodes.glob("lab.n2/status.json"):
        file.unlink()
    done = run("ha", "switchover", "lab", "web")
    assert (done[0], ordered(nodes)) == (5, {})
    assert "web of lab runs on n2, which is not on this machine" in capsys.readouterr().err


def test_a_group_that_is_none_is_refused_with_those_there_are(run, nodes, capsys):
    assert run("ha", "switchover", "lab", "nothing")[0] == 5
    assert "no group 'nothing' that fails over; there are: web" in capsys.readouterr().err


def test_a_drill_is_held_on_the_active_node_or_the_named_one(run, nodes):
    run("ha", "drill", "lab", "--cut", "lan-a", "--for", "20s")
    assert ordered(nodes) == {"lab.n2": "ha drill --cut lan-a --for 20s"}
    run("ha", "drill", "lab", "--stop", "broker", "--node", "n3")
    assert ordered(nodes)["lab.n3"] == "ha drill --stop broker --for 30s"


def test_maintenance_wants_to_know_which_node(run, nodes, capsys):
    done = run("ha", "maintenance", "lab", "web", "on", "--ttl", "30m")
    assert done[0] == 2
    assert "--node: n1, n2, n3" in capsys.readouterr().err
    assert run("ha", "maintenance", "lab", "web", "off", "--node", "n9")[0] != 0
    assert ordered(nodes) == {}
    run("ha", "maintenance", "lab", "web", "on", "--ttl", "30m", "--node", "n1")
    assert ordered(nodes) == {"lab.n1": "ha maintenance web on --ttl 30m"}


def test_what_the_agent_refuses_is_an_error_here(run, nodes):
    (nodes / "lab.n2" / "code").write_text("1")
    assert run("ha", "drill", "lab", "--cut", "lan-a")[0] == 1
    (nodes / "lab.n2" / "code").write_text("2")
    assert run("ha", "drill", "lab", "--cut", "lan-a")[0] == 2


WORDS = {"drill": ["--cut", "x"], "switchover": ["web"], "maintenance": ["web", "off"]}


@pytest.mark.parametrize("verb", WORDS)
def test_nothing_is_ordered_from_afar(run, centre, nodes, verb, capsys):
    centre.more["/api/v1/sites/elsewhere"] = {"site": "elsewhere"}
    before = len(centre.seen)
    done = run("ha", verb, "elsewhere", *WORDS[verb])
    assert done[0] == 2
    told = capsys.readouterr().err
    assert "log in to a node of elsewhere" in told
    assert f"names {nodes}, which has no agent of it that answers" in told
    asked = [(method, path) for method, path, *_ in centre.seen[before:]]
    assert asked == [("GET", "/api/v1/sites/elsewhere")], "whether it is there, and no more"


@pytest.mark.parametrize("verb", WORDS)
def test_a_site_that_is_none_is_refused_as_that(run, centre, nodes, verb, capsys):
    centre.missing["/api/v1/sites/nosite"] = "there is no site 'nosite'"
    assert run("ha", verb, "nosite", *WORDS[verb])[0] == 3
    told = capsys.readouterr().err
    assert "there is no site 'nosite'" in told
    assert "roost site list" in told


def test_without_the_folder_of_a_demo_its_variable_is_named(
    run, centre, nodes, monkeypatch, capsys
):
    centre.more["/api/v1/sites/lab"] = {"site": "lab"}
    monkeypatch.delenv(local.VARIABLE)
    assert run("ha", "switchover", "lab", "web")[0] == 2
    assert "export ROOST_NODES=" in capsys.readouterr().err


def test_a_centre_that_does_not_answer_hides_no_refusal(run, nodes, monkeypatch, capsys):
    monkeypatch.setenv("ROOST_URL", "http://127.0.0.1:9")
    assert run("ha", "switchover", "elsewhere", "web")[0] == 2
    assert "log in to a node of elsewhere" in capsys.readouterr().err


def test_a_takeover_is_no_order_of_the_operator_s_machine(run):
    assert run("ha", "takeover", "lab", "web")[0] != 0
    assert "takeover" not in ha.command.commands
