"""The grantor: to whom it gives its word, what ends that, and what it remembers."""

import pytest

from roost_protocol.electorate import Electorate
from roost_protocol.explain import Explain
from roost_protocol.ha import Kind, LeaseFrame, Nonce
from roost_protocol.terms import Terms
from roost_protocol.voter import Voter
from roost_protocol.voter_events import (
    Begin,
    Bound,
    Persist,
    Persisted,
    PersistFailed,
    Request,
    RolledBack,
    Send,
    Tick,
)
from roost_protocol.voter_state import Record, VoterState

TERMS = Terms(6_000, 1_000, 100, 1_000)
P = 7_122
BOOT = {node: bytes([node]) * 16 for node in range(4)}
BEFORE = b"0" * 16  # the boot before
FRESH = Record(cfgver=7)


class Disk:
    """A voter with a disk that takes everything at once, unless it is told not to."""

    def __init__(self, records=None, *, sticky=False, voters=(0, 1, 2), boot=BOOT[0], **more):
        given = {"guarded": True, "watchdogs": {"main": 0}, "nodes": voters} | more
        state = VoterState(1, b"v" * 16, 3, BOOT[0], {"main": FRESH} | (records or {}))
        self.voter = Voter(
            0,
            Electorate(7, voters, given["nodes"], sticky),
            TERMS,
            given["watchdogs"],
            state=given.get("state", state),
            boot=boot,
            guarded=given["guarded"],
        )
        self.stored = self.voter.state
        self.works = True
        self.said = self.do(Begin(), 0)

    def do(self, event, now_ms):
        """Return what the voter wants, with what follows once its writes are done."""
        out = []
        for effect in self.voter.handle(event, now_ms):
            out.append(effect)
            if isinstance(effect, Persist) and self.works:
                self.stored = effect.state
                out += self.do(Persisted(effect.token), now_ms)
        return out

    def ask(self, now_ms=0, age_ms=10, **fields):
        """Ask as a candidate does, and return the answer."""
        answers = [e for e in self.do(Request(frame(**fields), age_ms), now_ms) if type(e) is Send]
        return answers[0] if answers else None


def frame(node=1, kind=Kind.ACQUIRE, epoch=33, counter=1, **more):
    given = {
        "site": "lab", "node": node, "boot": BOOT[node], "inc": 1, "path": 0, "seq": 1,
        "boot_ms": 0, "period_ms": 500, "lhm": 1, "cfgver": 7, "echo": {}, "to": 0, "kind": kind,
        "name": "main", "epoch": epoch, "nonce": Nonce(bytes([node]) * 16, 1, counter),
        "owner": node, "owner_boot": more.get("boot", BOOT[node]),
    }  # fmt: skip
    return LeaseFrame(**given | more)


def told(answer):
    return (answer.kind, answer.reason)


GRANTED = (Kind.GRANT, "")


def test_a_fresh_request_for_a_new_epoch_is_on_disk_before_it_is_granted():
    disk = Disk()
    disk.works = False
    effects = disk.do(Request(frame(), 10), 100)
    (write,) = effects
    assert write.state.records["main"] == Record(33, 1, BOOT[1], 7)
    answer, bound, why = disk.do(Persisted(write.token), 130)
    assert (answer.to, *told(answer), answer.epoch, answer.nonce) == (
        1, *GRANTED, 33, frame().nonce,
    )  # fmt: skip
    assert bound == Bound("main", 33, 1)
    assert why.sentence == "granted main (epoch 33) to node 1"
    assert disk.voter.promise("main", 130).until_ms == 130 + P


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("stale", {"age_ms": 1_001}),
        ("stale", {"age_ms": None}),
        ("cfgver", {"cfgver": 8}),
        ("owner", {"owner": 2}),
        ("owner", {"owner_boot": BOOT[2]}),
        ("owner", {"epoch": 34}),
        ("blank", {"name": "other"}),
    ],
)
def test_what_does_not_hold_is_refused_with_its_reason(reason, changes):
    assert told(Disk().ask(**changes)) == (Kind.REFUSE, reason)


def test_a_request_as_old_as_may_be_is_granted():
    assert told(Disk().ask(age_ms=1_000)) == GRANTED


