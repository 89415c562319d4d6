import os
import re
import stat
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import site_file

from roost_agent.errors import ConfigError
from roost_agent.guard.__main__ import options
from roost_agent.ha.check import summary
from roost_agent.ha.command import run
from roost_agent.ha.config_file import FILE_BYTES_MAX, check, load


def written(folder, text=site_file.TEXT):
    file = folder / "ha.toml"
    file.write_text(text)
    file.chmod(0o600)
    return file


def faults(table):
    config, found = check(table)
    assert config is None
    return found


def test_check_prints_what_the_file_means(tmp_path, capsys):
    assert run(["check", str(written(tmp_path))]) == 0
    told = capsys.readouterr().out
    assert "group     main: 2N on c0, c1, exclusive hard" in told
    assert (
        "roost-guard --lease-ms 6000 --tick-ms 100 --watchdog /dev/watchdog --watchdog-s 5" in told
    )


def test_the_guard_takes_the_options_that_check_prints():
    table = site_file.table()
    for said in ({}, {"tick_ms": 10}, {"tick_ms": 400}, {"watchdog_ms": 600_000}):
        config, found = check(table | {"timing": said})
        assert found == []
        (line,) = [each for each in summary(config).splitlines() if each.startswith("guard ")]
        words = line.split()
        given = options(words[words.index("roost-guard") + 1 :])
        assert given.watchdog == "/dev/watchdog"
        assert (given.lease_ms, given.tick_ms, given.watchdog_s * 1_000) == (
            config.timing.lease_ms,
            config.timing.tick_ms,
            config.timing.watchdog_ms,
        )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"tick_ms": 9}, "timing: tick_ms is 9: it must be 10 to 1000"),
        ({"tick_ms": 5_000}, "timing: tick_ms is 5000: it must be 10 to 1000"),
        ({"watchdog_ms": 2_500}, "timing: watchdog_ms is 2500: devices count whole seconds"),
    ],
)
def test_a_constant_that_the_guard_would_refuse_is_refused_here(said, told):
    (fault,) = faults(site_file.table() | {"timing": said})
    assert fault.startswith(told)


def test_a_verb_that_is_not_there_is_named(capsys):
    assert run(["chek"]) == 2
    assert "'chek'" in capsys.readouterr().err
    assert run([]) == 0


def test_every_fault_is_told_at_once():
    table = site_file.table()
    table["voter"] = []
    table["node"][0]["index"] = 32
    table["group"][0]["model"] = "3N"
    table["service"][0]["budget"]["stop_s"] = "long"
    table["service"][1]["run"] = ["web"]
    del table["service"][2]["group"]
    assert faults(table) == [
        "voter: unknown key, did you mean voters?",
        "node[c0].index: 32: must be a whole number from 0 to 31",
        "group[main].model: '3N': must be one of N, N+M, 2N",
        "service[db].budget.stop_s: 'long': must be a number from 0.1 to 3,600",
        "service[web].run: ['web']: must be a table",
        "service[log].group: missing",
    ]


def test_a_long_value_is_not_quoted_whole():
    assert len(faults(site_file.table() | {"profile": "x" * 10_000})[0]) < 300


def test_too_many_tables_are_told_with_the_bound():
    table = site_file.table()
    table["group"] = [table["group"][1] | {"name": f"g{number}"} for number in range(16)]
    assert "group: 16 tables: bound 0..15" in faults(table)


def test_a_stop_that_does_not_fit_the_lease_names_the_lease_that_would():
    table = site_file.table()
    table["service"][1]["budget"]["stop_s"] = 0.6
    found = faults(table)
    assert len(found) == 1
    assert "needs a lease of more than 6200 ms (stopping web after db)" in found[0]


def test_a_stop_that_just_fits_is_taken():
    table = site_file.table()
    table["service"][1]["budget"]["stop_s"] = 0.49
    assert check(table)[1] == []


def test_single_constants_are_replaced():
    table = site_file.table() | {"timing": {"lease_ms": 9_000}}
    config, _ = check(table)
    assert config.timing.lease_ms == 9_000
    assert config.cfgver != check(site_file.table())[0].cfgver
    table["timing"] = {"leese_ms": 1, "lease_ms": "x"}
    assert faults(table) == [
        "timing.lease_ms: 'x': must be a whole number",
        "timing.leese_ms: unknown key, did you mean lease_ms?",
    ]


def test_an_unknown_constant_gets_a_suggestion():
    table = site_file.table() | {"timing": {"leese_ms": 1}}
    assert faults(table) == ["timing.leese_ms: unknown key, did you mean lease_ms?"]


def test_an_unknown_constant_hides_no_stop_that_is_too_long():
    table = site_file.table() | {"timing": {"leese_ms": 1}}
    table["service"][0]["budget"]["stop_s"] = 9
    told = faults(table)
    assert told[0].startswith("timing.leese_ms: unknown key")
    assert "stopping takes 9300 ms" in told[1]


