"""What a voter accepts and adopts when the voters are changed."""

import pytest
import voter_disk
from msgspec.structs import replace
from voter_disk import BEFORE, BOOT, GRANTED, Disk, P, frame, told

from roost_protocol.configuration import Accepted, Configuration, Joined
from roost_protocol.electorate import Electorate
from roost_protocol.explain import Explain
from roost_protocol.ha import Kind, Nonce
from roost_protocol.voter_cfg import DISK_GONE
from roost_protocol.voter_events import (
    Configured,
    Persist,
    Persisted,
    PersistFailed,
    Request,
    Rests,
    Send,
    Showed,
)
from roost_protocol.voter_state import NO_BOOT, Record, VoterState

FILE = 7 << 20
KNOWN = Record(cfgver=FILE)
ADMITTED = {"main": KNOWN, "site": KNOWN}
HELD = Record(33, 1, BOOT[1], FILE)  # ``site``, epoch 33 of node 1


class Site(Disk):
    """A voter 0 of some, under the file's configuration, that granted ``site`` to node 1."""

    def __init__(self, voters=(0, 1, 2), *, sticky=False, records=None, nodes=(0, 1, 2, 3), **more):
        given = {"watchdogs": {"main": 0, "site": 0}} | more
        known = ADMITTED | {"site": HELD if 1 in voters else KNOWN} | (records or {})
        state = given.pop("state", VoterState(1, b"v" * 16, 3, BOOT[0], known))
        self.electorate = Electorate(FILE, voters, nodes, sticky)
        super().__init__(voters=voters, nodes=nodes, sticky=sticky, state=state, **given)

    def propose(self, cfg, now_ms=0, **more):
        """Answer to a proposal of node 1, or what else is given."""
        return self.said_to(propose(cfg, **more), now_ms)

    def said_to(self, asked, now_ms=0):
        out = [e for e in self.do(Request(asked, 10), now_ms) if type(e) is Send]
        return out[0] if out else None


def propose(cfg, node=1, epoch=33, **more):
    given = {"kind": Kind.CFG_PROPOSE, "name": "site", "cfgver": FILE, "cfg": cfg}
    return frame(node=node, epoch=epoch, **given | more)


def cfg(*voters, sticky=False, n=1, joined=None):
    life = Joined(joined, BOOT[joined], 4) if joined is not None else None
    return Configuration(FILE + n, voters, sticky, life)


FOUR = cfg(0, 1, 2, 3, joined=3)
PAIR = cfg(0, 1, sticky=True)
THREE_AGAIN = cfg(0, 1, 2, joined=2)


@pytest.fixture(autouse=True)
def of_the_file(monkeypatch):
    """Let the disk's voter be under this file's configuration."""
    monkeypatch.setattr(
        voter_disk,
        "Electorate",
        lambda _, voters, nodes, sticky=False: Electorate(FILE, voters, nodes, sticky),
    )


def is_refused(answer, reason):
    return told(answer) == (Kind.REFUSE, reason)


def test_of_three_the_second_that_accepts_decides_and_adopts_in_the_same_write():
    disk = Site()
    disk.works = False
    out = disk.do(Request(propose(PAIR, epochs={"main": 99}), 10), 0)
    (write,) = [e for e in out if type(e) is Persist]
    assert (write.state.cfg, write.state.accepted) == (PAIR, None)
    assert write.state.records["main"] == Record(cfgver=PAIR.cfgver, floor=99)
    assert disk.voter.electorate.voters == (0, 1, 2), "not before it is on disk"
    out = disk.do(Persisted(write.token), 3)
    assert disk.voter.electorate == Electorate(PAIR.cfgver, (0, 1), (0, 1, 2, 3), sticky=True)
    (answer,) = [e for e in out if type(e) is Send]
    assert (answer.kind, answer.to, answer.cfg) == (Kind.CFG_ACCEPT, 1, PAIR)
    assert [e.sentence for e in out if type(e) is Explain] == [
        "the voters are 0, 1 from now on, and all of them must grant"
    ]


