import os
import stat
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import site_file

from roost_agent.errors import ConfigError
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
    assert "roost-guard --lease-ms 6000 --tick-ms 100 --watchdog-s 5" in told


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
        "node[c0].index: 32: expected `int` <= 31",
        "group[main].model: '3N': must be one of N, N+M, 2N",
        "service[db].budget.stop_s: 'long': expected `float`, got `str`",
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
    assert faults(table) == ["timing.lease_ms: 'x': expected `int`, got `str`"]


def test_an_unknown_constant_gets_a_suggestion():
    table = site_file.table() | {"timing": {"leese_ms": 1}}
    assert faults(table) == ["timing.leese_ms: unknown key, did you mean lease_ms?"]


def test_two_voters_are_a_sticky_pair_and_need_no_stop_budget():
    table = site_file.table() | {"voters": ["c0", "c1"], "cold_start_alone": "wait"}
    del table["witness"]
    table["service"][0]["budget"]["stop_s"] = 60
    config, found = check(table)
    assert found == []
    assert config.is_sticky
    assert "no deadline" in summary(config)


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
