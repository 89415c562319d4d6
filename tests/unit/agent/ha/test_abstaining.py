"""The alarm of a voter that abstains for its disk: by what it lacks, and once."""

from roost_agent.ha import core_events as ev
from roost_agent.ha.abstaining import ABSTAINS, OLDER, REFUSES, Abstaining
from roost_protocol.voter_rules import BLANK, BOOT_WAIT


class Voter:
    lack = ""

    def lacks(self, _now_ms):
        return self.lack


def test_a_disk_that_takes_nothing_is_told_once_and_so_is_its_end():
    abstaining = Abstaining(Voter().lacks)
    assert abstaining.look(0) is None
    abstaining.is_disk_bad = True
    assert abstaining.look(0) == ev.Raise(ABSTAINS, {"reason": REFUSES})
    assert abstaining.look(1) is None
    abstaining.is_disk_bad = False
    assert abstaining.look(2) == ev.Clear(ABSTAINS)


def test_an_older_disk_is_told_until_every_node_said_what_it_holds():
    voter = Voter()
    abstaining = Abstaining(voter.lacks)
    voter.lack = BLANK
    assert abstaining.look(0) is None, "one that is only new lacks nothing of its own"
    abstaining.rolled_back()
    assert abstaining.look(1) == ev.Raise(ABSTAINS, {"reason": OLDER})
    abstaining.is_disk_bad = True
    assert abstaining.look(2) == ev.Raise(ABSTAINS, {"reason": REFUSES})
    abstaining.is_disk_bad = False
    assert abstaining.look(3) == ev.Raise(ABSTAINS, {"reason": OLDER})
    voter.lack = BOOT_WAIT
    assert abstaining.look(4) == ev.Clear(ABSTAINS)
    voter.lack = BLANK
    assert abstaining.look(5) is None, "what it lacks later has another cause"
