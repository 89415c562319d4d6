"""Who goes beside whom: storage above all, by what a site knows of copies."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from roost_agent.update.site_group import beside, lonely
from roost_agent.update.site_job import decide
from roost_agent.update.site_standing import Apply, Head, Job, Member, Role, Site, is_busy
from roost_agent.update.step import Step

STAGED, BUSY = Head(Step.STAGED), Head(Step.INSTALL)
DONE = Head(Step.END, "succeeded", committed=True)
PARALLEL = {Role.STORAGE: Apply.PARALLEL}


def store(name, peers, head=STAGED, **more):
    return Member(name, Role.STORAGE, head, peer_group=peers, **more)


def says(*members, apply=PARALLEL, **more):
    job = Job(frozenset(each.node for each in members), takes_down=True, apply=apply, **more)
    return decide(job, Site(members), 0)


FOUR = (store("s0", "a"), store("s1", "a"), store("s2", "b"), store("s3", "b"))


def test_one_of_each_peer_group_goes_at_once():
    assert says(*FOUR).go == ("s0", "s2")
    assert says(*FOUR, apply={}).go == ("s0",)
    assert says(*FOUR, parallel_storage=1).go == ("s0",)
    assert says(*FOUR, store("s4", "c"), parallel_storage=9).go == ("s0", "s2", "s4")
    assert says(*FOUR, parallel_workers=9, parallel_storage=1).go == ("s0",), "the workers' own"


def test_the_other_of_a_peer_group_waits_until_the_first_is_done():
    at_work = replace(FOUR[0], head=BUSY)
    assert says(at_work, *FOUR[1:]).go == ("s2",)
    assert says(at_work, FOUR[1], replace(FOUR[2], head=BUSY), FOUR[3]).go == ()
    assert says(replace(FOUR[0], head=DONE), *FOUR[1:]).go == ("s1", "s2")


def test_storage_of_no_known_peer_group_goes_alone_and_that_is_said():
    unknown = store("s4", "")
    verdict = says(unknown, store("s5", ""))
    assert verdict.go == ("s4",)
    assert verdict.sentence.startswith("s4, s5: alone, not in parallel: ha.toml says no peer_group")
    assert says(store("s4", "", BUSY), *FOUR).go == ()
    assert says(replace(FOUR[0], head=BUSY), unknown).go == ()
    assert lonely(Job(frozenset(), takes_down=True), [unknown]) == "", "nobody asked for more"
    assert lonely(Job(frozenset(), takes_down=True, apply=PARALLEL), FOUR) == ""
    worker = Member("w0", Role.WORKER, STAGED)
    assert lonely(Job(frozenset(), takes_down=True, apply=PARALLEL), [worker]) == ""


def test_two_voters_are_never_out_whatever_they_hold():
    voters = [replace(each, is_voter=True) for each in FOUR]
    assert says(*voters).go == ("s0",)


HEADS = st.sampled_from([STAGED, STAGED, BUSY, DONE, replace(STAGED, shut=True)])
STORES = st.lists(
    st.tuples(HEADS, st.sampled_from(["", "a", "b", "c"]), st.booleans()), min_size=1, max_size=8
)


@given(STORES, st.integers(1, 10), st.booleans())
def test_no_two_that_may_hold_the_same_data_are_ever_let_out_together(nodes, most, is_parallel):
    members = [
        store(f"s{n}", peers, head, is_voter=is_voter)
        for n, (head, peers, is_voter) in enumerate(nodes)
    ]
    job = Job(
        frozenset(each.node for each in members), takes_down=True,
        apply=PARALLEL if is_parallel else {}, parallel_storage=most,
    )  # fmt: skip
    waiting = [each for each in members if each.head.step is Step.STAGED]
    busy = [each for each in members if is_busy(each)]
    if not waiting:
        return
    gone = {*beside(job, waiting, busy)}
    for each in (one for one in members if one.node in gone):
        assert not each.head.shut
        for other in (one for one in members if (one.node in gone or one in busy) and one != each):
            assert each.peer_group, "what it holds a copy of is not known"
            assert other.peer_group
            assert each.peer_group != other.peer_group
            assert not (each.is_voter and other.is_voter)
    assert len(gone) <= max(0, (most if is_parallel else 1) - len(busy))
    if not busy and any(not each.head.shut for each in waiting):
        assert gone, "a site goes on"
