"""A job as its node has it."""

import pytest

from roost_agent.update.events import State
from roost_agent.update.kept import Kept
from roost_agent.update.local_job import local_job
from roost_agent.update.site_job import Phase, Verdict
from roost_agent.update.site_standing import Head
from roost_agent.update.step import Step
from roost_protocol.update import FailureType, Offer, WaitReason

OFFER = Offer(
    v=1, rollout="b" * 32, job="a" * 32, attempt=1, component="app/web", version="2.0",
    digest="0a" * 32, size=1, nodes=["lab.n1"], not_before_ms=0, not_after_ms=10,
)  # fmt: skip


def at(step, **more):
    state = State(step, 1_000, "b", **more)
    return local_job(OFFER, Kept(), state, boot_id="b", now_ms=1_000)


def test_a_new_job_begins_with_its_first_step():
    new = local_job(OFFER, Kept(), None, boot_id="b", now_ms=5)
    assert (new.head, new.node.state.since_ms) == (Head(Step.PRECHECK), 5)


def test_the_site_hears_how_it_failed():
    ended = at(Step.END, failure=FailureType.HEALTH, installed=True, stuck=True)
    assert ended.head == Head(Step.END, "failed", "health", stuck=True)


def test_what_is_learnt_is_what_its_core_plans_by():
    job = at(Step.DOWNLOAD)
    job.learn(Kept(reboot=True))
    plan = job.node.plan
    assert (plan.needs_reboot, plan.needs_drain, plan.not_after_ms) == (True, False, 10)


@pytest.mark.parametrize(
    ("job", "is_past_return", "goes_back"),
    [
        (at(Step.STAGED), False, False),
        (at(Step.INSTALL, canceled=True), False, True),
        (at(Step.ROLLBACK, failure=FailureType.HEALTH), False, True),
        (at(Step.COMMIT), True, False),
        (at(Step.UNLOCK, committed=True), True, False),
    ],
)
def test_whether_it_may_still_be_sent_back(job, is_past_return, goes_back):
    assert (job.is_past_return, job.goes_back) == (is_past_return, goes_back)


def test_people_see_what_it_waits_for_and_for_how_long():
    job = at(Step.STAGED)
    job.verdict = Verdict(Phase.WAITING, why=WaitReason.WINDOW, sentence="opens on Monday")
    shown = job.shown(61_500)
    assert (shown["step"], shown["for_s"], shown["state"]) == ("staged", 60, "waiting")
    assert (shown["release"], shown["why"]) == ("app/web 2.0", "opens on Monday")
    assert at(Step.ROLLBACK, detail="it failed").shown(1_000)["why"] == "it failed"
