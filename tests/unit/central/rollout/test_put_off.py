"""A site of which one node is at work on another job: its turn waits, goes on, or ends with a type.

Two nodes speak for themselves, as real ones do: each has the attempt that it took, refuses another
one, and takes an order for what it has as done.
"""

from itertools import pairwise

import pytest
from rollout_fleet import BEGAN_MS, NEW, OLD, SmallFleet

from roost_central.rollout.head import Around, Standing
from roost_central.rollout.job import job_id
from roost_central.rollout.site_word import PUT_OFF_MS, PUT_OFF_MS_MAX
from roost_central.rollout.table import JobState, RolloutState
from roost_protocol.update import FailureType, JobReport, SiteState

R, J, S = RolloutState, JobState, SiteState
NODES = ("s0000.n1", "s0000.n2")
SITE = "s0000"


class Node:
    """One node: what it runs, which attempt it has, and what it said last."""

    def __init__(self):
        self.is_busy = False
        self.runs = OLD
        self.has = ""
        self.report = None
        self.seq = 1_000

    def offered(self, id_, attempt, now_ms):
        if self.has == f"{id_}.{attempt}":
            return
        if self.is_busy or self.has:
            retry_at_ms = now_ms + 60_000
            self.report = JobReport(
                v=1, job=id_, attempt=attempt, seq=1, state=S.REJECTED,
                detail="app/valve 2 is under way on this node", retry_at_ms=retry_at_ms,
            )  # fmt: skip
            return
        self.has = f"{id_}.{attempt}"
        self.say(id_, attempt, S.ACCEPTED)

    def say(self, id_, attempt, state, failure=None):
        self.seq += 1
        self.report = JobReport(
            v=1, job=id_, attempt=attempt, seq=self.seq, state=state, failure=failure
        )


class PairSite(SmallFleet):
    """One site with two nodes."""

    def __init__(self):
        super().__init__(sites=1, waves=((0, 1),))
        job = self.rollout.jobs[SITE]
        self.rollout.put(type(job)(site=SITE, wave=0, nodes=NODES, former=OLD, hw="h"))
        self.nodes = {node: Node() for node in NODES}
        self.canceled, self.is_free = [], False
        self.rollout.start(self.now_ms)

    @property
    def job(self):
        return self.rollout.jobs[SITE]

    def sight(self, job):
        id_ = job_id(self.rollout.head.id, job)
        said = [(name, each.report) for name, each in self.nodes.items() if each.report]
        return Standing(
            is_dark=False,
            runs=tuple(each.runs for each in self.nodes.values()),
            boots=("a", "a"),
            said=tuple(each for each in said if each[1].job == id_),
            beat_ms=5_000,
            is_free=self.is_free,
        )

    def turn(self, seconds=2):
        self.now_ms += seconds * 1_000
        for job in self.rollout.turn([SITE], self.sight, self.around, self.now_ms):
            self.offered.append(job)
            for node in self.nodes.values():
                node.offered(job_id(self.rollout.head.id, job), job.attempt, self.now_ms)
        self.canceled += [job.site for job in self.rollout.cancels]
        self.rollout.cancels.clear()
        self.rollout.check_invariants()

    def install(self):
        for node in self.nodes.values():
            node.say(job_id(self.rollout.head.id, self.job), self.job.attempt, S.COMMITTED)
            node.runs, node.has = NEW, ""


@pytest.fixture
def pair():
    site = PairSite()
    site.nodes["s0000.n1"].is_busy = True
    site.turn()
    site.turn()
    return site


def test_while_one_node_is_at_work_on_another_job_the_site_waits_and_says_for_what(pair):
    pair.run(lambda: pair.job.put_off_ms)
    assert pair.job.state is J.QUEUED
    assert pair.job.detail == "waits: s0000.n1: app/valve 2 is under way on this node"
    assert not pair.rollout.in_flight()


def test_it_is_offered_again_by_the_time_that_the_node_told_and_goes_on_as_the_same_attempt(pair):
    pair.run(lambda: len(pair.offered) == 3)
    offers = [job.offered_ms for job in pair.offered]
    assert all(60_000 <= b - a <= 70_000 for a, b in pairwise(offers))
    pair.nodes["s0000.n1"].is_busy = False
    pair.run(lambda: len(pair.offered) == 4)
    pair.run(lambda: len(pair.job.said) == 2 and pair.job.state is J.ACCEPTED)
    pair.install()
    pair.until_state(R.COMPLETED)
    assert {job.attempt for job in pair.offered} == {1}, "who has it would refuse another attempt"


def waiting_long(pair):
    """Have it put off for so long that it is not asked for minutes."""
    pair.run(lambda: pair.job.due_ms - pair.now_ms > 500_000, turns=3_000)
    return len(pair.offered)


def test_a_node_that_says_that_it_is_free_is_asked_soon(pair):
    offered, node = waiting_long(pair), pair.nodes["s0000.n1"]
    node.is_busy = False
    pair.is_free = True
    told_ms = pair.now_ms
    pair.run(lambda: len(pair.offered) > offered)
    assert 10_000 <= pair.now_ms - told_ms <= 45_000
    pair.run(lambda: len(pair.job.said) == 2 and pair.job.state is J.ACCEPTED)


def test_a_node_that_says_so_and_is_busy_again_is_asked_once_for_it(pair):
    offered = waiting_long(pair)
    pair.is_free = True
    pair.run(lambda: len(pair.offered) > offered)
    pair.is_free = False  # its newest word is that it puts this one off
    for _ in range(60):
        pair.turn()
    assert len(pair.offered) == offered + 1


