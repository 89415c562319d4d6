import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import site_file

from roost_agent.ha.config_file import check


def with_change(table, where, value):
    *above, last = where
    for key in above:
        table = table[key]
    if value is None:
        del table[last]
    else:
        table[last] = value


VIP = [{"address": "10.0.2.10/24", "network": "oam"}]

# where to change the whole file, to what (None: away), what must be told
FAULTS = [
    (("node", 1, "name"), "c0", "node: 'c0' stands there twice"),
    (("node", 1, "index"), 0, "node.index: 0 stands there twice"),
    (("group", 1, "name"), "main", "group: 'main' stands there twice"),
    (("group", 0, "name"), "site", "is the name of the built-in lease"),
    (("service", 1, "name"), "db", "service: 'db' stands there twice"),
    (("voters",), ["c0", "c1", "c1"], "voters: 'c1' stands there twice"),
    (("voters",), ["c0", "c1", "x"], "voters: 'x' is no node; there are c0, c1, w1"),
    (("voters",), [], "0 voters: must be 1, 3 or 5, or two as a sticky pair"),
    (("node", 0, "address", "wan"), "10.9.9.9", "node[c0].address: 'wan' is no network"),
    (("node", 0, "address", "oam"), "10.0.2", "'10.0.2': must be an IP address"),
    (("node", 0, "address", "oam"), "10.0.2.2", "'10.0.2.2' is c0's too"),
    (("node", 2, "peer_group"), "a", "node[w1].peer_group: 'a': only a node of role = \"storage\""),
    (("paths", 0, "network"), "lan", "paths[0].network: 'lan' is no network"),
    (("paths", 0, "broker"), None, "paths[0].broker: missing"),
    (("paths", 0, "broker"), "c9", "paths[0].broker: 'c9' is no node"),
    (("paths", 2, "broker"), "c0", "paths[2].broker: 'c0': driver = \"udp\" has no broker"),
    (("paths", 3, "network"), "cluster", "paths: udp over cluster stands there twice"),
    (("node", 0, "address", "mgmt"), None, "the broker on c0 has no address on mgmt"),
    (("witness",), "central", 'witness: "central": it is the third voter of two'),
    (("on_full_cut",), "fence_incumbent", "on_full_cut: c0, c1, w1: has no [[fence]]"),
    (("on_full_cut",), "keep_incumbent", "on_full_cut: only a sticky pair uses it"),
    (("cold_start_alone",), "wait", "cold_start_alone: only a sticky pair uses it"),
    (("group", 0, "active"), 3, 'group[main].active: only model "N+M" has it'),
    (("group", 0, "hosts"), ["c0"], 'group[main].hosts: 1 host: model "2N" needs 2 or more'),
    (("group", 0, "hosts"), ["c0", "c0"], "group[main].hosts: 'c0' stands there twice"),
    (("group", 0, "hosts"), ["c0", "c9"], "group[main].hosts: 'c9' is no node"),
    (
        ("group", 0, "on_no_quorum"),
        "freeze",
        'on_no_quorum: \'freeze\' is not in this version: "stop" or "reboot"',
    ),
    (("group", 1, "on_no_quorum"), "stop", "on_no_quorum: 'stop' is not in this version: \"con"),
    (("group", 0, "hard_by"), "fence", "group[main].hard_by: c0, c1: has no [[fence]]"),
    (("group", 1, "hard_by"), "fence", 'group[agents].hard_by: "fence": model "N" is active'),
    (("fence",), [{"node": "x", "driver": "command", "command": ["/x"]}], "'x' is no node"),
    (("cold_start_alone",), "last_holder", "cold_start_alone: only a sticky pair uses it, and"),
    (("group", 0, "requires_active"), ["x"], "group[main].requires_active: 'x' is no group"),
    (("networks", 0, "gateway"), "x", "networks[mgmt].gateway: 'x': must be an IP address"),
    (("group", 1, "requires_active"), ["main"], 'group[agents].requires_active: model "N" is'),
    (("group", 0, "requires_active"), ["main"], "a cycle: main -> main"),
    (("group", 1, "vip"), VIP, 'group[agents].vip: model "N" is active everywhere'),
    (("group", 0, "vip", 0, "network"), "lan", "group[main].vip.network: 'lan' is no network"),
    (("group", 0, "vip", 0, "address"), "10.0.2.10", "must be ADDRESS/LENGTH"),
    (("group", 0, "vip", 0, "address"), "ten/8", "'ten/8': must be ADDRESS/LENGTH"),
    (("group", 0, "vip", 0, "address"), "10.0.2.1/24", "is node c0's own address"),
    (("group", 0, "vip"), VIP * 2, "is group main's too"),
    (("networks", 2, "interface"), None, "networks[oam].interface: missing"),
    (("service", 0, "group"), "x", "service[db].group: 'x' is no group"),
    (("service", 0, "exclusive"), "none", 'service[db].exclusive: "none": model "2N" needs'),
    (("service", 2, "exclusive"), "hard", "service[log].exclusive: 'hard': model \"N\""),
    (("service", 2, "eligible"), ["/bin/ok"], "service[log].eligible: '/bin/ok'"),
    (("service", 2, "ladder"), ["failover"], 'service[log].ladder: "failover": model "N"'),
    (("service", 2, "depends"), ["db"], "service[log].depends: 'db' is no service of group agents"),
    (("service", 0, "depends"), ["web"], "service.depends: a cycle: db -> web -> db"),
    (("service", 0, "run"), {}, "service[db].run: nothing: must be one of"),
    (("service", 2, "run", "ocf"), "/x", "service[log].run: start and ocf: must be one of"),
    (("service", 3, "run", "stop"), ["/x"], "service[cron].run.stop: only a start command has"),
    (("service", 0, "run"), {"systemd": "cron.service"}, "'cron.service' is service[db]'s too"),
    (("service", 2, "run", "start"), ["log"], "'log': a program is named by its absolute path"),
    (("service", 0, "eligible"), ["ok"], "service[db].eligible: 'ok': a program is named"),
    (("service", 0, "active", "probe"), ["p"], "service[db].active.probe: 'p': a program"),
    (("service", 0, "passive"), ["log:x"], "'log:x': no log is watched in this version"),
    (("service", 0, "passive"), ["ping"], "'ping': must be one of pidfd, systemd, cgroup-empty"),
    (("service", 3, "passive"), ["pidfd"], '"pidfd": only a start command'),
    (("service", 2, "passive"), ["systemd"], '"systemd": it runs no systemd unit'),
    (("service", 2, "passive"), [], "service[log].passive: nothing watches it"),
    (("service", 0, "ladder"), ["restart:0/600"], "'restart:0/600': must be restart:COUNT/SECONDS"),
    (("service", 0, "ladder"), ["pray"], "'pray': must be restart:COUNT/SECONDS, failover"),
    (("service", 0, "ladder"), ["reboot", "failover"], "reboot, failover: must be"),
]


