"""What the sites of a rollout came to in all: every site once, and kept at its end."""

import msgspec
from rollout_fleet import running

from roost_central.rollout.counts import Counts
from roost_central.rollout.table import JobState, RolloutState

R, J = RolloutState, JobState


def whole(fleet):
    return sum(msgspec.structs.astuple(fleet.rollout.counts()))


def test_every_site_is_counted_once_at_each_turn_of_a_rollout():
    fleet = running(s0004="rolls-back", s0005="mute")
    seen = set()
    while fleet.rollout.head.state is R.RUNNING and fleet.rollout.head.wave < 2:
        fleet.turn()
        assert whole(fleet) == 30
        seen |= {
            key for key, count in msgspec.structs.asdict(fleet.rollout.counts()).items() if count
        }
    assert {"done", "at_work", "waiting"} <= seen


def test_a_rollout_at_its_end_keeps_its_counts_and_one_that_goes_on_does_not():
    fleet = running()
    fleet.turn()
    assert fleet.rollout.head.counts is None
    fleet.until_state(R.COMPLETED)
    assert fleet.rollout.head.counts == Counts(done=30)


def test_who_never_had_the_release_is_no_failure_of_a_rollout_that_went_back():
    fleet = running()
    fleet.run(lambda: fleet.rollout.head.wave == 1 and fleet.rollout.tally(1).succeeded)
    job = next(job for job in fleet.rollout.jobs.values() if job.state is J.QUEUED)
    failed = job.to(J.OFFERED, "central", 1).to(J.REJECTED, "site", 2, failure="precheck")
    fleet.rollout.put(failed.to(J.FAILED, "central", 3))
    assert fleet.rollout.counts().failed == 1
    fleet.rollout.roll_back("no", fleet.now_ms)
    fleet.until_state(R.ROLLED_BACK)
    counts = fleet.rollout.head.counts
    assert (counts.failed, counts.done > 0, whole(fleet)) == (0, True, 30)
