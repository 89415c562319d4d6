"""What moves one job, by what is seen of its site."""

import pytest
from msgspec.structs import replace
from rollout_fleet import NEW, OLD
from rollout_site import ALARM, job, standing, terms

from roost_central.rollout.head import AlarmSeen, Standing
from roost_central.rollout.job import Job
from roost_central.rollout.site import look
from roost_central.rollout.table import JobState as J
from roost_protocol.severity import Severity
from roost_protocol.update import IGNORED, FailureType, JobReport, NodeSaid, SiteState


def test_success_takes_the_digest_three_beats_and_the_soak():
    verifying = job(J.VERIFYING, since_ms=0)
    assert look(verifying, standing(OLD), terms(), 2_000).state is J.VERIFYING
    assert look(verifying, standing(None), terms(), 5_000).state is J.VERIFYING
    assert look(verifying, standing(), terms(), 2_999).state is J.VERIFYING
    soaking = look(verifying, standing(), terms("site_soak_s = 60\n"), 3_000)
    assert soaking.state is J.SOAKING
    assert look(soaking, standing(), terms("site_soak_s = 60\n"), 62_999).state is J.SOAKING
    assert look(soaking, standing(), terms("site_soak_s = 60\n"), 63_000).state is J.SUCCEEDED


def test_a_release_that_reboots_is_measured_after_another_boot():
    verifying = job(J.VERIFYING, boots=("a",))
    reboots = terms(head="reboot = true\n")
    assert look(verifying, standing(boots=("a",)), reboots, 60_000).state is J.VERIFYING
    assert look(verifying, standing(boots=("b",)), reboots, 60_000).state is J.SOAKING


def test_what_is_measured_says_what_it_waits_for():
    verifying, turn = (
        job(J.VERIFYING, boots=("a",)),
        AlarmSeen("400.001|s", "400.001", Severity.MAJOR),
    )
    reboots = terms(head="reboot = true\n")

    def said(seen, judged=None):
        return look(verifying, seen, judged or terms(), 1_000).detail

    assert said(standing(OLD)) == "waits for its nodes to say that they run the release"
    assert (
        said(standing(boots=("a",)), reboots) == "waits for its nodes to say that they booted anew"
    )
    assert said(standing(alarms=(turn,))) == "waits for the end of alarm 400.001"
    assert said(standing()) == "waits for 3 clean beats of its nodes"
    assert look(job(J.SOAKING), standing(alarms=(turn,)), terms(), 1).detail.endswith("400.001")


def test_what_never_shows_the_digest_times_out():
    late = look(job(J.VERIFYING), standing(OLD), terms(), 900_000)
    assert (late.state, late.failure) == (J.TIMED_OUT, FailureType.TIMEOUT)


@pytest.mark.parametrize("state", [J.VERIFYING, J.SOAKING])
def test_a_new_alarm_fails_it_and_an_old_or_expected_one_does_not(state):
    bad = standing(alarms=(ALARM,))
    assert look(job(state), bad, terms(), 1).failure is FailureType.HEALTH
    assert look(job(state, alarms=("100.1|x",)), bad, terms(), 1).state is state
    assert look(job(state), bad, terms(head='expected_alarms = ["100.1"]\n'), 1).state is state
    minor = standing(alarms=(AlarmSeen("100.1|x", "100.1", Severity.MINOR),))
    assert look(job(state), minor, terms(), 1).state is state


@pytest.mark.parametrize("type_", ["400.002", "280.801"])
def test_an_alarm_of_local_ha_or_of_a_way_is_no_failure_until_it_stays(type_):
    """Redundancy that the last turn took is back in seconds; so is a WAN path after a cut."""
    lost = AlarmSeen(f"{type_}|web", type_, Severity.MAJOR)
    verifying = job(J.VERIFYING, since_ms=0)
    waits = look(verifying, standing(alarms=(lost,)), terms(), 899_999)
    assert (waits.state, waits.due_ms) == (J.VERIFYING, 900_000)
    assert look(waits, standing(), terms(), 60_000).state is J.SOAKING
    late = look(waits, standing(alarms=(lost,)), terms(), 900_000)
    assert (late.state, late.failure) == (J.FAILED, FailureType.HEALTH)


@pytest.mark.parametrize("type_", ["400.002", "280.801"])
def test_a_way_that_is_lost_for_a_while_of_a_soak_ends_it_only_once_it_stays(type_):
    lost = standing(alarms=(AlarmSeen(f"{type_}|web", type_, Severity.MAJOR),))
    soaking, soak_ms = job(J.SOAKING, since_ms=0), terms().rules.site_soak_ms
    waits = look(soaking, lost, terms(), soak_ms + 1)
    assert (waits.state, waits.due_ms) == (J.SOAKING, soak_ms + 900_000)
    assert look(waits, standing(), terms(), soak_ms + 2).state is J.SUCCEEDED
    late = look(waits, lost, terms(), soak_ms + 900_000)
    assert (late.state, late.failure) == (J.FAILED, FailureType.HEALTH)


def test_a_node_that_goes_back_by_itself_fails_its_site():
    failed = look(job(J.SOAKING), standing(OLD), terms(), 1)
    assert (failed.state, failed.failure) == (J.FAILED, FailureType.HEALTH)