def test_while_bound_to_one_nobody_else_is_granted_and_the_time_left_is_told():
    disk = Disk()
    disk.ask(0)
    refusal = disk.ask(7_000, node=2, epoch=66)
    assert (*told(refusal), refusal.owner, refusal.remaining_ms) == (
        Kind.REFUSE, "promised", 1, 122,
    )  # fmt: skip
    assert told(disk.ask(7_122, node=2, epoch=66)) == GRANTED


def test_a_renewal_binds_anew_from_its_receipt_and_writes_nothing():
    disk = Disk()
    disk.ask(0)
    stored = disk.stored
    assert told(disk.ask(1_000, kind=Kind.RENEW, counter=2)) == GRANTED
    assert disk.voter.promise("main", 1_000).until_ms == 1_000 + P
    assert disk.stored is stored


def test_a_promise_is_never_shortened_by_a_later_grant():
    disk = Disk()
    disk.ask(0, watchdog_ms=5_000)
    disk.ask(10, kind=Kind.RENEW, counter=2)
    assert disk.voter.promise("main", 10).until_ms == P + 5_000


def test_the_larger_watchdog_of_both_definitions_counts():
    disk = Disk(watchdogs={"main": 5_000})
    disk.ask(0)
    assert disk.voter.promise("main", 0).until_ms == P + 5_000


def test_a_slower_watchdog_than_the_epoch_was_granted_for_is_refused():
    disk = Disk()
    disk.ask(0)
    assert told(disk.ask(1, kind=Kind.RENEW, counter=2, watchdog_ms=1)) == (Kind.REFUSE, "watchdog")


def test_a_prevote_changes_nothing():
    disk = Disk()
    assert told(disk.ask(0, kind=Kind.PREVOTE)) == GRANTED
    assert disk.voter.promise("main", 0) is None
    assert told(disk.ask(0, node=2, epoch=66)) == GRANTED


def test_an_epoch_that_was_granted_is_not_granted_to_another_boot_or_below():
    disk = Disk()
    disk.ask(0)
    assert told(disk.ask(1, counter=2, boot=BOOT[3])) == (Kind.REFUSE, "epoch")
    assert told(disk.ask(1, counter=2, epoch=1)) == (Kind.REFUSE, "epoch")
    assert told(disk.ask(1, counter=2, epoch=65)) == GRANTED


def test_a_round_before_the_last_granted_one_is_stale():
    disk = Disk()
    disk.ask(0, counter=5)
    assert told(disk.ask(1, kind=Kind.RENEW, counter=4)) == (Kind.REFUSE, "stale")


def test_while_an_epoch_is_on_its_way_to_the_disk_the_lease_is_busy():
    disk = Disk()
    disk.works = False
    disk.ask(0)
    assert told(disk.ask(1, node=2, epoch=66)) == (Kind.REFUSE, "busy")


def test_a_write_that_failed_is_refused_and_its_epoch_is_gone_for_everybody():
    disk = Disk()
    disk.works = False
    (write,) = disk.do(Request(frame(), 10), 0)
    answer, why = disk.do(PersistFailed(write.token), 5)
    assert told(answer) == (Kind.REFUSE, "disk")
    assert isinstance(why, Explain)
    disk.works = True
    assert told(disk.ask(6, counter=2)) == (Kind.REFUSE, "epoch")
    assert told(disk.ask(6, counter=3, epoch=65)) == GRANTED
    assert disk.voter.handle(PersistFailed(99), 7) == []
    assert disk.voter.handle(Persisted(99), 7) == []


def test_a_refusal_is_explained_once_until_it_changes():
    disk = Disk()
    disk.ask(0)
    request = Request(frame(node=2, epoch=66), 10)
    assert [type(e) for e in disk.do(request, 1)] == [Send, Explain]
    assert [type(e) for e in disk.do(request, 2)] == [Send]


# -- the ends of a promise ---------------------------------------------------------------------


def test_a_release_ends_the_promise_and_its_epoch_for_ever():
    disk = Disk()
    disk.ask(0)
    assert told(disk.ask(1, None, kind=Kind.RELEASE, counter=2)) == GRANTED
    assert disk.voter.promise("main", 1) is None
    assert told(disk.ask(2, kind=Kind.RENEW, counter=3)) == (Kind.REFUSE, "released")
    assert told(disk.ask(2, node=2, epoch=66)) == GRANTED


