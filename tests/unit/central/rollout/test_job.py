"""A job moves as the table says, has one name a way, and keeps what it went through."""

import pytest

from roost_central.rollout.job import TRAIL_MAX, Job, job_id, names
from roost_central.rollout.table import JobState, MoveError, Who

J = JobState


def job(state=J.OFFERED, **how):
    return Job(site="s", wave=0, nodes=("s.n1", "s.n2"), state=state, **how)


def test_the_way_back_has_a_name_of_its_own_and_an_attempt_has_not():
    assert job_id("r", job()) != job_id("r", job(is_back=True))
    assert job_id("r", job()) == job_id("r", job(attempt=7))
    assert job_id("q", job()) != job_id("r", job())


def test_no_job_moves_as_the_table_does_not():
    with pytest.raises(MoveError):
        job(J.QUEUED).to(J.SUCCEEDED, Who.CENTRAL, 1)


def test_the_trail_keeps_the_newest_states():
    moved = job(J.QUEUED)
    for number in range(TRAIL_MAX):
        moved = moved.to(J.OFFERED, Who.CENTRAL, number).to(J.QUEUED, Who.CENTRAL, number)
    assert len(moved.trail) == TRAIL_MAX


def test_a_sentence_names_some_sites():
    assert names([job(), job(), job()], 2) == "s, s and 1 more"