@pytest.mark.parametrize(("where", "value", "told"), FAULTS, ids=[each[2] for each in FAULTS])
def test_what_does_not_hold_is_refused(where, value, told):
    table = site_file.table()
    with_change(table, where, value)
    config, found = check(table)
    assert config is None
    assert [each for each in found if told in each], found


def test_a_reboot_is_taken_as_the_last_rung_and_for_want_of_a_majority():
    table = site_file.table()
    table["group"][0]["on_no_quorum"] = "reboot"
    table["service"][0]["ladder"] = ["restart:3/600", "failover", "node-fail", "reboot"]
    assert check(table)[1] == []


def test_the_owner_of_a_pair_is_not_rebooted_for_want_of_a_majority():
    table = site_file.table()
    table["voters"] = ["c0", "c1"]
    del table["witness"]
    table["group"][0]["on_no_quorum"] = "reboot"
    assert any('on_no_quorum: "reboot": the owner of a pair' in each for each in check(table)[1])


def test_nothing_is_fenced_for_a_group_that_is_not_hard():
    table = site_file.table()
    table["group"][0]["hard_by"] = "fence"
    for service in table["service"]:
        service.pop("exclusive", None)
    assert any('hard_by: "fence": no service of it has' in each for each in check(table)[1])


def test_what_is_hard_by_fencing_is_another_configuration_for_the_voters():
    table = site_file.table()
    before, _ = check(table)
    table["group"][0]["hard_by"] = "fence"
    table["service"][0]["exclusive"] = "hard"
    table["fence"] = [
        {"node": node, "driver": "command", "command": ["/x"]} for node in ("c0", "c1")
    ]
    after, faults = check(table)
    assert faults == []
    assert after.by_proof() == ("main",)
    assert after.cfgver != before.cfgver


def test_a_witness_that_hosts_is_none():
    table = site_file.table()
    table["group"][1]["hosts"] = ["w1"]
    assert any(each.startswith('witness: "node"') for each in check(table)[1])


def test_only_a_voter_may_host_what_has_a_lease():
    table = site_file.table()
    table["voters"] = ["c0"]
    del table["witness"]
    assert "group[main].hosts: c1: only a voter may host a 2N group" in check(table)[1]


def test_a_group_with_nothing_in_it_is_refused():
    table = site_file.table()
    del table["service"][2:]
    assert "group[agents]: has neither a service nor a vip" in check(table)[1]


def test_two_services_may_need_one_and_the_longest_chain_counts():
    table = site_file.table()
    table["service"][0]["budget"]["stop_s"] = 1.0
    table["service"].append(dict(table["service"][1], name="api"))
    assert check(table)[1] == []


def test_a_group_that_each_node_runs_for_itself_is_required_only_where_it_runs():
    table = site_file.table()
    table["group"][0]["requires_active"] = ["agents"]
    assert not [fault for fault in check(table)[1] if "requires_active" in fault]
    table["group"][1]["hosts"] = ["c0"]
    faults = check(table)[1]
    assert "group[main].requires_active: 'agents' does not run on c1" in faults
