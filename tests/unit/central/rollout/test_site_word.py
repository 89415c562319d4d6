"""What a site says is taken once, in its order, and of all of its nodes."""

from itertools import permutations

import msgspec
import pytest

from roost_central.rollout.job import Job
from roost_central.rollout.site_word import heard, told, word_of
from roost_central.rollout.table import JobState, Who
from roost_protocol.update import FailureType, JobReport, NodeSaid, SiteState, WaitReason

J, S = JobState, SiteState
NODES = ("s.n1", "s.n2")


def job(state=J.OFFERED, **how):
    return Job(site="s", wave=0, nodes=NODES, state=state, **how)


def report(state, seq=1, attempt=1, of_all=True, failure=None):
    return JobReport(
        v=1, job="0" * 32, attempt=attempt, seq=seq, state=state, failure=failure,
        wait=WaitReason.LOCK if state is S.WAITING else None,
        nodes=[NodeSaid(node, "") for node in NODES] if of_all else [],
    )  # fmt: skip


def test_an_older_word_and_one_of_another_attempt_change_nothing():
    first = heard(job(), "s.n1", report(S.STAGING, seq=5))
    assert heard(first, "s.n1", report(S.ACCEPTED, seq=4)) is first
    assert heard(first, "s.n1", report(S.ACCEPTED, seq=5)) is first
    assert (
        heard(first, "s.n1", report(S.FAILED, seq=9, attempt=2, failure=FailureType.BOOT)) is first
    )


def test_who_speaks_for_all_nodes_is_believed_and_the_newest_of_them():
    said = heard(job(), "s.n1", report(S.STAGING, seq=5))
    assert told(said, 1).state is J.STAGING
    said = heard(said, "s.n2", report(S.APPLYING, seq=9))  # the site has another coordinator
    assert told(said, 1).state is J.APPLYING


def test_nodes_that_speak_for_themselves_are_waited_for_but_not_for_a_failure():
    said = heard(job(), "s.n1", report(S.COMMITTED, of_all=False))
    assert told(said, 1).state is J.ACCEPTED
    both = heard(said, "s.n2", report(S.APPLYING, of_all=False))
    assert told(both, 1).state is J.APPLYING
    bad = heard(said, "s.n2", report(S.FAILED, of_all=False, failure=FailureType.DOWNLOAD))
    assert told(bad, 1).state is J.FAILED
    assert word_of(job()) is None


def test_what_a_site_waits_for_is_told_as_it_is_now_and_by_the_node_that_knows_it():
    def waits(before, node, seq, wait, detail):
        said = msgspec.structs.replace(
            report(S.WAITING, seq, of_all=False), wait=wait, detail=detail
        )  # fmt: skip
        return told(heard(before, node, said), 1)

    one = waits(job(), "s.n1", 1, WaitReason.LOCK, "waits for n2, which coordinates the site")
    both = waits(one, "s.n2", 1, WaitReason.WINDOW, "the window opens at noon")
    assert (both.state, both.detail) == (J.WAITING, "the window opens at noon")
    after = waits(both, "s.n2", 2, WaitReason.HEALTH, "alarm 200.006 (web) stands on s.n2")
    assert (after.state, after.detail) == (J.WAITING, "alarm 200.006 (web) stands on s.n2")
    assert after.since_ms == both.since_ms
    assert told(after, 2) is after


def test_a_site_may_leave_out_what_it_passed():
    after = told(heard(job(), "s.n1", report(S.COMMITTED)), 1)
    assert after.state is J.VERIFYING
    assert after.touched


def test_what_went_back_whole_is_not_touched_and_what_failed_in_the_middle_is():
    back = told(heard(job(), "s.n1", report(S.ROLLED_BACK, failure=FailureType.INSTALL)), 1)
    assert not back.touched
    stuck = told(heard(job(), "s.n1", report(S.FAILED, failure=FailureType.INSTALL)), 1)
    assert stuck.touched
    early = told(heard(job(), "s.n1", report(S.FAILED, failure=FailureType.DOWNLOAD)), 1)
    assert not early.touched


def test_a_word_that_is_no_way_on_is_left_alone():
    verifying = heard(job(J.VERIFYING), "s.n1", report(S.STAGING))
    assert told(verifying, 1) is verifying
    ended = heard(job(J.SUCCEEDED), "s.n1", report(S.FAILED, failure=FailureType.BOOT))
    assert told(ended, 1) is ended


