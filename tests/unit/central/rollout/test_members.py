"""Jobs are counted as they move, and looked at when there is something to see."""

import msgspec
from rollout_fleet import OLD

from roost_central.rollout.job import Job
from roost_central.rollout.members import Members
from roost_central.rollout.table import JobState

J = JobState


def job(site="s", **how):
    return Job(site=site, wave=how.pop("wave", 0), nodes=(f"{site}.n1",), former=OLD, **how)


def test_a_job_that_moves_leaves_the_count_that_it_was_in():
    members = Members([job(hw="h", link="l")])
    members.put(job(hw="h", link="l", state=J.OFFERED))
    assert (members.hw["h"], members.link["l"], members.in_flight()) == (1, 1, 1)
    members.put(job(hw="h", link="l", state=J.SUCCEEDED, wave=1))
    assert (members.hw["h"], members.link["l"], members.in_flight()) == (0, 0, 0)
    assert (members.tally(0).size, members.tally(1).succeeded) == (0, 1)
    members.check_invariants()


def test_a_site_that_falls_silent_at_work_takes_no_slot_and_is_at_work_still():
    members = Members([job(state=J.UNREACHABLE, was=J.APPLYING)])
    assert members.in_flight() == 0
    assert members.at_work == {"s"}
    members.put(job(state=J.TIMED_OUT))
    assert not members.at_work


def test_what_changed_is_taken_once_and_again_where_it_could_not_be_written():
    members = Members([job("a"), job("b")])
    assert members.taken() == []
    members.put(job("b", state=J.OFFERED))
    taken = members.taken()
    assert [each.site for each in taken] == ["b"]
    assert members.taken() == []
    members.mark(taken)
    assert members.taken() == taken


def test_news_concern_jobs_that_they_can_move_and_time_those_that_are_due():
    members = Members(
        [
            job("waits"),
            job("works", state=J.STAGING),
            job("soaked", state=J.SUCCEEDED),
            job("ended", state=J.ROLLED_BACK),
            job("due", state=J.REJECTED, due_ms=500),
        ]
    )
    news = ["waits", "works", "soaked", "ended", "nobody"]
    assert members.concerned(news, 0, 499) == ["works", "soaked"]
    assert members.concerned(news, 1, 499) == ["works"]
    assert members.concerned([], 0, 500) == ["due"]
    assert members.concerned([], 0, 501) == []


def test_a_time_that_was_put_off_is_not_kept_to():
    members = Members([job(state=J.REJECTED, due_ms=500)])
    members.put(job(state=J.REJECTED, due_ms=900))
    assert members.concerned([], 0, 500) == []
    assert members.concerned([], 0, 900) == ["s"]


def test_who_comes_back_to_the_queue_waits_behind_the_others():
    members = Members([job("a"), job("b")])
    assert members.queues[0].popleft() == "a"
    members.put(job("a", state=J.OFFERED))
    members.put(job("a"))
    assert [*members.queues[0]] == ["b", "a"]


def test_failed_are_those_at_their_end_and_those_that_are_worse_since():
    members = Members(
        [
            job("a", state=J.FAILED),
            job("b", state=J.SUCCEEDED),
            job("c", state=J.SUCCEEDED, detail="new alarm 100.1 (x)"),
            job("d", state=J.STAGING),
        ]
    )
    assert [each.site for each in members.failed()] == ["a", "c"]


def test_news_of_a_site_of_several_nodes_is_heeded_after_its_end_until_it_is_touched():
    job = Job(site="s", wave=0, nodes=("s.n1", "s.n2"), state=JobState.CANCELED)
    assert Members([job]).concerned(["s"], 0, 1) == ["s"]
    alone = msgspec.structs.replace(job, nodes=("s.n1",))
    assert Members([alone]).concerned(["s"], 0, 1) == []
    assert Members([msgspec.structs.replace(job, touched=True)]).concerned(["s"], 0, 1) == []