def test_an_offer_without_an_answer_comes_again_and_then_counts_as_silence():
    offered = job(J.OFFERED, offered_ms=0)
    assert look(offered, standing(OLD), terms(), 299_999).state is J.OFFERED
    again = look(offered, standing(OLD), terms(), 300_000)
    assert (again.state, again.unanswered) == (J.QUEUED, 1)
    third = look(job(J.OFFERED, unanswered=2), standing(OLD), terms(), 300_000)
    assert third.state is J.UNREACHABLE


def test_a_site_seen_to_run_it_is_verified_though_nobody_said_so():
    assert look(job(J.STAGED), standing(), terms(), 1).state is J.VERIFYING


def test_a_site_that_hangs_times_out_at_the_deadline_of_its_wave():
    hung = look(job(J.APPLYING), standing(OLD), terms(deadline_ms=500), 499)
    assert hung.due_ms == 500
    late = look(hung, standing(OLD), terms(deadline_ms=500), 500)
    assert (late.state, late.detail) == (J.TIMED_OUT, "applying at the wave's deadline")
    waits = job(J.WAITING, detail="the window opens at noon")
    late = look(waits, standing(OLD), terms(deadline_ms=500), 500)
    assert late.detail == "waiting at the wave's deadline: the window opens at noon"


def test_failures_get_the_attempts_of_their_type():
    failed = job(J.FAILED, failure=FailureType.DOWNLOAD, since_ms=0)
    waits = look(failed, standing(OLD), terms(), 1)
    assert waits.due_ms == 900_000
    assert look(waits, standing(OLD), terms(), 900_000).state is J.QUEUED
    last = look(job(J.FAILED, failure=FailureType.BOOT), standing(OLD), terms(), 1)
    assert (last.state, last.due_ms) == (J.FAILED, 0)


IGNORES = 'storage = "ignore"\nreboot = true\n'


def left_out(*names):
    """Return what nodes say whose role the plan leaves out."""
    word = JobReport(v=1, job="0" * 32, attempt=1, seq=1, state=SiteState.NOT_NEEDED)
    return tuple((n, replace(word, nodes=[NodeSaid(n, IGNORED)])) for n in names)


def test_a_node_whose_role_is_left_out_is_not_waited_for_where_the_plan_leaves_one_out():
    nodes = ("s.n1", "s.s0")
    there = Standing(
        is_dark=False, runs=(NEW, OLD), boots=("b", "s"), beat_ms=1_000, said=left_out("s.s0")
    )
    verifying = Job(site="s", wave=0, nodes=nodes, state=J.VERIFYING, former=OLD, boots=("a", "s"))
    after = look(verifying, there, terms(head=IGNORES), 60_000)
    assert after.state is J.SOAKING
    assert look(after, there, terms(head=IGNORES), 900_000).state is J.SUCCEEDED
    silent = Standing(is_dark=False, runs=(NEW, None), boots=("b", ""), said=there.said)
    assert look(verifying, silent, terms(head=IGNORES), 90_001).state is J.SOAKING
    behind = Standing(is_dark=False, runs=(OLD, NEW), boots=("b", "s"), said=there.said)
    assert look(verifying, behind, terms(head=IGNORES), 60_000).state is J.VERIFYING
    unasked = look(verifying, there, terms(head="reboot = true\n"), 60_000)
    assert unasked.state is J.VERIFYING, "its word counts where the plan leaves a role out"


def test_a_site_of_which_all_is_left_out_needs_nothing():
    offered = Job(site="s", wave=0, nodes=("s.s0", "s.s1"), state=J.OFFERED, former=OLD)
    there = Standing(is_dark=False, runs=(OLD, OLD), said=left_out("s.s0"))
    one = look(offered, there, terms(head=IGNORES), 1_000)
    assert one.state is not J.NOT_NEEDED
    both = Standing(is_dark=False, runs=(OLD, OLD), said=left_out("s.s0", "s.s1"))
    after = look(one, both, terms(head=IGNORES), 2_000)
    assert (after.state, after.detail) == (
        J.NOT_NEEDED, "the plan leaves out what its nodes are for",
    )  # fmt: skip


def unneeded(*nodes):
    """Return what nodes say that need nothing, each for itself."""
    word = JobReport(v=1, job="0" * 32, attempt=1, seq=1, state=SiteState.NOT_NEEDED, nodes=[])
    return tuple((node, word) for node in nodes)


@pytest.mark.parametrize("state", [J.OFFERED, J.ACCEPTED])
def test_a_site_that_says_that_it_needs_nothing_is_measured(state):
    offered = job(state, offered_ms=1_000, since_ms=1_000)
    said = unneeded("s.n1")
    assert look(offered, standing(NEW, said=said), terms(), 2_000).state is J.NOT_NEEDED
    doubted = look(offered, standing(OLD, said=said), terms(), 2_000)
    assert (doubted.state, doubted.due_ms) == (state, 901_000)
    assert look(doubted, standing(NEW, said=said), terms(), 30_000).state is J.NOT_NEEDED
    late = look(doubted, standing(OLD, said=said), terms(), 901_000)
    assert (late.state, late.failure) == (J.TIMED_OUT, FailureType.TIMEOUT)
    assert "needs nothing" in late.detail
    assert not late.touched
