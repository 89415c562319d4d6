"""What the nodes of a site are to have, by where its job stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_central.rollout.having import Having, having
from roost_central.rollout.job import Job
from roost_central.rollout.table import IN_FLIGHT, JobState

J, H = JobState, Having
JOB = Job(site="a", wave=0, nodes=("a.n1",))


def job(state, **how):
    kept = {"site": "a", "wave": 0, "nodes": ("a.n1",), "state": state}
    return Job(**{**kept, **how})


@pytest.mark.parametrize("state", [J.QUEUED, J.REJECTED, J.CANCELED, J.SUPERSEDED, J.INCOMPATIBLE])
def test_who_was_not_reached_keeps_what_it_had(state):
    assert having(job(state)) is H.FORMER
    assert having(job(J.UNREACHABLE, was=J.QUEUED)) is H.FORMER


@pytest.mark.parametrize("state", [*IN_FLIGHT, J.SUCCEEDED, J.NOT_NEEDED])
def test_who_is_offered_it_is_to_have_it_until_it_is_on_its_way_back(state):
    assert having(job(state)) is H.NEW
    assert having(job(state, is_back=True)) is H.FORMER


@pytest.mark.parametrize("state", [J.FAILED, J.ROLLED_BACK, J.TIMED_OUT])
def test_what_failed_is_frozen_until_another_attempt_is_offered(state):
    for touched in (False, True):
        assert having(job(state, touched=touched)) is H.FROZEN
    assert having(job(J.QUEUED, touched=True, attempt=2)) is H.FROZEN
    assert having(job(J.OFFERED, touched=True, attempt=2)) is H.NEW


def test_a_site_whose_way_back_was_not_offered_yet_stays_as_it_is():
    assert having(job(J.QUEUED, touched=True, is_back=True)) is H.FROZEN
    assert having(job(J.UNREACHABLE, was=J.QUEUED, touched=True, is_back=True)) is H.FROZEN


@given(st.sampled_from(J), st.booleans(), st.booleans(), st.integers(0, 5))
def test_nobody_is_given_the_new_one_on_the_way_back_or_before_an_offer(
    state, touched, is_back, attempt
):
    has = having(job(state, touched=touched, is_back=is_back, attempt=attempt))
    if is_back:
        assert has is not H.NEW
    if has is H.NEW:
        assert state in {*IN_FLIGHT, J.SUCCEEDED, J.NOT_NEEDED, J.UNREACHABLE}
