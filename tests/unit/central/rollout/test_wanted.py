"""What rollouts want sites to run."""

import pytest
from msgspec.structs import replace
from rollout_fleet import NEW, OLD

from roost_central.rollout.head import Head
from roost_central.rollout.job import Job
from roost_central.rollout.table import JobState, RolloutState
from roost_central.rollout.wanted import Wanted, wanted_of
from roost_protocol.update import Running

R, J = RolloutState, JobState

HEAD = Head(
    id="e" * 32, name="x", component="app/pump", version=NEW[0], digest=NEW[1], size=1,
    plan_digest="", by="ann", reason="", made_ms=1_000, changed_ms=0, state=R.RUNNING,
)  # fmt: skip
JOB = Job(site="s1", wave=0, nodes=("s1.n1",), former=OLD)


@pytest.mark.parametrize(
    ("state", "job", "expected"),
    [
        (R.AWAITING_APPROVAL, J.QUEUED, None),
        (R.SCHEDULED, J.QUEUED, None),
        (R.DENIED, J.QUEUED, None),
        (R.RUNNING, J.QUEUED, NEW),
        (R.PAUSED, J.FAILED, NEW),
        (R.COMPLETED, J.ROLLED_BACK, NEW),
        (R.COMPLETED, J.SUPERSEDED, None),
        (R.COMPLETED, J.CANCELED, None),
        (R.ABORTED, J.FAILED, None),
        (R.ABORTED, J.SUCCEEDED, NEW),
    ],
)
def test_it_wants_its_release_from_its_start_until_it_is_given_up(state, job, expected):
    found = wanted_of(replace(HEAD, state=state), replace(JOB, state=job))
    assert found == (expected and Running(*expected))


def test_on_the_way_back_the_former_release_is_wanted_where_it_is_known():
    head, back = replace(HEAD, state=R.ROLLING_BACK), replace(JOB, is_back=True)
    assert wanted_of(head, back) == Running(*OLD)
    assert wanted_of(head, replace(back, former=("", ""))) is None


def test_the_newest_that_counts_is_wanted_open_or_not():
    wanted = Wanted()
    assert wanted.now(()) == {}
    second = replace(HEAD, version="3.0.0", digest="3" * 64, made_ms=2_000, state=R.COMPLETED)
    wanted.take(second, [JOB])
    wanted.take(replace(HEAD, state=R.COMPLETED), [JOB])
    assert wanted.now(()) == {"s1": {"app/pump": Running("3.0.0", "3" * 64)}}
    third = replace(HEAD, version="4.0.0", digest="4" * 64, made_ms=3_000)
    assert wanted.now([(third, [JOB])]) == {"s1": {"app/pump": Running("4.0.0", "4" * 64)}}
    gone = replace(JOB, state=J.CANCELED)
    assert wanted.now([(third, [gone])]) == {"s1": {"app/pump": Running("3.0.0", "3" * 64)}}
