"""Whole cores whose voters change: by an operator's word, and with a witness at the centre."""

import pytest
from ha_cores import Cores
from ha_site import beat

from roost_agent.ha import core_events as ev
from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.proposer_events import Wanted
from roost_central.witness.core import SiteWitness
from roost_central.witness.events import FrameIn, Keep, Persisted, Tell, Tick
from roost_protocol.configuration import WITNESS
from roost_protocol.voter_state import VoterState


@pytest.fixture
def site(tmp_path):
    return Cores(tmp_path)


@pytest.fixture
def pair(tmp_path):
    return Cores(tmp_path, names=("c0", "c1"), more="")


def promise_ms(site):
    return site.config.timing.promise_ms()


def coordinator(site):
    return next(box for box in site.boxes if box.is_up and box.lease(SITE_LEASE).is_held)


def change(site, node, *, is_added, **more):
    """Have the voters changed, and wait until all nodes are under the new configuration."""
    before = max(box.core.electorate.cfgver for box in site.boxes if box.is_up)
    assert site.tell(coordinator(site).index, Wanted(node, is_added=is_added, **more)).ok
    site.until(
        lambda: {box.core.electorate.cfgver for box in site.boxes if box.is_up} == {before + 1}
    )


def test_a_third_voter_joins_a_pair_and_its_right_has_an_end_from_then_on(tmp_path):
    site = Cores(tmp_path, names=("c0", "c1", "w1"), voters=("c0", "c1"), more="")
    active = site.settled()
    held = site.boxes[active]
    epoch = held.runs["main"]
    assert held.holds["main"] == (epoch, None)
    change(site, 2, is_added=True)
    assert {box.core.electorate.voters for box in site.boxes} == {(0, 1, 2)}
    assert not any(box.core.electorate.sticky for box in site.boxes)
    site.run(20_000)
    assert held.runs == {"main": epoch} | {k: v for k, v in held.runs.items() if k != "main"}
    assert held.holds["main"][1] is not None
    held.is_up = False
    held.runs.clear()
    assert site.until(site.holders) < promise_ms(site) + 2_000


def test_a_voter_leaves_and_the_pair_that_stays_has_a_right_without_end(site):
    active = site.settled()
    epoch = site.boxes[active].runs["main"]
    change(site, 2, is_added=False)
    site.run(20_000)
    held = site.boxes[active]
    assert held.core.electorate.voters == (0, 1)
    assert held.holds["main"] == (epoch, None)
    site.boxes[1 - active].is_up = False
    site.run(60_000)
    assert held.runs["main"] == epoch


def test_what_was_decided_outlives_every_restart(site):
    site.settled()
    change(site, 2, is_added=False)
    site.run(2_000)
    for box in site.boxes:
        site.reboot(box.index)
    site.start()
    site.until(site.holders)
    assert {box.core.electorate.voters for box in site.boxes} == {(0, 1)}
    site.until(lambda: any(box.lease(SITE_LEASE).is_held for box in site.boxes))
    assert coordinator(site).index in (0, 1)


def test_a_coordinator_that_votes_no_more_hands_over(site):
    site.settled()
    was = coordinator(site)
    site.tell(was.index, Wanted(was.index, is_added=False))
    site.run(30_000)
    hosts = {0, 1}
    if was.index in hosts:  # its services keep the pair from being one
        assert was.core.electorate.voters == (0, 1, 2)
    else:
        assert coordinator(site) is not was


def test_a_disk_that_is_gone_is_replaced_by_an_operators_word(pair):
    active = pair.settled()
    lost = pair.boxes[1 - active]
    held = coordinator(pair)
    if held is lost:
        pair.tell(lost.index, ev.Give(SITE_LEASE, "asked", active))
        pair.until(lambda: coordinator(pair) is pair.boxes[active])
    pair.reboot(lost.index)
    lost.state = VoterState.blank(b"n" * 16)
    pair.run(20_000)
    change(pair, lost.index, is_added=False, is_disk_gone=True)
    assert pair.boxes[active].core.electorate.voters == (active,)
    lost.inc = 0
    pair.start(lost.index)
    pair.until(lambda: lost.core.electorate.voters == (active,))
    pair.run(20_000)
    change(pair, lost.index, is_added=True)
    pair.run(20_000)
    assert len(pair.holders()) == 1
    assert pair.boxes[active].core.provable == {lost.index}


class Afar:
    """The centre's witness of a pair, reached by no path of the site."""

    def __init__(self, site):
        self.site, self.is_up = site, True
        self.frames = []  # what came back
        self.core = SiteWitness("lab", b"w" * 16, 0, None)
        site.afar = self.take

    def take(self, box, frame):
        if self.is_up:
            now_ms = self.site.now_ms
            self.do(self.core.handle(Tick(), now_ms))
            self.do(self.core.handle(FrameIn(f"c{box.index}", frame), now_ms))

    def do(self, effects):
        for effect in effects:
            if isinstance(effect, Tell):
                self.frames.append(effect.frame)
                box = self.site.boxes[effect.frame.to]
                self.site.later(box, 20, ev.FrameIn(0, effect.frame))
            elif isinstance(effect, Keep):
                done = Persisted(effect.life, effect.token)
                self.do(self.core.handle(done, self.site.now_ms))


@pytest.fixture
def afar(tmp_path):
    more = 'witness = "central"\nwan_witness = {probe_s=1, gone_s=15, back_s=5, lost_s=15}'
    profile = ('profile = "fast"', 'profile = "default"')
    site = Cores(tmp_path, names=("c0", "c1"), more=more, replaced=profile)
    return Afar(site)


def voters(site):
    return {box.core.electorate.voters for box in site.boxes if box.is_up}


def test_a_pair_lets_the_witness_vote_while_it_answers_and_is_a_pair_without(afar):
    site = afar.site
    active = site.settled()
    site.until(lambda: voters(site) == {(0, 1, WITNESS)})
    core = site.boxes[0].core
    assert core.is_there(WITNESS, site.clock(site.boxes[0]))
    assert (core.name_of(WITNESS), core.hosts[SITE_LEASE]) == ("witness", (0, 1))
    afar.is_up = False
    site.until(lambda: voters(site) == {(0, 1)})
    assert site.holders() == [active]
    assert len(site.boxes[active].of(ev.Start, lease="main")) == 1


def test_with_its_vote_the_standby_takes_over_without_proof(afar):
    site = afar.site
    active = site.settled()
    site.until(lambda: voters(site) == {(0, 1, WITNESS)})
    site.run(3_000)
    site.boxes[active].is_up = False
    site.boxes[active].runs.clear()
    took_ms = site.until(site.holders)
    assert took_ms < promise_ms(site) + 2_000
    site.until(lambda: voters(site) == {(1 - active,)})


def test_what_claims_to_be_the_witness_and_is_not_its_vote_changes_nothing(afar, site):
    afar.site.settled()
    box = afar.site.boxes[0]
    again = ev.FrameIn(0, next(each for each in afar.frames if each.to == 0))
    before = len(box.told)
    afar.site.tell(0, again)
    afar.site.tell(0, ev.FrameIn(0, beat(WITNESS, 9)))
    assert len(box.told) == before
    site.settled()
    assert site.tell(0, again) is None
    assert not site.boxes[0].core.is_there(WITNESS, 0)
