"""What a node says of its site's file: a voter has all of it that it needs."""

from roost_protocol.configuration import Configuration
from roost_protocol.electorate import Electorate
from roost_protocol.enlistment import Enlistment
from roost_protocol.limits import HA_FRAME_BYTES_MAX
from roost_protocol.terms import Terms
from roost_protocol.voter_state import encode

CFG = Configuration(7 << 20, (0, 1), sticky=True)


def test_a_voter_begins_by_it():
    said = Enlistment(CFG, (0, 1, 5), 6_000, 1_000, 100, 1_000, {"site": 0, "main": 5_000})
    assert said.electorate == Electorate(7 << 20, (0, 1), (0, 1, 5), sticky=True)
    assert said.terms == Terms(6_000, 1_000, 100, 1_000)


def test_that_of_the_largest_site_leaves_a_frame_half_empty():
    leases = {f"{n:0>32}": 600_000 for n in range(16)}
    said = Enlistment(CFG, tuple(range(31)), 600_000, 600_000, 2_000, 600_000, leases)
    assert len(encode(said)) < 0.6 * HA_FRAME_BYTES_MAX
