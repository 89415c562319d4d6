"""What a site with a witness at the centre must be like."""

import pytest
import site_file

from roost_agent.ha.config_file import check
from roost_protocol.configuration import GENERATIONS


def pair():
    said = site_file.table()
    said["voters"], said["witness"] = ["c0", "c1"], "central"
    return said


def test_a_pair_may_have_one_and_is_another_site_than_without():
    config, faults = check(pair())
    assert (faults, config.has_wan_witness, config.is_sticky) == ([], True, True)
    plain, _ = check(pair() | {"witness": "none"})
    assert config.cfgver // GENERATIONS != plain.cfgver // GENERATIONS


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("profile", "fast", "timing: beat_ms is 150: a request to a witness at the centre may be"),
        ("wan_witness", {"gone_s": 50}, "wan_witness.gone_s: 50: a witness that restarts"),
        ("wan_witness", {"lost_s": 59}, "wan_witness.lost_s: 59: must be gone_s (60) or more"),
        ("wan_witness", {"probe_s": 0.5}, "wan_witness.probe_s"),
        ("voters", ["c0", "c1", "w1"], "it is the third voter of two, and there are 3"),
    ],
)
def test_what_does_not_go_with_it_is_refused(key, value, why):
    said = pair() | {key: value}
    config, faults = check(said)
    assert config is None
    assert any(why in each for each in faults), faults


@pytest.mark.parametrize(("key", "value"), [("index", 31), ("name", "witness")])
def test_its_number_and_name_are_no_node_s(key, value):
    said = pair()
    said["node"][2][key] = value
    assert any(f"node[{said['node'][2]['name']}].{key}: " in each for each in check(said)[1])


def test_a_stop_must_fit_a_lease_that_ends():
    said = pair()
    said["service"][0]["budget"] = {"stop_s": 30}
    assert any("stopping takes" in each for each in check(said)[1])


def test_a_group_that_waits_for_proof_forbids_the_changes_that_it_comes_by():
    said = pair()
    said["group"][0]["hard_by"] = "fence"
    assert any("comes and goes by changes of the voters" in each for each in check(said)[1])
