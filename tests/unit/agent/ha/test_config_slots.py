"""What the file may say of an N+M group, and the slots that it becomes."""

import pytest
import site_file

from roost_agent.ha.config_file import check

POOL = {"name": "pool", "model": "N+M", "hosts": ["c0", "c1", "w1"], "active": 2}
PRESS = {"name": "press", "group": "pool", "run": {"start": ["/usr/bin/press"]}}


def checked(**changes):
    table = site_file.table()
    del table["witness"]
    table["group"].append({**POOL, **changes})
    table["service"].append(PRESS)
    return check(table)


def test_a_group_becomes_slots_with_the_same_hosts_and_services():
    config, faults = checked()
    assert faults == []
    assert config.lease_names() == ("site", "main", "pool-1", "pool-2")
    slot = config.group("pool-2")
    assert (slot.family, slot.hosts, slot.has_lease) == ("pool", ("c0", "c1", "w1"), True)
    assert [each.name for each in config.services_of("pool-2")] == ["press"]
    assert [each.name for each in config.services_of("main")] == ["db", "web"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"active": None}, "group[pool].active: missing"),
        ({"active": 3}, "group[pool].hosts: 3 hosts: 3 active and 1 standby need 4"),
        ({"standby": 2}, "group[pool].hosts: 3 hosts: 2 active and 2 standby need 4"),
        ({"vip": [{"address": "10.0.2.20/24", "network": "oam"}]}, "group[pool].vip: an address"),
        ({"preempt": 60}, 'group[pool].preempt: 60: model "N+M"'),
        ({"on_no_quorum": "continue"}, "group[pool].on_no_quorum: 'continue'"),
        ({"name": "p" * 31}, "its slots' names pass 32 characters"),
        ({"hosts": ["c0", "c1", "c9"]}, "group[pool].hosts: c9: in this version only a voter"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_what_does_not_hold_is_refused(changes, told):
    config, found = checked(**{key: value for key, value in changes.items() if value is not None})
    if changes == {"active": None}:
        table = site_file.table()
        table["group"].append({key: value for key, value in POOL.items() if key != "active"})
        config, found = check(table)
    assert config is None
    assert [each for each in found if told in each], found


def test_a_unit_has_one_place_to_run_and_slots_have_many():
    table = site_file.table()
    del table["witness"]
    table["group"].append(POOL)
    table["service"].append(PRESS | {"run": {"systemd": "press.service"}})
    _, found = check(table)
    assert [each.partition(":")[0] for each in found] == ["service[press].run.systemd"]


def test_a_standby_of_none_is_allowed():
    assert checked(active=3, standby=0)[1] == []


def test_a_pair_has_no_majority_for_slots():
    table = site_file.table()
    del table["witness"]
    table["voters"] = ["c0", "c1"]
    table["group"].append({**POOL, "hosts": ["c0", "c1"], "active": 1})
    table["service"].append(PRESS)
    assert 'group[pool].model: "N+M" needs three or five voters' in check(table)[1]


def test_slots_count_as_leases_and_have_names_of_their_own():
    table = site_file.table()
    del table["witness"]
    table["group"] += [{**POOL, "name": f"pool{n}"} for n in range(8)]
    table["service"] += [{**PRESS, "name": f"s{n}", "group": f"pool{n}"} for n in range(8)]
    assert any(each.startswith("group: 18 leases") for each in check(table)[1])
    table = site_file.table()
    del table["witness"]
    table["group"] += [POOL, {**POOL, "name": "pool-2", "model": "2N", "hosts": ["c0", "c1"]}]
    del table["group"][-1]["active"]
    table["service"] += [PRESS, {**PRESS, "name": "other", "group": "pool-2"}]
    assert "group: 'pool-2' is a group's name and a slot's" in check(table)[1]
