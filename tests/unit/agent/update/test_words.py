import pytest

from roost_agent.update import words
from roost_agent.update.core import Node
from roost_agent.update.events import Plan, State
from roost_agent.update.installed import Component, Installed, Release
from roost_agent.update.site_job import Phase, Verdict
from roost_agent.update.step import TABLE, Step
from roost_protocol.remedy import Refusal, taken_apart
from roost_protocol.update import FailureType, Offer, Running, SiteState, WaitReason

DIGEST = "0a" * 32
OFFER = Offer(
    v=1, rollout="b" * 32, job="a" * 32, attempt=1, component="app/web", version="2.0",
    digest=DIGEST, size=1, nodes=["lab.n1"], not_before_ms=0, not_after_ms=10,
)  # fmt: skip
PLAN = Plan("a" * 32, 1, False, False, 10)
WAITS = Verdict(Phase.WAITING, why=WaitReason.WINDOW, sentence="opens on Monday")


def node(step, **more):
    return Node(PLAN, State(step, 0, "b", **more), "b", 0)


@pytest.mark.parametrize(
    ("job", "verdict", "state"),
    [
        (node(Step.PRECHECK), None, SiteState.ACCEPTED),
        (node(Step.DOWNLOAD), None, SiteState.STAGING),
        (node(Step.VERIFY), None, SiteState.STAGING),
        (node(Step.STAGED), None, SiteState.STAGED),
        (node(Step.STAGED), WAITS, SiteState.WAITING),
        (node(Step.STAGED), Verdict(Phase.STAGING), SiteState.STAGED),
        (node(Step.INSTALL), WAITS, SiteState.APPLYING),
        (node(Step.CLEANUP, committed=True), None, SiteState.APPLYING),
        (node(Step.END), None, SiteState.COMMITTED),
        (node(Step.END, failure=FailureType.VERIFY), None, SiteState.FAILED),
        (node(Step.END, failure=FailureType.HEALTH, installed=True), None, SiteState.ROLLED_BACK),
        (node(Step.END, failure=FailureType.OPERATOR), None, SiteState.CANCELED),
    ],
)
def test_where_a_job_is_in_the_words_of_a_site(job, verdict, state):
    report = words.report(OFFER, job, [words.said("lab.n1", job, "")], verdict, 7)
    assert (report.state, report.seq) == (state, 7)
    report.check()


def test_what_is_waited_for_is_told_while_it_is_waited_for():
    waits = words.report(OFFER, node(Step.STAGED), [], WAITS, 1)
    assert (waits.wait, waits.detail) == (WaitReason.WINDOW, "opens on Monday")
    assert words.report(OFFER, node(Step.INSTALL), [], WAITS, 1).detail == ""
    job = node(Step.ROLLBACK, failure=FailureType.HEALTH, detail="é" * 900)
    told = words.report(OFFER, job, [], None, 1).detail
    assert told.startswith("é")
    assert len(told.encode()) <= 512


def test_only_what_was_measured_is_told_to_run():
    measured = {
        "app/web": {"version": "2.0", "digest": DIGEST},
        "app/bad": {"why": "another content"},
        "app/odd": {"digest": DIGEST},
    }
    assert words.software(measured).components == {"app/web": Running("2.0", DIGEST)}


def test_a_release_runs_once_it_is_committed_and_nothing_else_is_on_trial():
    mine, other = Release("2.0", DIGEST, "files"), Release("3.0", "0b" * 32, "files")

    def runs(**here):
        return words.is_running(OFFER, Installed(components={"app/web": Component(**here)}))

    assert runs(running=mine)
    assert not runs(trial=mine)
    assert not runs(running=mine, trial=other)
    assert not runs(running=other)
    assert not words.is_running(OFFER, Installed())
    assert words.release_of(OFFER) == "app/web 2.0"


def test_each_step_that_can_fail_is_one_that_the_list_of_remedies_knows():
    assert [step for step in TABLE if taken_apart(f"{step}: {Refusal.DISK}: x").step != step] == []