def test_of_five_it_accepts_and_waits_to_hear_that_it_is_decided():
    disk = Site((0, 1, 2, 3, 4), nodes=(0, 1, 2, 3, 4))
    disk.works = False
    less = cfg(0, 1, 2, 3)
    (told_first, write) = sorted(
        disk.do(Request(propose(less), 10), 0), key=lambda e: type(e) is Persist
    )
    assert told_first.provable == frozenset(), "it may be on the disk already"
    assert write.state.accepted == Accepted(33, less)
    answer = next(e for e in disk.do(Persisted(write.token), 1) if type(e) is Send)
    assert (answer.kind, answer.cfg) == (Kind.CFG_ACCEPT, less)
    assert disk.voter.electorate.voters == (0, 1, 2, 3, 4)
    disk.works = True
    assert disk.propose(less, counter=5).kind is Kind.CFG_ACCEPT, "said again, it is no other"
    assert is_refused(disk.propose(cfg(0, 1, 2, 4)), "epoch"), "one epoch, one proposal"
    grant = disk.ask(5, kind=Kind.RENEW, name="site", cfgver=FILE, counter=3)
    assert (told(grant), grant.accepted) == (GRANTED, Accepted(33, less))
    assert disk.ask(5, kind=Kind.ACQUIRE, cfgver=FILE).accepted is None
    disk.do(Request(frame(kind=Kind.CFG_COMMIT, name="site", cfg=less, epoch=0), 10), 9)
    assert disk.voter.electorate.voters == (0, 1, 2, 3)
    assert disk.stored.accepted is None


def test_an_accepted_one_that_follows_what_is_adopted_stays():
    later = Accepted(33, cfg(0, 1, 2, n=2))
    state = VoterState(1, b"v" * 16, 3, BOOT[0], ADMITTED, None, later)
    disk = Site((0, 1, 2, 3), state=state)
    disk.do(Request(frame(kind=Kind.CFG_COMMIT, name="site", cfg=cfg(0, 1, 2), epoch=0), 10), 9)
    assert disk.stored.accepted == later


@pytest.mark.parametrize(
    ("reason", "given"),
    [
        ("cfgver", {"cfgver": FILE + 1}),
        ("epoch", {"epoch": 1}),
        ("epoch", {"epoch": 65}),
        ("epoch", {"node": 2, "epoch": 34}),
        ("epoch", {"boot": BOOT[3]}),
        ("no-step", {"cfg": cfg(0, 1, 3, joined=3)}),
        ("no-step", {"cfg": None}),
        ("abstains", {"node": 3}),
    ],
)
def test_what_is_not_the_last_epochs_or_no_step_is_refused(reason, given):
    assert is_refused(Site().said_to(propose(**{"cfg": FOUR} | given)), reason)


def test_a_released_or_fenced_epoch_proposes_nothing():
    disk = Site()
    disk.do(Request(frame(kind=Kind.RELEASE, name="site", cfgver=FILE), 10), 0)
    assert is_refused(disk.propose(FOUR), "epoch")
    disk = Site()
    fence = {"kind": Kind.FENCE_CONFIRM, "owner": 1, "owner_boot": BOOT[1], "name": "site"}
    disk.do(Request(frame(node=2, **fence), 10), 0)
    assert is_refused(disk.propose(FOUR), "epoch")


def test_a_disk_that_knows_nothing_and_a_node_that_is_no_voter_accept_nothing():
    assert is_refused(Site(records={"site": Record()}).propose(FOUR), "blank")
    assert is_refused(Site((1, 2, 3)).propose(cfg(1, 2, 3, 0, joined=0)), "abstains")


def test_while_a_grant_of_the_lease_is_on_its_way_to_the_disk_nothing_is_accepted():
    disk = Site()
    disk.works = False
    disk.do(Request(frame(name="site", cfgver=FILE, epoch=65, counter=2), 10), 0)
    assert is_refused(disk.propose(FOUR), "busy")