def test_the_release_of_a_round_before_the_last_granted_one_is_ignored():
    disk = Disk()
    disk.ask(0, counter=5, epoch=65)
    assert disk.ask(1, kind=Kind.RELEASE, counter=4, epoch=65) is None
    assert disk.ask(1, kind=Kind.RELEASE, counter=6, epoch=33) is None
    assert disk.voter.promise("main", 1).owner == 1


def test_nobody_releases_for_another():
    disk = Disk()
    disk.ask(0)
    assert disk.ask(1, node=2, kind=Kind.RELEASE, owner=1, counter=9) is None
    assert told(disk.ask(1, node=2, kind=Kind.RELEASE, epoch=66)) == GRANTED
    assert disk.voter.promise("main", 1).owner == 1


def test_a_release_that_overtakes_its_grant_on_the_way_to_the_disk_ends_it():
    disk = Disk(sticky=True, voters=(0, 1))
    disk.works = False
    (write,) = disk.do(Request(frame(counter=2), 10), 0)
    assert disk.ask(1, kind=Kind.RELEASE, counter=1) is None  # of the round before
    (undone,) = disk.do(Request(frame(kind=Kind.RELEASE, counter=3), 10), 2)
    assert not undone.state.records["main"].endless
    assert disk.do(Persisted(write.token), 3) == []
    assert told(disk.do(Persisted(undone.token), 4)[0]) == GRANTED
    assert disk.voter.promise("main", 4) is None
    assert disk.voter.max_epoch("main") == 33


def test_what_this_node_gave_back_itself_is_on_its_disk_beside_the_word_to_another():
    disk = Disk({"main": Record(33, 1, BOOT[1], 7, endless=True)}, sticky=True, voters=(0, 1))
    assert told(disk.ask(0, 0, node=0, kind=Kind.RELEASE, epoch=64)) == GRANTED
    record = disk.stored.records["main"]
    assert (record.owner, record.endless, record.given_back) == (1, True, 64)
    assert disk.voter.promise("main", 0).owner == 1


def test_a_proof_ends_the_promise_to_that_boot_and_no_other_and_the_boot_is_not_heard_again():
    disk = Disk()
    disk.ask(0)
    other = {"node": 2, "kind": Kind.FENCE_CONFIRM, "owner": 1, "epoch": 0}
    assert told(disk.ask(1, owner_boot=BOOT[3], **other)) == GRANTED
    assert disk.voter.promise("main", 1) is not None
    assert told(disk.ask(1, owner_boot=BOOT[1], **other)) == GRANTED
    assert disk.voter.promise("main", 1) is None
    assert told(disk.ask(2, epoch=65, counter=2)) == (Kind.REFUSE, "fenced")
    assert disk.ask(2, **other | {"owner": None}) is None


def test_a_proof_against_an_endless_promise_is_on_disk_before_it_is_answered():
    disk = Disk({"main": Record(33, 1, BOOT[1], 7, endless=True)}, sticky=True, voters=(0, 1))
    answer = disk.ask(0, node=0, kind=Kind.FENCE_CONFIRM, owner=1, owner_boot=BOOT[1], epoch=0)
    assert told(answer) == GRANTED
    assert not disk.stored.records["main"].endless


def test_a_proof_during_the_write_of_an_endless_grant_takes_it_back():
    disk = Disk(sticky=True, voters=(0, 1))
    disk.works = False
    (write,) = disk.do(Request(frame(), 10), 0)
    disk.do(Request(frame(0, Kind.FENCE_CONFIRM, owner=1, owner_boot=BOOT[1]), 0), 1)
    (undone,) = disk.do(Persisted(write.token), 2)
    assert not undone.state.records["main"].endless
    assert disk.do(Persisted(undone.token), 3) == []


def test_two_leases_are_on_their_way_to_the_disk_at_once_and_neither_loses_the_other():
    disk = Disk({"site": FRESH})
    disk.works = False
    (one,) = disk.do(Request(frame(), 10), 0)
    (two,) = disk.do(Request(frame(node=2, epoch=66, name="site"), 10), 0)
    assert {name: each.max_epoch for name, each in two.state.records.items()} == {
        "main": 33, "site": 66,
    }  # fmt: skip
    disk.do(Request(frame(node=2, epoch=66, name="site", kind=Kind.RELEASE, counter=2), 10), 0)
    for write in (one, two):
        disk.do(Persisted(write.token), 1)
    assert (disk.voter.max_epoch("main"), disk.voter.max_epoch("site")) == (33, 66)