def test_who_never_has_room_times_out_and_the_other_node_gives_it_up(pair):
    pair.run(lambda: pair.job.is_ended, turns=10_000)
    assert (pair.job.state, pair.job.failure) == (J.TIMED_OUT, FailureType.TIMEOUT)
    assert "put off for 120 min: s0000.n1: app/valve 2" in pair.job.detail
    assert pair.canceled == [SITE]
    assert pair.now_ms - BEGAN_MS < PUT_OFF_MS_MAX + 2 * PUT_OFF_MS[1]


def test_who_has_no_room_for_long_is_offered_it_ever_less_often(pair):
    pair.run(lambda: pair.job.is_ended, turns=10_000)
    offers = [job.offered_ms for job in pair.offered]
    waits = [b - a for a, b in pairwise(offers)]
    assert waits == sorted(waits)
    assert all(b <= 2 * a + 10_000 for a, b in pairwise(waits)), "no longer than twice"
    assert 600_000 <= max(waits) <= 610_000
    assert len(offers) <= 18, "of each minute it was 120"


def test_a_rest_of_the_rollout_is_no_time_in_which_a_node_had_no_room(pair):
    pair.run(lambda: pair.job.put_off_ms)
    pair.rollout.pause("lunch", pair.now_ms)
    pair.turn(PUT_OFF_MS_MAX // 1_000)
    pair.rollout.resume("", pair.now_ms)
    offered = len(pair.offered)
    pair.run(lambda: len(pair.offered) == offered + 2)
    assert not pair.job.is_ended
    pair.run(lambda: pair.job.is_ended, turns=10_000)
    assert pair.job.state is J.TIMED_OUT


def test_a_clock_that_is_years_ahead_does_not_keep_a_site_waiting(pair):
    node = pair.nodes["s0000.n1"]
    node.offered = lambda id_, attempt, now_ms: Node.offered(node, id_, attempt, now_ms + 10**12)
    node.report = None
    pair.run(lambda: len(pair.offered) == 3, seconds=60, turns=40)


def test_a_site_whose_node_has_it_is_held_for_this_rollout_and_gives_it_up_with_it(pair):
    pair.run(lambda: pair.job.put_off_ms)
    assert pair.rollout.busy(pair.now_ms) == {SITE}
    pair.rollout.abort("no", pair.now_ms)
    assert pair.job.state is J.CANCELED
    assert [job.site for job in pair.rollout.cancels] == [SITE]


def test_a_site_whose_other_node_is_through_with_it_is_held_for_this_rollout(pair):
    """Else that one forgets the job by the next one, and nobody lets the last node go."""
    pair.run(lambda: pair.job.put_off_ms)
    pair.nodes["s0000.n2"].say(job_id(pair.rollout.head.id, pair.job), 1, S.NOT_NEEDED)
    pair.run(lambda: len(pair.offered) == 3)
    pair.run(lambda: pair.job.state is J.QUEUED)
    assert not pair.job.nodes_at_work
    assert pair.rollout.busy(pair.now_ms) == {SITE}


def test_a_node_whose_clock_was_set_back_is_heard_all_the_same(pair):
    node = pair.nodes["s0000.n1"]
    pair.run(lambda: pair.job.put_off_ms)
    node.offered = lambda id_, attempt, now_ms: Node.offered(node, id_, attempt, now_ms - 10**10)
    pair.run(lambda: len(pair.offered) == 3)
    pair.run(lambda: pair.job.state is J.QUEUED, turns=3)
    assert not pair.job.unanswered


def test_a_refused_order_puts_it_off_though_the_other_node_took_it_up():
    pair = PairSite()
    pair.turn()
    pair.turn()
    assert pair.job.state is J.ACCEPTED
    pair.rollout.put_off(SITE, "s0000.n2: app/valve 2 is under way on this node", pair.now_ms)
    assert pair.job.state is J.QUEUED
    pair.run(lambda: len(pair.offered) == 2)
    assert pair.job.attempt == 1


def test_a_site_is_busy_until_all_of_its_nodes_are_through_with_a_job_that_failed():
    pair = PairSite()
    pair.turn()
    id_, first, second = job_id(pair.rollout.head.id, pair.job), *pair.nodes.values()
    first.say(id_, 1, S.FAILED, FailureType.INSTALL)
    second.say(id_, 1, S.APPLYING)
    pair.run(lambda: pair.job.state is J.FAILED)
    assert pair.rollout.busy(pair.now_ms) == {SITE}
    second.say(id_, 1, S.CANCELED)
    pair.turn()
    assert not pair.rollout.busy(pair.now_ms)


def test_a_site_whose_node_never_says_how_it_ended_is_free_after_two_hours():
    pair = PairSite()
    pair.turn()
    id_, first, second = job_id(pair.rollout.head.id, pair.job), *pair.nodes.values()
    first.say(id_, 1, S.FAILED, FailureType.INSTALL)
    second.say(id_, 1, S.APPLYING)
    pair.run(lambda: pair.job.state is J.FAILED)
    assert not pair.rollout.busy(pair.now_ms + 7_200_000)


def test_who_waits_for_another_rollout_at_its_site_says_for_which():
    pair = PairSite()
    pair.around = Around(busy={SITE: "app/valve 2"})
    pair.turn()
    assert (pair.job.state, pair.job.detail) == (
        J.QUEUED, "waits: app/valve 2 is at work at this site",
    )  # fmt: skip
    pair.around = Around()
    pair.turn()
    assert [job.site for job in pair.offered] == [SITE]
    assert not pair.job.detail
