"""A voter after a boot, after a restart of its agent, and with a disk that knows nothing."""

import pytest
from voter_disk import BEFORE, BOOT, GRANTED, Disk, P, asked, attest, told

from roost_protocol.explain import Explain
from roost_protocol.ha import Kind
from roost_protocol.voter_events import (
    PersistFailed,
    RolledBack,
    Tick,
)
from roost_protocol.voter_state import Record, VoterState


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
    assert disk.stored.records["main"] == Record(33, 1, BOOT[1], 7, floor=33)
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
    assert any(str(said).startswith("Explain(sentence='votes for nobody") for said in disk.said)


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


def test_a_rolled_back_voter_abstains_until_all_attested():
    disk = Disk()
    effects = disk.do(RolledBack(), 5)
    assert any(isinstance(e, Explain) and "older than" in e.sentence for e in effects)
    assert told(disk.ask(10**6)) == (Kind.REFUSE, "blank")
    attest(disk, 0, 1, 2)
    assert told(disk.ask(101, counter=2)) == GRANTED
