"""Changes of the voters, as the holder of the built-in lease proposes them."""

import pytest

from roost_agent.ha.lease_events import RoundWon
from roost_agent.ha.proposer import Proposer
from roost_agent.ha.proposer_events import Answered, Shown, Tick, Wanted
from roost_agent.ha.timing import DEFAULT
from roost_protocol.configuration import Accepted, Configuration, Joined
from roost_protocol.electorate import Electorate
from roost_protocol.electorate_change import removed
from roost_protocol.explain import Explain
from roost_protocol.ha import Kind, LeaseFrame, Nonce
from roost_protocol.voter_cfg import DISK_GONE
from roost_protocol.voter_events import Configured, Send

FILE = 7 << 20
NODES = (0, 1, 2, 3, 4, 5)
THREE = Electorate(FILE, (0, 1, 2), NODES)
FIVE = Electorate(FILE, (0, 1, 2, 3, 4), NODES)
PAIR = Electorate(FILE, (0, 1), NODES, sticky=True)
BOOT = {node: bytes([node]) * 16 for node in NODES}
EPOCH = 32
SETTLED_MS = 7_122 * 10_100 // 9_900 + 2


class Site:
    """A proposer that holds ``site``, and hears everybody."""

    def __init__(self, electorate=THREE, *, seen=NODES, hosts=(0, 1)):
        self.count = 0
        self.electorate = electorate
        self.seen = frozenset(seen)
        self.one = Proposer(
            0, BOOT[0], electorate=electorate, timing=DEFAULT, watchdog_ms=0,
            hosts={"main": hosts}, nonce=self.nonce, epochs=lambda: {"main": 64},
        )  # fmt: skip
        for node in NODES[1:]:
            self.do(Shown(node, BOOT[node], 3, electorate.cfgver))
        self.tick()
        self.won()

    def nonce(self):
        self.count += 1
        return Nonce(b"v" * 16, 1, self.count)

    def do(self, event, now_ms=0):
        return self.one.handle(event, now_ms)

    def tick(self, now_ms=0, epoch=EPOCH):
        return self.do(Tick(epoch, self.seen), now_ms)

    def won(self, accepted=None, epoch=EPOCH):
        return self.do(RoundWon(epoch, self.electorate.cfgver, accepted))

    def want(self, node, now_ms=0, *, is_added=False, **more):
        (answer,) = self.do(Wanted(node, is_added=is_added, **more), now_ms)
        return answer

    def accepts(self, node, send, now_ms=0, **more):
        given = {"kind": Kind.CFG_ACCEPT, "nonce": send.nonce, "epochs": {"main": 64 + node}}
        return self.do(Answered(frame(node, **given | more)), now_ms)

    def adopted(self, cfg, now_ms=0):
        self.electorate = self.electorate.under(cfg)
        return self.do(Configured(self.electorate, frozenset(), None), now_ms)


def frame(node, **more):
    given = {
        "site": "lab", "node": node, "boot": BOOT[node], "inc": 1, "path": 0, "seq": 1,
        "boot_ms": 0, "period_ms": 500, "lhm": 1, "cfgver": FILE, "echo": {}, "to": 0,
        "name": "site", "epoch": EPOCH, "owner": 0, "owner_boot": BOOT[0],
    }  # fmt: skip
    return LeaseFrame(**given | more)


def sends(effects):
    return [effect for effect in effects if type(effect) is Send]


def sentence(effects):
    return [effect.sentence for effect in effects if type(effect) is Explain]


def test_its_own_voter_accepts_first_then_the_others_are_asked():
    site = Site()
    assert site.want(2).ok
    out = site.tick(10)
    (first,) = sends(out)
    assert (first.to, first.kind, first.cfg) == (0, Kind.CFG_PROPOSE, removed(THREE, 2))
    assert (first.epoch, first.epochs) == (EPOCH, {"main": 64})
    assert sentence(out) == ["proposes 0, 1 as voters (epoch 32 of site): an operator wants it"]
    others = sends(site.accepts(0, first))
    assert [(each.to, each.nonce) for each in others] == [(1, first.nonce)], "and not who goes"
    assert site.tick(999) == []
    assert {each.to for each in sends(site.tick(1_010))} == {1}, "again until it is decided"


