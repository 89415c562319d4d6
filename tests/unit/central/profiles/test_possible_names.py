"""What a document names and a node has not, by the node's own word."""

from roost_central.profiles.possible import Machine, impossible, needs_inventory, needs_machine
from roost_central.profiles.possible_names import HaNames, Names, ha_names
from roost_protocol.ha_report import HaGroup, HaReport, HaRole

REPORT = HaReport(
    v=1,
    profile="fast",
    nodes=["n1", "n2"],
    voters=["n1", "n2"],
    cfgver=1,
    groups=[
        HaGroup(name="site", model="site", hosts=[], role=HaRole.ACTIVE),
        HaGroup(name="db", model="2N", hosts=["n1", "n2"], role=HaRole.ACTIVE),
        HaGroup(name="web-1", model="N+M", hosts=["n1", "n2"], role=HaRole.VOTER),
        HaGroup(name="web-2", model="N+M", hosts=["n1", "n2"], role=HaRole.VOTER),
    ],
    services=["postgres", "nginx"],
)
KNOWN = Machine(names=Names(frozenset({"fibre", "lte"}), ha_names(REPORT)))


def faults(sections, machine=KNOWN):
    return [(each.where, each.bound) for each in impossible(sections, machine)]


def test_names_that_a_node_has_may_be_said():
    sections = {
        "paths": {"wan": {"lte": {"metered": True}}, "beat_interval_s": 60},
        "ha": {
            "groups": {"db": {"hosts": ["n2", "n1"]}, "web": {"active": 1}},
            "services": {"nginx": {"enabled": False}},
        },
    }
    assert needs_machine(sections)
    assert not needs_inventory(sections)
    assert faults(sections) == []


def test_names_that_it_has_not_are_refused_with_those_that_it_has():
    assert faults({"paths": {"wan": {"dsl": {"metered": True}}}}) == [
        ("paths.wan.dsl", "it has no WAN path of that name; it has fibre, lte")
    ]
    assert faults({"ha": {"groups": {"dbs": {"preempt_s": 1}}}}) == [
        ("ha.groups.dbs", "it has no group of that name; it has db, web")
    ]
    assert faults({"ha": {"services": {"pg": {"enabled": False}}}}) == [
        ("ha.services.pg", "it has no service of that name; it has nginx, postgres")
    ]
    [(where, bound)] = faults({"ha": {"groups": {"db": {"hosts": ["n1", "n9"]}}}})
    assert where == "ha.groups.db.hosts"
    assert bound.startswith("it has no node n9")


def test_what_a_node_did_not_tell_is_left_to_it():
    sections = {
        "paths": {"wan": {"dsl": {"metered": True}}},
        "ha": {"groups": {"dbs": {"preempt_s": 1}}, "services": {"pg": {"enabled": False}}},
    }
    assert faults(sections, Machine()) == []
    older = HaNames(frozenset({"dbs"}), None, frozenset())  # an agent that tells no services
    assert faults(sections, Machine(names=Names(None, older))) == []


def test_settings_that_name_nothing_need_no_word():
    assert not needs_machine({"paths": {"beat_interval_s": 60}})
