"""``roost-agent config``: for a person and for a program."""

import json

import pytest
from config_root import ONE, RESTARTS, TWO, ConfigRoot, window

from roost_agent.__main__ import command
from roost_agent.config_apply.program import Program


@pytest.fixture
def root(tmp_path):
    return ConfigRoot(tmp_path)


def asked(root, capsys, *words):
    options = [f"--told={root.given.told}", f"--root={root.given.root}"]
    status = command(["config", *words, *options])
    return status, capsys.readouterr().out


def test_before_the_first_document_it_says_so(root, capsys):
    assert asked(root, capsys, "status") == (0, "applied   nothing yet\n")
    status, text = asked(root, capsys, "diff")
    assert (status, "no settings yet" in text) == (0, True)


def test_status_tells_what_is_applied_and_each_section(root, capsys):
    root.apply({**ONE, "memory": {"hugepages": {"1G": {"node0": 1}}}})
    count = "sys/devices/system/node/node0/hugepages/hugepages-1048576kB/nr_hugepages"
    (root.tree / count).write_text("0\n")
    (root.tree / "proc/sys/vm/swappiness").write_text("60\n")
    status, text = asked(root, capsys, "status")
    assert status == 0
    lines = text.splitlines()
    assert lines[0].startswith("applied   generation 1, ")
    assert lines[1] == "reboot    waits for one: memory.hugepages.1G.node0"
    cells = [line.split(None, 2) for line in lines[3:]]
    assert ["kernel", "drifted", 'kernel.sysctl."vm.swappiness"'] in cells
    assert ["memory", "pending-reboot", "memory.hugepages.1G.node0"] in cells
    assert ["time", "applied"] in cells


def test_status_tells_what_was_refused_beside_what_is_applied(root, capsys):
    root.apply(ONE)
    root.apply({"memory": {"hugepages": {"2M": {"node7": 1}}}})
    _, text = asked(root, capsys, "status")
    assert "refused   generation 2: impossible: memory.hugepages.2M.node7" in text
    assert json.loads(asked(root, capsys, "status", "-o", "json")[1])["applied"] == ONE


def test_status_tells_what_waits_for_its_window_also_after_a_boot(root, capsys):
    root.apply(ONE)
    root.apply(RESTARTS | {"update-window": window(opens_in_h=6)})
    for _ in range(2):
        _, text = asked(root, capsys, "status")
        assert "waiting   generation 2: window: time.servers: waits for the window" in text
        assert any(line.split() == ["time", "waiting"] for line in text.splitlines())
        Program(root.given).boot()


def test_diff_shows_both_values_and_its_status_says_that_there_are_any(root, capsys):
    root.apply(TWO)
    assert asked(root, capsys, "diff") == (0, "all settings are as they were applied\n")
    (root.tree / "etc/resolv.conf").write_text("")
    status, text = asked(root, capsys, "diff")
    assert status == 4
    assert text.splitlines() == [
        "SETTING      WANTED          FOUND",
        'dns.servers  ["192.0.2.53"]  -',
    ]
    status, raw = asked(root, capsys, "diff", "-o", "json")
    found = {"setting": "dns.servers", "wanted": '["192.0.2.53"]', "found": ""}
    assert (status, json.loads(raw)) == (4, {"drift": [found]})


def test_what_may_not_be_read_is_told(root, capsys):
    (root.given.told / "told.json").write_text("{")
    assert command(["config", "status", f"--told={root.given.told}"]) == 1
    assert "told.json" in capsys.readouterr().err
