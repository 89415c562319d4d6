import copy
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import site_file

from roost_agent.errors import ConfigError
from roost_agent.ha.config import LEASES_MAX, SERVICES_MAX, Group, Service
from roost_agent.ha.config_overlay import checked
from roost_protocol.profile import ha as schema
from roost_protocol.profile.check import faults


def test_what_a_profile_says_stands_over_the_file_and_the_file_is_not_changed():
    table = site_file.table()
    before = copy.deepcopy(table)
    said = {
        "groups": {"main": {"hosts": ["c1", "c0"], "preempt_s": 300}},
        "services": {"web": {"enabled": False}, "db": {"impact": "minor"}},
    }
    config = checked(table, said)
    assert table == before
    assert (config.group("main").hosts, config.group("main").preempt) == (("c1", "c0"), 300)
    assert [each.name for each in config.services] == ["db", "log", "cron"]
    assert config.services[0].impact == "minor"
    assert config.services[0].run.start == ("/usr/bin/db",)  # of the file
    assert checked(table, {}).group("main").hosts == ("c0", "c1")


def test_zero_seconds_mean_that_a_group_stays_where_it_is():
    table = site_file.table()
    table["group"][0]["preempt"] = 60
    assert checked(table, {}).group("main").preempt == 60
    assert checked(table, {"groups": {"main": {"preempt_s": 0}}}).group("main").preempt == "never"


def test_neither_voters_nor_times_can_be_touched_and_no_right_depends_on_the_rest():
    table = site_file.table()
    said = {"groups": {"main": {"hosts": ["c1", "c0"]}}, "services": {"web": {"enabled": False}}}
    assert checked(table, said).cfgver == checked(table, {}).cfgver
    for key in ("voters", "profile", "timing", "nodes", "networks", "key_file"):
        assert faults({"ha": {key: "x"}})[0].code == "field"
    for key in ("model", "vip", "hard_by", "on_no_quorum"):
        assert faults({"ha": {"groups": {"main": {key: "x"}}}})[0].code == "field"
    for key in ("run", "start", "eligible", "active", "group"):
        assert faults({"ha": {"services": {"web": {key: "x"}}}})[0].code == "field"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            {"groups": {"dbs": {"preempt_s": 1}}},
            "groups.dbs: ha.toml has no such group; it has main, agents",
        ),
        (
            {"services": {"www": {"enabled": True}}},
            "services.www: ha.toml has no such service; it has db, web, log, cron",
        ),
        ({"groups": {"main": {"hosts": ["c0", "c9"]}}}, "group[main].hosts: 'c9' is no node"),
        ({"groups": {"main": {"hosts": ["c0"]}}}, 'model "2N" needs 2 or more'),
        ({"groups": {"main": {"active": 2}}}, 'group[main].active: only model "N+M" has it'),
        ({"services": {"db": {"enabled": False}}}, "service[web].depends: 'db' is no service"),
        (
            {"services": {"log": {"enabled": False}, "cron": {"enabled": False}}},
            "group[agents]: has neither a service nor a vip",
        ),
    ],
)
def test_what_the_two_cannot_be_together_is_refused(said, told):
    assert faults({"ha": said}) == []
    with pytest.raises(ConfigError) as refused:
        checked(site_file.table(), said)
    assert any(told in each for each in refused.value.faults), refused.value.faults


def test_a_file_with_faults_of_its_own_tells_these():
    table = site_file.table()
    table["group"] = "x"
    with pytest.raises(ConfigError, match="group"):
        checked(table, {"groups": {"main": {"preempt_s": 1}}})


def test_the_slots_of_a_group_have_its_name():
    table = site_file.table()
    table["group"][0] = {
        "name": "main",
        "model": "N+M",
        "hosts": ["c0", "c1", "w1"],
        "active": 1,
        "standby": 1,
    }
    table["witness"] = "none"
    del table["service"][0]["active"]
    config = checked(table, {"groups": {"main": {"active": 2}}})
    assert [each.name for each in config.groups] == ["main-1", "main-2", "agents"]


def test_the_schema_names_what_the_file_knows():
    assert schema.SERVICES_MAX == SERVICES_MAX
    assert schema.GROUPS_MAX == LEASES_MAX - 1
    known = {"hosts", "active", "standby", "preempt"}
    assert known <= set(Group.__struct_fields__)
    assert "impact" in Service.__struct_fields__