def test_while_it_is_on_its_way_to_the_disk_the_lease_is_busy_and_no_other_is_accepted():
    disk = Site()
    disk.works = False
    disk.do(Request(propose(FOUR), 10), 0)
    renewal = frame(kind=Kind.RENEW, name="site", cfgver=FILE, counter=2)
    assert is_refused(disk.said_to(renewal), "busy")
    assert is_refused(disk.propose(FOUR, counter=2), "busy")
    commit = frame(kind=Kind.CFG_COMMIT, name="site", cfg=PAIR, epoch=0)
    assert disk.do(Request(commit, 10), 0) == []


def test_a_step_that_the_disk_did_not_take_is_not_taken():
    disk = Site()
    disk.works = False
    disk.do(Request(propose(FOUR), 10), 0)
    out = disk.do(PersistFailed(2), 5)
    assert [type(e) for e in out] == [Configured]
    disk.works = True
    assert disk.propose(FOUR, counter=3).kind is Kind.CFG_ACCEPT


def test_a_later_epoch_that_was_granted_leaves_no_room_for_an_earlier_proposal():
    disk = Site(records={"site": Record(33, 1, BOOT[1], FILE)})
    disk.do(Request(frame(kind=Kind.RELEASE, name="site", cfgver=FILE), 10), 0)
    assert told(disk.ask(5, name="site", cfgver=FILE, node=2, epoch=66)) == GRANTED
    assert is_refused(disk.propose(FOUR), "epoch")


# -- modes -------------------------------------------------------------------------------------


def endless(**more):
    return Record(65, 1, BOOT[1], FILE, endless=True, **more)


def test_bound_without_end_where_a_majority_decides_it_accepts_nothing_more():
    assert is_refused(Site(records={"main": endless()}).propose(FOUR), "endless")


def test_a_promise_without_end_ends_like_any_other_from_the_first_renewal_on():
    disk = Site(records={"main": endless()})
    assert disk.voter.promise("main", 10**9).until_ms is None
    given = {"kind": Kind.RENEW, "epoch": 65, "cfgver": FILE}
    assert told(disk.ask(1_000, **given)) == GRANTED
    assert disk.voter.promise("main", 1_000).until_ms == 1_000 + P
    assert not disk.stored.records["main"].endless


def test_who_leaves_a_pair_stays_bound_without_end_until_the_first_renewal():
    disk = Site((0, 1), sticky=True, records={"main": endless()})
    assert disk.propose(THREE_AGAIN).kind is Kind.CFG_ACCEPT
    assert not disk.voter.electorate.sticky
    assert disk.voter.promise("main", 10**9).until_ms is None
    assert disk.stored.records["main"].endless
    given = {"cfgver": FILE + 1, "counter": 2}
    assert is_refused(disk.ask(10**9, node=2, epoch=98, **given), "promised")
    assert told(disk.ask(10**9, kind=Kind.RENEW, epoch=65, **given)) == GRANTED
    assert disk.voter.promise("main", 10**9).until_ms == 10**9 + P


def test_among_sticky_voters_a_renewal_takes_the_end_away_once_it_is_on_disk():
    disk = Site((0, 1), sticky=True, records={"main": Record(65, 1, BOOT[1], FILE)})
    assert disk.voter.promise("main", 0).until_ms == P
    assert told(disk.ask(1_000, kind=Kind.RENEW, epoch=65, cfgver=FILE)) == GRANTED
    assert disk.voter.promise("main", 10**9).until_ms is None
    assert disk.stored.records["main"].endless


def test_who_holds_something_by_proof_does_not_leave_the_pair_nor_itself():
    disk = Site((0, 1), sticky=True)
    disk.do(Rests("main", on_proof=True), 0)
    assert is_refused(disk.propose(THREE_AGAIN), "on-proof")
    assert is_refused(disk.propose(cfg(1, sticky=True)), "on-proof")
    disk.do(Rests("main", on_proof=False), 0)
    assert disk.propose(THREE_AGAIN).kind is Kind.CFG_ACCEPT


def test_after_a_restart_what_this_node_owned_counts_as_held_by_proof():
    mine = Record(64, 0, BOOT[0], FILE, endless=True)
    disk = Site((0, 1), sticky=True, records={"main": mine})
    assert is_refused(disk.propose(THREE_AGAIN), "on-proof")


