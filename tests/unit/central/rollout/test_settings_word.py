"""What nodes say of new settings, put as their site's word."""

from hypothesis import given
from hypothesis import strategies as st

from roost_central.rollout.job import Job, job_id
from roost_central.rollout.settings_word import NodeWord, Step, report_of
from roost_central.rollout.site_word import heard, word_of
from roost_protocol.update import FailureType, SiteState

S = SiteState


def word(*steps, is_canceling=False, at_ms=10):
    words = [
        NodeWord(f"a.n{number}", step, "why" if step in {Step.REFUSED, Step.UNDONE} else "", at_ms)
        for number, step in enumerate(steps, 1)
    ]
    return report_of("j" * 32, 1, words, offered_ms=5, is_canceling=is_canceling)


def state(*steps, **how):
    said = word(*steps, **how)
    return None if said is None else (said.state, said.failure)


def test_a_site_is_as_far_as_its_nodes_together():
    assert state(Step.IDLE, Step.IDLE) is None
    assert state(Step.TOLD, Step.IDLE) == (S.APPLYING, None)
    assert state(Step.THERE, Step.IDLE) == (S.APPLYING, None)
    assert state(Step.WAITING, Step.IDLE) == (S.WAITING, None)
    assert state(Step.THERE, Step.THERE) == (S.COMMITTED, None)


def test_one_node_that_undid_it_is_its_site_undone_unless_another_has_it():
    assert state(Step.UNDONE, Step.IDLE) == (S.ROLLED_BACK, FailureType.INSTALL)
    assert state(Step.REFUSED, Step.REFUSED) == (S.FAILED, FailureType.PRECHECK)
    for other in (Step.THERE, Step.TOLD):
        assert state(Step.UNDONE, other) == (S.FAILED, FailureType.INSTALL)
        assert state(Step.REFUSED, other) == (S.FAILED, FailureType.INSTALL)
    assert word(Step.REFUSED).detail == "a.n1: why"


def test_a_site_gives_up_only_what_no_node_began():
    for steps in ((Step.IDLE,), (Step.WAITING, Step.IDLE)):
        assert state(*steps, is_canceling=True) == (S.CANCELED, None)
    assert state(Step.TOLD, is_canceling=True) == (S.APPLYING, None)
    assert state(Step.THERE, is_canceling=True) == (S.COMMITTED, None)


def test_a_later_word_of_the_same_moment_is_heard():
    job = Job(site="a", wave=0, nodes=("a.n1",))
    for step, said in (
        (Step.WAITING, S.WAITING),
        (Step.TOLD, S.APPLYING),
        (Step.THERE, S.COMMITTED),
    ):
        job = heard(job, "a.n1", word(step))
        assert word_of(job).state is said
    assert heard(job, "a.n1", word(Step.TOLD)) is job
    assert word_of(job).of_all
    assert job_id("r", job) != job_id("r", Job(site="a", wave=0, nodes=(), is_back=True))


@given(st.lists(st.sampled_from(Step), min_size=1, max_size=5))
def test_it_is_done_only_where_each_node_says_so(steps):
    said = word(*steps)
    is_done = said is not None and said.state is S.COMMITTED
    assert is_done == ({*steps} == {Step.THERE})
    has_failed = said is not None and said.failure is not None
    assert has_failed == bool({*steps} & {Step.REFUSED, Step.UNDONE})
