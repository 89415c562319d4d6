"""A pair of real nodes with a real centre as its witness: it fails over, and needs no WAN."""

import pytest
from broker import PROGRAM
from central_process import CentralProcess
from ha_netns import needs_netns
from ha_netns import site as made
from ha_plan import Plan
from ha_wan import Relay, WanBroker

pytestmark = [
    pytest.mark.netns,
    needs_netns,
    pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed"),
    pytest.mark.timeout(400),
]
OTHER = {"c0": "c1", "c1": "c0"}


class Wan:
    """The centre, its broker, and each node's way to it."""

    def __init__(self, folder, site):
        self.broker = WanBroker(folder)
        self.broker.start()
        keys = folder / "witness"
        keys.mkdir()
        file = keys / "lab.keys"
        lines = [line for line in site.keys.splitlines() if "witness" in line]
        file.write_text("\n".join(["[pairs]", *lines]) + "\n")
        file.chmod(0o600)
        self.centre = CentralProcess(folder, self.broker.url)
        self.centre.configure(f'[witness]\nkeys = "{keys}"\n')
        self.centre.start()
        self.centre.ready()
        self.relays = [Relay(node, self.broker.file) for node in site.nodes.values()]
        for relay in self.relays:
            relay.start()

    def close(self):
        for program in (*self.relays, self.centre, self.broker):
            program.kill()


@pytest.fixture
def site(tmp_path):
    with made(tmp_path, Plan(names=("c0", "c1"), has_wan_witness=True)) as site:
        wan = site.wan = Wan(tmp_path, site)
        try:
            yield site.start()
        finally:
            wan.close()
        assert site.oracle.overlap_ns() == 0
        epochs = [epoch for _, epoch in site.epochs()]
        assert epochs == sorted(set(epochs)), "every turn has a higher epoch"


def voters(site, node):
    """Who votes, as a node knows it."""
    told = site.nodes[node].status()
    return told and told["voters"]


def until_it_votes(site):
    """Wait until the witness votes, and what was granted without end has one."""
    three = ["c0", "c1", "witness"]
    site.until(
        lambda: all(voters(site, node) == three for node in site.nodes), "it votes", seconds=90
    )
    for node in site.nodes:
        site.until(lambda name=node: renewed(site, name), "its promises end", seconds=30)


def renewed(site, node):
    """Whether a node granted the group anew since the voters last changed."""
    told = site.nodes[node].explained()
    changes = [place for place, each in enumerate(told) if each.startswith("the voters are ")]
    return any(each.startswith("granted main") for each in told[changes[-1] :])


def heard_all(site):
    """How often the witness was told by both what they hold of a lease, in all of its starts."""
    return site.wan.centre.log.read_text().count("every node said what it holds")


def cut(site):
    for relay in site.wan.relays:
        relay.cut()


def test_a_pair_fails_over_by_its_vote_without_proof_and_a_restart_of_it_moves_nothing(site):
    active = site.settled()
    until_it_votes(site)
    site.wan.centre.kill()
    asked = heard_all(site)
    site.wan.centre.start()
    site.wan.centre.ready()
    site.until(lambda: heard_all(site) == asked + 2, "both said what they hold", seconds=60)
    assert (site.active(), len(site.epochs())) == (active, 1)
    other = OTHER[active]
    assert "witness at the centre  votes" in site.nodes[other].agent.ask("ha", "status")
    site.nodes[active].power_off()
    site.until(lambda: site.active() == other, "no proof is needed", seconds=90)


@pytest.mark.soak
def test_a_wan_that_goes_stops_nothing_with_both_there_and_with_one_alone(site):
    active = site.settled()
    until_it_votes(site)
    cut(site)
    site.until(lambda: voters(site, active) == ["c0", "c1"], "a pair again", seconds=90)
    for relay in site.wan.relays:
        relay.mend()
    until_it_votes(site)
    assert (site.active(), len(site.epochs())) == (active, 1)
    other = OTHER[active]
    site.nodes[active].power_off()
    site.until(lambda: site.active() == other, "no proof is needed", seconds=90)
    site.until(lambda: voters(site, other) == [other], "it votes alone", seconds=90)
    cut(site)
    site.nodes[active].start()
    site.until(lambda: voters(site, active) == ["c0", "c1"], "a pair again", seconds=90)
    assert site.settled() == other
    assert len(site.epochs()) == 2
