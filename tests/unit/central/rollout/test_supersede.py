"""A newer rollout takes sites over: what waits is superseded, what is under way is finished."""

import msgspec
import pytest
from rollout_fleet import NEW, OLD, SmallFleet, running

from roost_central.rollout.supersede import is_newer
from roost_central.rollout.table import JobState, RolloutState, WaveState

R, W, J = RolloutState, WaveState, JobState
NEWER = "e" * 32
ALL = [f"s{number:04}" for number in range(30)]


def at(state, site="s0000", **how):
    """Return a fleet one of whose sites has come to a state."""
    fleet = running(**how)
    return fleet.run(lambda: fleet.rollout.jobs[site].state is state)


@pytest.mark.parametrize("state", [J.QUEUED, J.OFFERED, J.STAGING, J.STAGED, J.WAITING])
def test_what_is_not_installed_yet_is_superseded_and_counted_apart(state):
    fleet = at(state)
    fleet.rollout.supersede(["s0000"], NEWER, fleet.now_ms)
    job = fleet.rollout.jobs["s0000"]
    assert (job.state, job.superseded) == (J.SUPERSEDED, NEWER)
    assert NEWER in job.detail
    assert [each.site for each in fleet.rollout.cancels] == ["s0000"] * (state is not J.QUEUED)
    tally = fleet.rollout.tally(0)
    assert (tally.unmeant, sum(tally.failures.values())) == (1, 0)
    fleet.until_state(R.COMPLETED)
    assert fleet.states()["s0000"] is J.SUPERSEDED


def test_what_is_being_installed_is_finished():
    fleet = at(J.APPLYING)
    fleet.rollout.supersede(ALL, NEWER, fleet.now_ms)
    assert fleet.rollout.jobs["s0000"].state is J.APPLYING
    fleet.until_state(R.COMPLETED)
    assert fleet.sites["s0000"].runs == NEW
    assert {site.runs for name, site in fleet.sites.items() if name > "s0002"} == {OLD}


def test_a_site_that_fails_after_it_was_superseded_gets_no_other_attempt():
    fleet = at(J.APPLYING, "s0001", s0001="rolls-back", plan="retry = {install = 3}\n")
    fleet.rollout.supersede(["s0001"], NEWER, fleet.now_ms)
    offers = len(fleet.offered)
    fleet.until_state(R.PAUSED)
    fleet.rollout.resume("retry", fleet.now_ms)
    for _ in range(60):
        fleet.turn(60)
    assert [job.site for job in fleet.offered[offers:]].count("s0001") == 0


def test_a_site_that_is_due_for_another_attempt_is_waited_for_no_longer():
    fleet = running(
        s0001="rolls-back", plan="retry = {install = 3}\nerror_abs = 3\nerror_pct = 100\n"
    )
    fleet.run(lambda: fleet.rollout.tally(0).retrying == 1)
    fleet.rollout.supersede(["s0001"], NEWER, fleet.now_ms)
    fleet.turn()
    assert fleet.rollout.tally(0).retrying == 0
    assert fleet.rollout.jobs["s0001"].state is J.ROLLED_BACK


def test_rolling_back_leaves_the_sites_that_a_newer_rollout_has():
    fleet = running()
    fleet.run(lambda: fleet.rollout.head.waves[0].state is W.SOAKING)
    fleet.rollout.supersede(["s0000"], NEWER, fleet.now_ms)
    fleet.rollout.roll_back("no", fleet.now_ms)
    fleet.until_state(R.ROLLED_BACK)
    assert [fleet.sites[name].runs for name in ALL[:3]] == [NEW, OLD, OLD]


def test_a_silent_site_that_waits_is_superseded_and_one_in_the_middle_ends_with_its_wave():
    fleet = SmallFleet(60, plan="deadline_h = 1\n", waves=((0, 60),))
    fleet.sites["s0005"].is_dark = True
    fleet.rollout.start(fleet.now_ms)
    fleet.run(lambda: fleet.rollout.jobs["s0000"].state is J.APPLYING)
    fleet.sites["s0000"].is_dark = True
    fleet.run(lambda: fleet.rollout.jobs["s0000"].state is J.UNREACHABLE)
    fleet.rollout.supersede(["s0000", "s0005"], NEWER, fleet.now_ms)
    assert fleet.states()["s0000"] is J.UNREACHABLE
    assert fleet.states()["s0005"] is J.SUPERSEDED
    fleet.until_state(R.COMPLETED, R.PAUSED, seconds=30)
    assert fleet.rollout.head.state is R.COMPLETED, fleet.rollout.head.why
    assert fleet.states()["s0000"] is J.SUPERSEDED


def test_what_a_newer_rollout_does_to_its_sites_is_no_fault_of_the_older_one():
    fleet = running()
    fleet.run(lambda: fleet.rollout.head.waves[0].state is W.SOAKING)
    fleet.rollout.supersede(ALL[:3], NEWER, fleet.now_ms)
    for name in ALL[:3]:
        fleet.sites[name].is_dark = True
    fleet.until_state(R.COMPLETED)


def test_only_one_that_has_begun_and_was_made_later_takes_sites_over():
    head = running().rollout.head
    later = msgspec.structs.replace(head, made_ms=head.made_ms + 1, id=NEWER)
    assert is_newer(later, head)
    assert not is_newer(head, later)
    assert not is_newer(msgspec.structs.replace(later, state=R.SCHEDULED), head)
    assert not is_newer(msgspec.structs.replace(later, component="app/other"), head)
    assert SmallFleet().plan.supersede is False