def test_a_proof_during_the_write_of_a_timed_grant_leaves_nothing_behind():
    disk = Disk()
    disk.works = False
    (write,) = disk.do(Request(frame(), 10), 0)
    disk.do(Request(frame(node=2, kind=Kind.FENCE_CONFIRM, owner=1, owner_boot=BOOT[1]), 10), 1)
    assert disk.do(Persisted(write.token), 2) == []


# -- sticky ------------------------------------------------------------------------------------


def test_a_sticky_grant_has_no_end_and_outlives_every_restart():
    disk = Disk(sticky=True, voters=(0, 1))
    disk.ask(0)
    disk.ask(5, kind=Kind.RENEW, counter=2)
    refusal = disk.ask(10**9, node=0, epoch=64)
    assert (*told(refusal), refusal.remaining_ms) == (Kind.REFUSE, "promised", None)
    for boot in (BOOT[0], BEFORE):
        again = Disk(state=disk.stored, sticky=True, voters=(0, 1), boot=boot)
        assert again.voter.promise("main", 10**9).owner == 1


def test_its_owner_ends_it_after_a_reboot_by_a_word_that_this_node_can_date():
    disk = Disk({"main": Record(33, 1, BEFORE, 7, endless=True)}, sticky=True, voters=(0, 1))
    assert disk.ask(0, None, kind=Kind.RELEASE, counter=9) is None
    assert told(disk.ask(0, 10, kind=Kind.RELEASE, counter=9)) == GRANTED
    assert not disk.stored.records["main"].endless


# -- starts ------------------------------------------------------------------------------------


def test_the_start_is_on_disk_before_anything_is_granted():
    disk = Disk()
    assert (disk.stored.inc, disk.stored.boot) == (4, BOOT[0])
    late = Voter(
        0, Electorate(7, (0, 1, 2), (0, 1, 2)), TERMS, {"main": 0}, state=disk.stored,
        boot=BOOT[0], guarded=True,
    )  # fmt: skip
    (write,) = late.handle(Begin(), 0)
    (refusal, _) = late.handle(Request(frame(), 10), 0)
    assert told(refusal) == (Kind.REFUSE, "abstains")
    assert late.handle(Request(frame(kind=Kind.RELEASE), 10), 0) == []
    assert late.handle(PersistFailed(write.token), 5) == []
    assert late.handle(Tick(), late.due_ms() - 1) == []
    (again,) = late.handle(Tick(), late.due_ms())
    late.handle(Persisted(again.token), 2_000)
    assert any(type(e) is Persist for e in late.handle(Request(frame(), 10), 2_000))


def test_the_write_of_a_start_is_not_doubled_while_it_is_on_its_way():
    disk = Disk()
    late = Voter(
        0, Electorate(7, (0, 1), (0, 1)), TERMS, {}, state=disk.stored, boot=BOOT[0], guarded=True
    )
    (write,) = late.handle(Begin(), 0)
    late.handle(PersistFailed(write.token), 0)
    late.handle(Tick(), 1_000)
    late._due_ms = 1_000
    assert late.handle(Tick(), 1_000) == []


def test_a_restarted_agent_is_bound_to_whoever_was_granted_last():
    record = {"main": Record(33, 1, BOOT[1], 7, watchdog_ms=5_000)}
    disk = Disk(record)
    assert disk.voter.promise("main", 0).until_ms == P + 5_000
    assert told(disk.ask(1, node=2, epoch=66)) == (Kind.REFUSE, "promised")
    assert told(disk.ask(1, kind=Kind.RENEW, watchdog_ms=5_000)) == GRANTED


def test_a_restarted_agent_is_not_bound_to_what_its_node_gave_back():
    disk = Disk({"main": Record(32, 0, BOOT[0], 7, given_back=32)})
    assert disk.voter.promise("main", 0) is None


@pytest.mark.parametrize("start", [{"boot": BEFORE}, {"guarded": False}])
def test_after_a_boot_or_without_a_guard_nothing_is_granted_for_a_promise(start):
    disk = Disk({"main": Record(33, 1, BOOT[1], 7, watchdog_ms=5_000)}, **start)
    refusal = disk.ask(P + 4_999, node=2, epoch=66)
    assert (*told(refusal), refusal.remaining_ms) == (Kind.REFUSE, "boot-wait", 1)
    assert told(disk.ask(P + 5_000, node=2, epoch=66)) == GRANTED