def test_what_enough_accepted_is_told_to_all_with_the_highest_epochs():
    site = Site(FIVE)
    site.want(4)
    (first,) = sends(site.tick())
    site.accepts(0, first)
    assert sends(site.accepts(1, first)) == []
    assert site.accepts(5, first) == [], "it does not vote"
    assert site.accepts(2, first, nonce=Nonce(b"v" * 16, 1, 9)) == [], "of another round"
    told = sends(site.accepts(2, first))
    assert [each.to for each in told] == [0, 1, 2, 3, 4, 5]
    assert {each.kind for each in told} == {Kind.CFG_COMMIT}
    assert told[0].epochs == {"main": 66}
    assert {each.kind for each in sends(site.tick(1_000))} == {Kind.CFG_COMMIT}
    assert {each.to for each in sends(site.adopted(first.cfg))} == {1, 2, 3, 4, 5}
    assert not site.one.is_changing
    assert site.accepts(3, first) == [], "late"


def test_what_another_holder_began_is_finished_first():
    begun = Accepted(1, removed(THREE, 1))
    site = Site()
    site.want(2)
    site.won(begun)
    site.won(Accepted(0, removed(THREE, 0)))
    out = site.tick()
    assert sends(out)[0].cfg == begun.cfg
    assert "it was begun before" in sentence(out)[0]
    site.adopted(begun.cfg)
    site.won()
    assert site.one.is_changing, "what is wanted is still to come"
    assert site.tick(1) == []
    site.do(Shown(2, BOOT[2], 3, site.electorate.cfgver), 100)
    assert site.tick(100 + SETTLED_MS - 1) == []
    assert sends(site.tick(100 + SETTLED_MS + 1))[0].cfg.voters == (0,)


def test_nothing_is_proposed_before_enough_voters_granted_this_epoch_under_this_configuration():
    site = Site()
    site.want(2)
    assert site.tick(epoch=64) != [], "it is explained"
    assert site.want(2).ok
    assert site.tick(epoch=64) == []
    site.won(epoch=64)
    assert sends(site.tick(epoch=64)) != []
    site = Site()
    site.want(2)
    site.electorate = THREE.under(removed(THREE, 1))
    site.won()
    assert site.tick() == []


def test_the_next_change_waits_for_a_majority_and_then_for_every_promise_of_before():
    site = Site(FIVE)
    site.want(4)
    (first,) = sends(site.tick())
    site.adopted(first.cfg, 1_000)
    site.won()
    assert site.want(3, 1_000).ok
    for node in (1, 2):
        assert site.tick(60_000) == []
        site.do(Shown(node, BOOT[node], 3, site.electorate.cfgver), 60_000)
    assert site.tick(60_000 + SETTLED_MS - 1) == []
    assert sends(site.tick(60_000 + SETTLED_MS + 1))[0].cfg.voters == (0, 1, 2)


@pytest.mark.parametrize(
    ("wanted", "more", "why"),
    [
        (Wanted(1, is_added=True), {}, "node 1 votes already"),
        (Wanted(4, is_added=False), {}, "node 4 does not vote"),
        (Wanted(4, is_added=True), {"seen": (0, 1, 2)}, "node 4 is not heard"),
        (Wanted(2, is_added=False), {"seen": (0,)}, "1 voters are heard, and 2 have to accept it"),
        (Wanted(2, is_added=False), {"hosts": (0, 2)}, "node 2 hosts a group"),
        (Wanted(5, is_added=True), {"electorate": FIVE}, "6 voters are more than 5"),
        (
            Wanted(2, is_added=False, is_disk_gone=True),
            {},
            "only the peer of a pair can be removed by an operator's word",
        ),
        (
            Wanted(1, is_added=False, is_disk_gone=True),
            {"electorate": PAIR},
            "node 1 is heard: stop its agent first",
        ),
    ],
)
def test_what_cannot_be_says_why(wanted, more, why):
    (answer,) = Site(**more).do(wanted)
    assert not answer.ok
    assert why in answer.sentence