def test_another_attempt_forgets_what_the_one_before_said():
    failed = told(heard(job(), "s.n1", report(S.FAILED, failure=FailureType.BOOT)), 1)
    again = failed.again(Who.CENTRAL, 2)
    assert (again.state, again.attempt, again.said, again.failure) == (J.QUEUED, 2, {}, None)


@pytest.mark.parametrize("other", [S.ROLLED_BACK, S.CANCELED, S.FAILED])
def test_a_site_of_which_one_node_has_it_and_another_has_not_is_no_site_that_is_back(other):
    said = heard(job(J.APPLYING, touched=True), "s.n1", report(S.COMMITTED, of_all=False))
    said = heard(said, "s.n2", report(other, of_all=False, failure=FailureType.PRECHECK))
    mixed = told(said, 1)
    assert (mixed.state, mixed.touched, mixed.failure) == (J.FAILED, True, FailureType.PRECHECK)
    assert mixed.detail.startswith("s.n1 has it, others do not: ")


def test_who_is_sent_back_for_anothers_failure_does_not_speak_before_that_one():
    said = job(J.APPLYING, touched=True)
    said = heard(said, "s.n1", report(S.APPLYING, of_all=False))
    canceled = report(S.CANCELED, of_all=False, failure=FailureType.OPERATOR)
    said = told(heard(said, "s.n2", canceled), 1)
    assert said.state is J.APPLYING
    back = report(S.ROLLED_BACK, seq=2, of_all=False, failure=FailureType.HEALTH)
    said = told(heard(said, "s.n1", back), 2)
    assert (said.state, said.failure) == (J.ROLLED_BACK, FailureType.HEALTH)


def test_a_site_of_which_every_node_went_back_is_back():
    said = heard(job(J.APPLYING, touched=True), "s.n1", report(S.COMMITTED, of_all=False))
    for node in NODES:
        word = report(S.ROLLED_BACK, seq=2, of_all=False, failure=FailureType.HEALTH)
        said = heard(said, node, word)
    assert (told(said, 1).state, told(said, 1).touched) == (J.ROLLED_BACK, False)


@pytest.mark.parametrize("order", [*permutations(("s.n1", "s.n2", "s.n3"))])
def test_a_mixed_site_is_touched_in_whatever_order_its_words_come(order):
    words = {
        "s.n1": report(S.COMMITTED, seq=9, of_all=False),
        "s.n2": report(S.ROLLED_BACK, seq=9, of_all=False, failure=FailureType.HEALTH),
        "s.n3": report(S.CANCELED, seq=9, of_all=False, failure=FailureType.OPERATOR),
    }
    said = Job(site="s", wave=0, nodes=("s.n1", "s.n2", "s.n3"), state=J.APPLYING, touched=True)
    for node in said.nodes:
        said = heard(said, node, report(S.STAGED, of_all=False))
    for node in order:
        said = told(heard(said, node, words[node]), 1)
    assert said.touched, said
    assert "s.n1 has it, others do not" in said.detail


@pytest.mark.parametrize(
    ("state", "detail", "told_as"),
    [
        (S.FAILED, "verify: hardware: no", "s.n2: verify: hardware: no"),
        (S.REJECTED, "it is at work", "waits: s.n2: it is at work"),
        (S.FAILED, "s.n1: kernel: no", "s.n1: kernel: no"),  # it says itself of which node
        (S.FAILED, "", ""),
        (S.WAITING, "s.n1 is silent", "s.n1 is silent"),
    ],
)
def test_what_went_wrong_is_told_with_the_node_that_says_it(state, detail, told_as):
    failure = FailureType.VERIFY if state is S.FAILED else None
    said = msgspec.structs.replace(report(state, failure=failure), detail=detail)
    assert told(heard(job(), "s.n2", said), 1).detail == told_as


def test_who_was_given_up_and_could_not_go_back_is_touched():
    """Only a node that is stuck between two releases fails after it was canceled."""
    said = report(S.FAILED, seq=2, failure=FailureType.OPERATOR)
    assert told(heard(job(J.APPLYING), "s.n1", said), 1).touched