def attest(disk, *nodes, now_ms=100, max_epoch=0, **more):
    nonce = Nonce(b"v" * 16, more.pop("inc", 4), 1)
    given = {"kind": Kind.ATTEST, "epoch": 0, "nonce": nonce, "max_epoch": max_epoch}
    for node in nodes:
        out = disk.do(Request(frame(node, **given | more), None), now_ms)
    return out


def asked(effects):
    return [effect.to for effect in effects if type(effect) is Send]


def test_a_boot_wait_ends_once_every_node_of_the_site_attests_this_one_among_them():
    disk = Disk(boot=BEFORE, nodes=(0, 1, 2, 3))
    assert asked(disk.do(Tick(), 49)) == []
    assert asked(disk.do(Tick(), 50)) == [0, 1, 2, 3]
    attest(disk, 1, 2, 3)
    assert told(disk.ask(200, node=2, epoch=66)) == (Kind.REFUSE, "boot-wait")
    attest(disk, 0)
    assert told(disk.ask(200, node=2, epoch=66)) == GRANTED


def test_whoever_says_that_it_holds_the_lease_is_promised_it_anew():
    disk = Disk(boot=BEFORE)
    attest(disk, 0, 2)
    attest(disk, 1, epoch=33)
    assert disk.stored.records["main"] == Record(33, 1, BOOT[1], 7)
    refusal = disk.ask(101, node=2, epoch=66)
    assert (*told(refusal), refusal.remaining_ms) == (Kind.REFUSE, "promised", P - 1)
    assert told(disk.ask(101, kind=Kind.RENEW, counter=9)) == GRANTED


def test_in_a_sticky_site_that_promise_has_no_end():
    disk = Disk(boot=BEFORE, sticky=True, voters=(0, 1))
    attest(disk, 0)
    attest(disk, 1, epoch=33)
    assert disk.voter.promise("main", 10**9).owner == 1
    assert disk.stored.records["main"].endless


def test_two_who_say_that_they_hold_it_are_asked_again():
    disk = Disk(boot=BEFORE)
    attest(disk, 0)
    attest(disk, 1, epoch=33)
    attest(disk, 2, epoch=66)
    assert told(disk.ask(101, node=2, epoch=98)) == (Kind.REFUSE, "boot-wait")
    assert asked(disk.do(Tick(), 600)) == [1, 2]
    attest(disk, 1, now_ms=601)
    attest(disk, 2, now_ms=601, epoch=66)
    assert disk.voter.promise("main", 601).owner == 2


def test_who_holds_it_no_more_by_its_own_later_word_or_by_proof_is_promised_nothing():
    disk = Disk(boot=BEFORE)
    disk.ask(10, kind=Kind.RELEASE, epoch=33)
    attest(disk, 0, 2)
    attest(disk, 1, epoch=33)
    assert disk.voter.promise("main", 100) is None
    disk = Disk(boot=BEFORE)
    disk.ask(10, node=2, kind=Kind.FENCE_CONFIRM, owner=1, owner_boot=BOOT[1], epoch=0)
    attest(disk, 0, 2)
    attest(disk, 1, epoch=33)
    assert disk.voter.promise("main", 100) is None


def test_an_endless_word_to_one_stands_whatever_another_says_it_holds():
    disk = Disk({"main": Record(33, 1, BOOT[1], 6, endless=True)}, boot=BEFORE)
    attest(disk, 0, 1)
    attest(disk, 2, epoch=66)
    assert disk.stored.records["main"] == Record(33, 1, BOOT[1], 7, endless=True)
    assert disk.voter.promise("main", 10**9).owner == 1
    assert disk.voter.max_epoch("main") == 66


@pytest.mark.parametrize("wrong", [{"inc": 3}, {"cfgver": 8}, {"owner": None}])
def test_an_attestation_of_another_start_or_configuration_or_a_question_counts_for_nothing(wrong):
    disk = Disk(boot=BEFORE)
    attest(disk, 1, **wrong)
    attest(disk, 0, 2)
    assert told(disk.ask(101, node=2, epoch=66)) == (Kind.REFUSE, "boot-wait")