def test_only_the_holder_is_asked_and_for_one_change_at_a_time():
    site = Site()
    assert site.want(2).sentence == "node 2 is to vote no more, once the voters accept it"
    assert "not through yet" in site.want(1).sentence
    site.tick(epoch=0)
    assert "order it where it is held" in site.want(2).sentence


def test_who_joins_is_named_with_its_life():
    site = Site()
    assert "is to vote," in site.want(4, is_added=True).sentence
    cfg = sends(site.tick())[0].cfg
    assert cfg == Configuration(FILE + 1, (0, 1, 2, 4), False, Joined(4, BOOT[4], 3))


def test_a_pair_may_lose_a_voter_that_hosts_and_its_disk_with_it_by_an_operators_word():
    site = Site(PAIR, seen=(0,))
    assert "1 voters are heard" in site.want(1).sentence
    assert site.want(1, is_disk_gone=True).ok
    (first,) = sends(site.tick())
    assert (first.to, first.reason) == (0, DISK_GONE)


def test_a_word_comes_in_time_for_a_proposal_that_nobody_answers():
    site = Site(PAIR)
    site.want(1)
    (first,) = sends(site.tick())
    assert first.reason == ""
    site.accepts(0, first)
    site.seen = frozenset({0})
    site.tick(500)
    assert site.want(1, is_disk_gone=True).ok
    (again,) = sends(site.tick(501))
    assert (again.to, again.nonce, again.reason) == (0, first.nonce, DISK_GONE)


def test_a_lost_lease_leaves_the_change_to_the_next_holder():
    site = Site()
    site.want(2)
    site.tick()
    out = site.tick(epoch=0)
    assert "node 2" in sentence(out)[0]
    assert not site.one.is_changing
    assert site.tick(epoch=0) == []


def test_a_wish_that_came_true_or_is_no_step_any_more_is_dropped():
    site = Site()
    site.want(2)
    site.adopted(removed(THREE, 2))
    assert not site.one.is_changing
    site = Site(Electorate(FILE, (0, 1, 2, 3), NODES), hosts=(0, 1, 2))
    site.want(3)
    site.adopted(removed(site.electorate, 1))
    site.do(Shown(2, BOOT[2], 3, site.electorate.cfgver), 0)
    site.won()
    assert site.tick(20_000) == []
    assert not site.one.is_changing, "node 2 hosts a group and the pair would be 0, 2 without 1"


def test_a_proposal_that_another_one_overtook_is_not_told_again():
    site = Site(FIVE)
    site.want(4)
    site.tick()
    assert site.adopted(removed(FIVE, 3)) == []
    assert not sends(site.tick(5_000))


def test_what_changes_nothing_changes_nothing():
    site = Site()
    site.want(2)
    site.tick()
    assert site.do(Configured(THREE, frozenset({1}), None)) == []
    assert site.one.is_changing


def test_nothing_is_decided_under_which_nobody_could_hold_anything():
    """Three become a pair; were 1 not there, 0 and 2 could decide what 0 cannot live with."""
    site = Site()
    assert site.want(2).ok
    (first,) = sends(site.tick(10))
    site.seen = frozenset({0, 2})
    site.accepts(0, first, 20)
    assert site.tick(1_100) == []
    site.seen = frozenset(NODES)
    assert [each.to for each in sends(site.tick(2_200))] == [1]


def test_what_another_began_waits_until_somebody_can_live_under_it():
    site = Site(seen=(0, 2))
    site.won(Accepted(EPOCH - 32, removed(THREE, 2)))
    assert sends(site.tick(10)) == []
    site.seen = frozenset({0, 1})
    assert [each.cfg for each in sends(site.tick(20))] == [removed(THREE, 2)]
