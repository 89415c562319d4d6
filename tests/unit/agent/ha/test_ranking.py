"""Which host is the better one, as everybody computes it."""

import pytest
from ha_site import H_MS, settled

from roost_agent.ha.membership_events import Score


def test_everybody_ranks_alike():
    site = settled(hosts=(0, 1))
    ranks = [node.members.rank((1, 0), site.now_ms) for node in site.nodes]
    assert ranks == [1, 0, 2], "by the order of the hosts; who is no host comes last"


@pytest.mark.parametrize("what", ["voters", "network", "health", "services"])
def test_what_makes_a_host_worse(what):
    site = settled()
    if what == "voters":
        site.cut = {(2, 0, None), (0, 2, None)}
    elif what == "network":
        site.cut = {(None, 0, 0)}
    elif what == "health":
        site.nodes[0].do(Score(500), site.now_ms)
    else:
        site.nodes[0].defs = site.nodes[0].members.ranking.defs = b"others!!"
    site.run(8 * H_MS)
    assert [node.members.rank((0, 1), site.now_ms) for node in site.nodes[:2]] == [1, 0]
    assert site.nodes[1].members.strangers() == ([0] if what == "services" else [])


def test_a_lost_host_is_nobodys_better():
    site = settled()
    site.nodes[0].is_up = False
    site.run(20 * H_MS)
    assert site.nodes[1].members.rank((0, 1), site.now_ms) == 0
    assert 0 not in site.nodes[1].members.matrix(site.now_ms)
