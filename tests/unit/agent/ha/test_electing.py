"""Who votes, as the parts of one node learn it; changes themselves are tested with whole cores."""

from types import SimpleNamespace

from ha_cores import Cores

from roost_agent.ha.proposer_events import Shown
from roost_protocol.voter_events import Configured


def test_before_this_start_is_on_disk_nothing_is_proposed_and_nobody_remembered(tmp_path):
    core = Cores(tmp_path).start(0).boxes[0].core
    header = SimpleNamespace(node=1, boot=b"1" * 16, inc=1, cfgver=core.electorate.cfgver)
    assert core.electing.propose(None, 0) == []
    assert core.electing.shown(header) is None
    assert core.provable == set()


def test_a_peers_life_is_news_once(tmp_path):
    site = Cores(tmp_path)
    site.start(0)
    site.run(100)
    electing = site.boxes[0].core.electing
    header = SimpleNamespace(node=1, boot=b"1" * 16, inc=1, cfgver=5)
    assert electing.shown(header) == Shown(1, b"1" * 16, 1, 5)
    assert electing.shown(header) is None


def test_all_that_count_voters_learn_of_others(tmp_path):
    site = Cores(tmp_path)
    site.start(0)
    site.run(100)
    core = site.boxes[0].core
    fewer = type(core.electorate)(core.electorate.cfgver + 1, (0, 1), (0, 1, 2), sticky=True)
    assert core.electing.adopt(Configured(fewer, frozenset(), None)) == [2]
    assert core.hosts["site"] == (0, 1)
    assert core.members.ranking.voters == core.members._suspicion.voters == (0, 1)
    assert core.quorum.electorate is fewer
    assert core.electing.adopt(Configured(fewer, frozenset(), None)) == []