def test_a_cycle_hides_no_stop_that_is_too_long():
    table = site_file.table()
    table["service"][0] |= {"depends": ["web"], "budget": {"stop_s": 9}}
    told = faults(table)
    assert "stopping takes 9000 ms" in told[0], "of those that wait for nobody, at least"
    assert told[1] == "service.depends: a cycle: db -> web -> db"


def test_a_table_that_does_not_hold_hides_no_fault_between_the_others():
    table = site_file.table()
    table["node"][0]["index"] = 32
    table["service"][1]["budget"] = "short"
    table["voters"] = ["c0", "c1", "c1", "x"]
    table["group"][1] |= {"hosts": ["c0", "y"], "model": "2N"}
    table["group"].append({"name": "solo", "model": "2N", "hosts": ["c1"]})
    assert faults(table) == [
        "node[c0].index: 32: must be a whole number from 0 to 31",
        "service[web].budget: 'short': must be a table",
        "voters: 'c1' stands there twice",
        "voters: 'x' is no node; there are c1, w1, c0",
        "voters: 4 voters: must be 1, 3 or 5, or two as a sticky pair",
        "group[agents].hosts: 'y' is no node; there are c1, w1, c0",
        "group[agents].hosts: y: only a voter may host a 2N group",
        'group[solo].hosts: 1 host: model "2N" needs 2 or more',
    ]


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("voters",), "c0"),
        (("networks", 1, "weight"), "heavy"),
        (("node", 0, "index"), "first"),
        (("node",), []),
        (("group", 0, "hosts"), "c0"),
        (("group", 0), []),
        (("service", 0, "run"), "db"),
        (("service", 1, "run"), 5),
        (("paths", 0, "driver"), "tcp"),
        (("profile",), "slow"),
        (("single_network",), "perhaps"),
        (("timing",), {"margin_ms": "long"}),
        (("fence",), [{"node": "c0"}, {"node": "c1"}]),
    ],
    ids=str,
)
def test_no_fault_is_told_that_only_follows_from_another(where, value):
    table = site_file.table() | {"timing": {"lease_ms": 9_000}}
    table["service"][1]["budget"]["stop_s"] = 1.9  # too long without these 9 s
    table["group"][0]["hard_by"] = "fence"
    table["fence"] = [
        {"node": node, "driver": "command", "command": ["/x"]} for node in ("c0", "c1")
    ]
    assert check(table)[1] == []
    *above, last = where
    at = table
    for key in above:
        at = at[key]
    at[last] = value
    assert {re.match("[a-z_]+", each)[0] for each in faults(table)} == {where[0]}


def test_a_probe_whose_answer_may_take_longer_than_its_interval_is_noted():
    table = site_file.table()
    table["service"][0]["active"] |= {"interval_s": 1, "timeout_s": 4}
    config, found = check(table)
    assert found == []
    assert "WARNING   service[db].active: an answer may take 4 s (timeout_s)" in summary(config)


def test_two_voters_are_a_sticky_pair_and_need_no_stop_budget():
    table = site_file.table() | {"voters": ["c0", "c1"], "cold_start_alone": "wait"}
    del table["witness"]
    table["service"][0]["budget"]["stop_s"] = 60
    config, found = check(table)
    assert found == []
    assert config.is_sticky
    assert "no deadline" in summary(config)


def test_a_last_holder_that_starts_alone_is_another_configuration_and_takes_no_proof():
    table = site_file.table() | {"voters": ["c0", "c1"]}
    del table["witness"]
    waiting, _ = check(table)
    table["cold_start_alone"] = "last_holder"
    alone, found = check(table)
    assert found == []
    assert (waiting.starts_alone, alone.starts_alone) == (False, True)
    assert alone.cfgver != waiting.cfgver
    fence = {"driver": "command", "command": ["/x"]}
    table["fence"] = [{"node": node, **fence} for node in ("c0", "c1")]
    assert any("takes no proof" in each for each in check(table)[1])
    del table["fence"]
    assert any("of a pair alone" in each for each in check(table | {"witness": "central"})[1])


def test_without_paths_there_is_udp_on_every_network():
    table = site_file.table()
    del table["paths"]
    config, _ = check(table)
    assert [(way.driver, way.network) for way in config.paths] == [
        ("udp", "mgmt"),
        ("udp", "cluster"),
        ("udp", "oam"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [("a = [", "not TOML"), ("\xff", "not TOML"), ("#" * (FILE_BYTES_MAX + 1), "longer than")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, text, told):
    file = tmp_path / "ha.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=told):
        load(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"ha\.toml: No such file"):
        load(tmp_path / "ha.toml")


def test_a_file_that_others_may_write_is_refused(tmp_path):
    file = written(tmp_path)
    file.chmod(file.stat().st_mode | stat.S_IWOTH)
    with pytest.raises(ConfigError, match="mode 0602"):
        load(file)


@pytest.mark.skipif(os.geteuid() != 0, reason="kernel lacks a second user for this test")
def test_a_file_of_another_user_is_refused(tmp_path):
    file = written(tmp_path)
    os.chown(file, 12_345, -1)
    with pytest.raises(ConfigError, match="belongs to user 12345"):
        load(file)