def test_who_has_not_attested_is_asked_again_until_the_wait_is_over():
    disk = Disk(boot=BEFORE)
    attest(disk, 0, 1)
    assert asked(disk.do(Tick(), disk.voter.due_ms())) == [2]
    disk.do(Tick(), P)
    assert disk.voter.due_ms() is None
    attest(disk, 2, now_ms=P)  # late: it is no news
    assert disk.said[-1].sentence.startswith("votes for nobody")


def test_a_blank_voter_votes_once_all_attested_and_takes_over_the_highest_epoch():
    disk = Disk(state=VoterState.blank(b"v" * 16))
    assert told(disk.ask(10**6)) == (Kind.REFUSE, "blank")
    attest(disk, 0, 2, inc=1)
    attest(disk, 1, inc=1, max_epoch=96)
    assert disk.stored.records["main"] == Record(96, cfgver=7)
    assert told(disk.ask(101)) == (Kind.REFUSE, "epoch")
    assert told(disk.ask(101, epoch=97, counter=2)) == GRANTED


def test_an_admission_that_the_disk_did_not_take_is_tried_again():
    disk = Disk(state=VoterState.blank(b"v" * 16))
    disk.works = False
    *_, write = attest(disk, 0, 1, 2, inc=1)
    disk.do(PersistFailed(write.token), 5)
    disk.works = True
    disk.do(Tick(), disk.voter.due_ms())
    assert told(disk.ask(2_000)) == GRANTED


def test_a_voter_of_another_configuration_asks_everybody_anew():
    disk = Disk({"main": Record(33, 1, BOOT[1], 6)})
    assert told(disk.ask(10**6)) == (Kind.REFUSE, "blank")
    attest(disk, 0, 1, 2)
    assert disk.stored.records["main"] == Record(33, 1, BOOT[1], 7)


def test_an_owner_is_not_taken_for_that_of_a_higher_epoch_that_others_know_of():
    disk = Disk({"main": Record(33, 1, BOOT[1], 7)}, boot=BEFORE)
    attest(disk, 0, 1)
    attest(disk, 2, max_epoch=66)
    assert disk.stored.records["main"] == Record(66, None, BOOT[1], 7)


def test_a_site_of_one_asks_itself_alone():
    disk = Disk(state=VoterState.blank(b"v" * 16), sticky=True, voters=(0,))
    assert asked(disk.do(Tick(), 50)) == [0]
    attest(disk, 0, inc=1)
    assert told(disk.ask(101, 0, node=0, epoch=32)) == GRANTED


def test_a_lease_that_only_others_define_is_asked_about_when_it_is_met():
    disk = Disk()
    assert told(disk.ask(0, name="other")) == (Kind.REFUSE, "blank")
    attest(disk, 0, 1, 2, name="other")
    assert told(disk.ask(101, name="other")) == GRANTED


def test_more_leases_than_a_site_may_have_are_not_voted_on():
    disk = Disk({f"l{n}": FRESH for n in range(15)})
    assert told(disk.ask(0, name="other")) == (Kind.REFUSE, "blank")
    attest(disk, 0, 1, 2, name="other")
    assert told(disk.ask(101, name="other")) == (Kind.REFUSE, "blank")


def test_a_rolled_back_voter_abstains_until_all_attested():
    disk = Disk()
    effects = disk.do(RolledBack(), 5)
    assert any(isinstance(e, Explain) and "older than" in e.sentence for e in effects)
    assert told(disk.ask(10**6)) == (Kind.REFUSE, "blank")
    attest(disk, 0, 1, 2)
    assert told(disk.ask(101, counter=2)) == GRANTED


def test_who_is_no_voter_refuses_and_asks_nobody():
    disk = Disk(voters=(1, 2, 3), nodes=(0, 1, 2, 3), boot=BEFORE)
    assert asked(disk.do(Tick(), 50)) == []
    assert told(disk.ask(10**6)) == (Kind.REFUSE, "abstains")


@pytest.mark.parametrize("kind", [Kind.GRANT, Kind.REFUSE, Kind.YIELD])
def test_what_is_not_for_a_voter_is_left_alone(kind):
    assert Disk().do(Request(frame(kind=kind), 10), 0) == []