def test_the_word_of_an_operator_stands_for_the_other_of_a_pair_at_home_alone():
    alone = cfg(0, sticky=True)
    mine = {"site": Record(32, 0, BOOT[0], FILE)}
    disk = Site((0, 1), sticky=True, records=mine)
    given = {"node": 0, "epoch": 32, "nonce": Nonce(b"v" * 16, 4, 1)}
    assert disk.propose(alone, **given).kind is Kind.CFG_ACCEPT
    assert (disk.voter.electorate.voters, disk.stored.accepted) == ((0, 1), Accepted(32, alone))
    disk = Site((0, 1), sticky=True, records=mine)
    disk.propose(alone, reason=DISK_GONE, **given)
    assert disk.voter.electorate.voters == (0,)
    disk = Site((0, 1), sticky=True)
    less = cfg(1, sticky=True)
    assert disk.propose(less, reason=DISK_GONE).kind is Kind.CFG_ACCEPT


def test_by_that_word_only_what_this_node_itself_promised_itself_goes_on():
    site = Record(32, 0, BOOT[0], FILE)
    given = {"node": 0, "epoch": 32, "nonce": Nonce(b"v" * 16, 4, 1), "reason": DISK_GONE}
    alone = cfg(0, sticky=True)
    for main, answer in (
        (Record(64, 0, BOOT[0], FILE, endless=True), Kind.CFG_ACCEPT),
        (Record(65, 1, BOOT[1], FILE, endless=True), Kind.REFUSE),
        (KNOWN, Kind.REFUSE),
    ):
        disk = Site((0, 1), sticky=True, records={"main": main, "site": site})
        disk.do(Rests("main", on_proof=True), 0)
        assert disk.propose(alone, **given).kind is answer


# -- adopting ----------------------------------------------------------------------------------


def commit(configuration, **more):
    given = {"kind": Kind.CFG_COMMIT, "name": "site", "epoch": 0, "cfg": configuration}
    return Request(frame(**given | more), 10)


def test_who_joins_in_this_life_votes_at_once_and_is_bound_to_nobody_without_end():
    old = Record(65, 1, BOOT[1], 0, endless=True)
    disk = Site((1, 2, 3), records={"main": old, "site": Record()})
    assert disk.voter.promise("main", 10**9) is not None
    disk.do(commit(cfg(0, 1, 2, 3, joined=0), epochs={"main": 97}), 0)
    assert disk.voter.promise("main", 10**9) is None
    assert {name: each.cfgver for name, each in disk.stored.records.items()} == {
        "main": FILE + 1, "site": FILE + 1,
    }  # fmt: skip
    given = {"cfgver": FILE + 1, "node": 2}
    assert is_refused(disk.ask(5, epoch=66, **given), "epoch"), "below what others granted"
    assert told(disk.ask(5, epoch=98, counter=2, **given)) == GRANTED


@pytest.mark.parametrize("life", [Joined(0, BEFORE, 4), Joined(0, BOOT[0], 3)])
def test_who_joined_in_an_earlier_life_asks_every_node_first(life):
    disk = Site((1, 2, 3), records={"main": Record(), "site": Record()})
    joined = Configuration(FILE + 1, (0, 1, 2, 3), False, life)
    questions = [e for e in disk.do(commit(joined), 0) if type(e) is Send]
    assert is_refused(disk.ask(5, cfgver=FILE + 1), "blank")
    assert {e.kind for e in questions} == {Kind.ATTEST}


def test_an_admission_that_a_change_overtakes_is_made_anew_under_it():
    disk = Site((0, 1, 2), nodes=(0, 1, 2), records={"main": Record()})
    disk.works = False
    (step,) = [e for e in disk.do(Request(propose(PAIR), 10), 0) if type(e) is Persist]
    nonce = Nonce(b"v" * 16, 4, 1)
    given = {"kind": Kind.ATTEST, "epoch": 0, "nonce": nonce, "cfgver": FILE}
    writes = [step]
    for node in (0, 1, 2):
        said = disk.do(Request(frame(node, **given), None), 5)
        writes += [e for e in said if type(e) is Persist]
    assert len(writes) == 2
    for write in writes:  # and those that follow from them, in their order
        writes += [e for e in disk.do(Persisted(write.token), 6) if type(e) is Persist]
    disk.works = True
    assert told(disk.ask(7, cfgver=PAIR.cfgver)) == GRANTED


