import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import site_file

from roost_agent.ha.config_file import check


def verdict(paths, **changes):
    config, found = check(site_file.table() | {"paths": paths} | changes)
    return found, config.warnings if config else ()


def mqtt(broker, network):
    return {"driver": "mqtt", "broker": broker, "network": network}


def udp(network):
    return {"driver": "udp", "network": network}


def test_one_network_in_every_path_is_named():
    found, _ = verdict([mqtt("c0", "mgmt"), mqtt("c1", "mgmt"), udp("mgmt")])
    assert len(found) == 3  # of each pair of voters
    assert found[0].startswith(
        "paths: network mgmt is in every path between c0 and c1: its failure alone would"
    )


def test_one_network_may_be_accepted_and_stays_a_warning():
    found, warnings = verdict([mqtt("c0", "mgmt"), udp("mgmt")], single_network="accepted")
    assert found == []
    assert warnings[0] == "network mgmt carries every path between c0 and c1"


def test_accepting_a_network_accepts_no_broker_and_no_node():
    found, _ = verdict([mqtt("c0", "mgmt")], single_network="accepted")
    assert [each.partition(":")[2].partition(" is in")[0] for each in found] == [
        " the broker on c0",  # its own node is an end
        " the broker on c0",
        " the broker on c0",
        " node c0",  # between c1 and w1
    ]


def test_a_broker_in_every_path_is_named_though_the_networks_differ():
    found, _ = verdict([mqtt("c0", "mgmt"), mqtt("c0", "cluster")])
    assert any("the broker on c0 is in every path between c0 and c1" in each for each in found)
    assert any("node c0 is in every path between c1 and w1" in each for each in found)
    assert not any("network" in each.partition(":")[2].partition(" is in")[0] for each in found)


def test_two_brokers_on_two_networks_survive_any_one_failure_and_warn_of_the_second():
    ways = [mqtt(broker, net) for broker in ("c0", "c1") for net in ("mgmt", "cluster")]
    found, warnings = verdict(ways)
    assert found == []
    assert warnings[0] == (
        "only 2 paths between c0 and c1 have no network, broker or node in common, 3 are wanted: "
        '2 failures at once could cut them apart; add the path {driver="udp", network="oam"}'
    )
    assert verdict([*ways, udp("oam")]) == ([], ()), "it is what was to be added"


def test_where_no_network_is_left_one_more_is_wanted():
    table = site_file.table()
    table["paths"] = [mqtt("c0", "mgmt"), udp("cluster")]
    for node in table["node"]:
        del node["address"]["oam"]
    del table["group"][0]["vip"]
    config, found = check(table)
    assert found == []
    assert config.warnings[0].endswith("; put both on one more network, and add a path over it")


def test_three_networks_satisfy():
    assert verdict([mqtt("c0", "mgmt"), mqtt("c1", "cluster"), udp("oam")]) == ([], ())


def test_a_node_that_is_not_on_a_network_has_no_path_there():
    table = site_file.table()
    table["paths"] = [udp("mgmt"), udp("cluster")]
    del table["node"][2]["address"]["cluster"]
    assert [each for each in check(table)[1] if "between" in each] == [
        f"paths: network mgmt is in every path between {pair}: its failure alone would cut them"
        ' apart; add a network, or say single_network = "accepted"'
        for pair in ("c0 and w1", "c1 and w1")
    ]


def test_nodes_without_a_network_in_common_are_told():
    table = site_file.table()
    table["node"][2]["address"] = {}
    assert "paths: no path joins c0 and w1: they need a network in common" in check(table)[1]


@pytest.mark.parametrize("voters", [["c0"], ["c0", "c1"]])
def test_only_voters_are_looked_at(voters):
    table = site_file.table() | {"voters": voters, "paths": [mqtt("w1", "mgmt"), udp("oam")]}
    del table["witness"]
    assert not [each for each in check(table)[1] if "between" in each]


EVERY = [
    *(mqtt(broker, net) for broker in ("c0", "c1") for net in ("mgmt", "cluster")),
    *(udp(net) for net in ("mgmt", "cluster")),
]
ELEMENTS = [
    *(("network", net) for net in ("mgmt", "cluster")),
    *((kind, name) for kind in ("node", "broker") for name in ("c0", "c1")),
]
WORDS = {"network": "network {}", "node": "node {}", "broker": "the broker on {}"}


def carries(way, kind, name, ends):
    """Whether a path still joins two nodes once an element has failed; told without the graph."""
    if kind == "network":
        return way["network"] != name
    return way.get("broker") != name or (kind == "node" and name in ends)


@pytest.mark.parametrize("accepted", ["refused", "accepted"])
def test_of_all_sites_of_two_brokers_and_two_networks_those_that_one_failure_cuts_are_refused(
    accepted,
):
    """All choices of paths, each element failed in turn: the graph says what happens then."""
    refused = 0
    for bits in range(1, 1 << len(EVERY)):
        ways = [way for place, way in enumerate(EVERY) if bits >> place & 1]
        found, _ = verdict(ways, single_network=accepted)
        for ends in (("c0", "c1"), ("c0", "w1"), ("c1", "w1")):
            pair = " and ".join(ends)
            for kind, name in ELEMENTS:
                is_cut = not any(carries(way, kind, name, ends) for way in ways)
                is_waived = kind == "network" and accepted == "accepted"
                said = f"paths: {WORDS[kind].format(name)} is in every path between {pair}: "
                assert any(each.startswith(said) for each in found) == (is_cut and not is_waived)
        refused += bool(found)
    assert 0 < refused < (1 << len(EVERY)) - 1
