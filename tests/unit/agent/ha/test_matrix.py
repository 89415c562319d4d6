"""What a node is worth by whom it hears."""

from ha_site import beat

from roost_agent.ha.matrix import Report, Way, cuts, path_score, voters_seen
from roost_protocol.ha import LEAVING, Belief, LeaseState

WAYS = (Way("mgmt", 4, True), Way("cluster", 2, True), Way("cluster", 2, False))


def test_a_voter_counts_itself():
    assert voters_seen(0, {1: 0b1, 2: 0}, (0, 1, 2)) == 2
    assert voters_seen(9, {1: 0b1}, (0, 1, 2)) == 1


def test_a_network_counts_once_and_only_with_a_majority_on_one_path():
    assert path_score(0, {1: 0b111, 2: 0b111}, (0, 1, 2), WAYS) == 6
    assert path_score(0, {1: 0b110}, (0, 1, 2), WAYS) == 2
    assert path_score(3, {1: 0b001}, (0, 1, 2), WAYS) == 0
    assert path_score(0, {1: 0b001, 2: 0b010}, (0, 1, 2, 4, 5), WAYS) == 0


def test_a_cut_that_a_third_node_bridges_is_found():
    matrix = {0: {1: 0, 2: 1}, 1: {0: 1, 2: 1}, 2: {0: 1, 1: 1}}
    assert cuts(matrix) == [(0, 1, 2)]
    assert cuts({0: {1: 1, 2: 0}, 1: {0: 1, 2: 0}, 2: {0: 0, 1: 0}}) == []
    assert cuts({0: {1: 1}, 1: {0: 1}}) == []


def test_a_report_is_what_the_sender_says_of_itself():
    leases = {
        "db": Belief(5, 0, 900, LeaseState.HOLDING),
        "main": Belief(5, 1, 0, LeaseState.FOLLOWING),
        "web": Belief(5, 0, 900, LeaseState.STOPPING),
        "site": Belief(5, 1, 0, LeaseState.HOLDING),
    }
    report = Report.of(beat(0, 7, leases=leases, standing=LEAVING, barred=0b10), 400)
    assert report.holds == {"db", "web"}, "nobody holds for another"
    assert report.barred == {"main"}
    assert (report.standing, report.as_of_ms) == (LEAVING, 400)