def test_an_incarnation_that_frames_tell_is_the_life_where_it_is_known():
    disk = Site((1, 2, 3), records={"main": Record(), "site": Record()})
    disk.voter._acceptor._life = 9
    life = Joined(0, BOOT[0], 9)
    disk.do(commit(Configuration(FILE + 1, (0, 1, 2, 3), False, life)), 0)
    assert told(disk.ask(5, cfgver=FILE + 1)) == GRANTED


def test_what_is_not_later_or_of_another_file_is_not_adopted():
    disk = Site()
    for other in (cfg(0, 1, n=0), Configuration((8 << 20) + 1, (0, 1), True), None):
        assert disk.do(commit(other), 0) == []


def test_a_restart_is_under_what_was_decided_and_another_file_begins_anew():
    state = VoterState(1, b"v" * 16, 3, BOOT[0], ADMITTED, PAIR, Accepted(33, cfg(0, n=2)), (1,))
    assert Site(state=state).voter.electorate.voters == (0, 1)
    strange = Configuration((8 << 20) + 1, (0, 1), True)
    other = replace(state, cfg=strange, accepted=Accepted(33, strange))
    disk = Site(state=other)
    assert (disk.voter.electorate.cfgver, disk.stored.accepted) == (FILE, None)


# -- what peers show ---------------------------------------------------------------------------


def pair_decided(**more):
    known = {name: replace(each, cfgver=PAIR.cfgver) for name, each in ADMITTED.items()}
    return VoterState(1, b"v" * 16, 3, BOOT[0], known, PAIR, **more)


def configured(effects):
    return [e for e in effects if type(e) is Configured][-1]


def test_a_proof_counts_for_one_that_showed_this_configuration_and_that_is_durable():
    disk = Site(state=pair_decided())
    assert configured(disk.said).provable == set()
    assert disk.voter.is_news(1, PAIR.cfgver)
    assert configured(disk.do(Showed(1, PAIR.cfgver), 5)).provable == {1}
    assert disk.stored.shown == (1,)
    assert not disk.voter.is_news(1, PAIR.cfgver)
    assert disk.do(Showed(1, PAIR.cfgver), 5) == []
    assert disk.do(Showed(2, PAIR.cfgver), 5) == [], "it is no voter"
    assert configured(Site(state=disk.stored).said).provable == {1}


def test_a_proof_counts_for_nobody_beside_an_accepted_change():
    disk = Site(state=pair_decided(shown=(1,), accepted=Accepted(33, cfg(0, 1, 2, n=2, joined=2))))
    assert configured(disk.said).provable == set()


def test_under_the_files_own_configuration_there_is_none_before_to_fear():
    assert configured(Site((0, 1), sticky=True).said).provable == {0, 1}


def test_a_peer_that_is_behind_is_told_what_was_decided():
    disk = Site(state=pair_decided())
    assert disk.voter.is_news(2, FILE)
    (told_it,) = disk.do(Showed(2, FILE), 5)
    assert (told_it.to, told_it.kind, told_it.cfg) == (2, Kind.CFG_COMMIT, PAIR)
    assert (told_it.owner, told_it.owner_boot) == (None, NO_BOOT)
    assert disk.do(Showed(2, PAIR.cfgver + 1), 5) == [], "it tells us"
    assert Site().do(Showed(2, FILE - 1), 5) == []


def test_before_the_start_is_on_disk_nothing_is_shown():
    disk = Site(state=pair_decided())
    disk.voter._memory.has_begun = False
    assert not disk.voter.is_news(1, PAIR.cfgver)
    assert disk.voter.handle(Showed(1, PAIR.cfgver), 5) == []


def test_the_epochs_granted_here_go_with_what_is_decided():
    disk = Site(state=pair_decided())
    disk.do(Request(frame(cfgver=PAIR.cfgver, epoch=65), 10), 5)
    assert disk.voter.epochs() == {"main": 65, "site": 0}
