"""Percentages are over those that finished; a naive count of the same jobs says the same."""

from hypothesis import given
from hypothesis import strategies as st

from roost_central.rollout import gate
from roost_central.rollout.gate import Tally
from roost_central.rollout.job import Job
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.rules import settled
from roost_central.rollout.table import JobState
from roost_protocol.update import FailureType

HEAD = 'name = "x"\ncomponent = "app/pump"\nversion = "1.1.0"\n[[wave]]\nrest = true\n'
J = JobState


def rules(text=""):
    return settled(read_plan((HEAD + text).encode()), 0)


def tally(*states, size=0, failure=FailureType.INSTALL):
    counted = Tally()
    some = [*states, *[J.QUEUED] * max(0, size - len(states))]
    for number, state in enumerate(some):
        failed = failure if state in {J.FAILED, J.ROLLED_BACK, J.TIMED_OUT} else None
        counted.count(Job(site=f"s{number}", wave=0, nodes=(), state=state, failure=failed), 1)
    return counted


@given(
    st.lists(st.sampled_from([J.SUCCEEDED, J.FAILED, J.QUEUED, J.UNREACHABLE, J.NOT_NEEDED])),
    st.integers(0, 100), st.integers(1, 30), st.integers(1, 40),
)  # fmt: skip
def test_the_error_test_is_that_of_a_naive_count(states, pct, least, absolute):
    given_rules = rules(f"error_pct = {pct}\nmin_finished = {least}\nerror_abs = {absolute}\n")
    bad, good = states.count(J.FAILED), states.count(J.SUCCEEDED)
    finished = bad + good
    trips = bad >= absolute or (
        finished >= min(least, len(states)) and bad > 0 and bad / finished * 100 > pct
    )
    assert bool(gate.error(tally(*states), given_rules)) == trips


def test_150_of_the_first_150_of_a_thousand_trip_20_percent():
    few = tally(*[J.FAILED] * 150, size=1_000)
    assert "150 of 150" in gate.error(few, rules("error_pct = 20\nerror_abs = 1000\n"))


def test_why_a_wave_failed_says_how_many_of_what_and_the_bound_by_its_field():
    two = tally(J.FAILED, J.FAILED, failure=FailureType.HEALTH)
    assert gate.error(two, rules("error_abs = 1\n")) == (
        "2 failed (2 health), at most 0 may by error_abs = 1"
    )
    some = tally(*[J.FAILED] * 2, *[J.SUCCEEDED] * 18)
    assert gate.error(some, rules()) == (
        "2 of 20 that finished failed (2 install), at most 5 % may by error_pct"
    )


def test_too_few_are_judged_by_the_absolute_number_alone():
    assert not gate.error(tally(J.FAILED, size=100), rules())
    assert gate.error(tally(J.FAILED, size=100), rules("error_abs = 1\n"))


def test_failures_of_a_type_that_does_not_count_do_not():
    text = 'error_abs = 1\nerror_types = ["health"]\n'
    assert not gate.error(tally(J.FAILED, size=100), rules(text))
    assert gate.error(tally(J.FAILED, size=100, failure=FailureType.HEALTH), rules(text))


def test_what_was_silenced_by_its_update_stops_a_wave_above_two_percent():
    for lost, stops in ((2, False), (3, True)):
        counted = tally(size=100)
        counted.lost = lost
        assert bool(gate.error(counted, rules())) is stops


def test_nobody_is_no_success_and_silence_is_no_failure():
    assert not gate.is_success(tally(size=5), rules())
    assert not gate.is_success(tally(J.UNREACHABLE, J.NOT_NEEDED), rules())
    assert gate.is_success(tally(J.SUCCEEDED, J.UNREACHABLE), rules())
    assert not gate.error(tally(*[J.UNREACHABLE] * 50), rules())


def test_the_rate_grows_with_successes_up_to_its_most():
    given_rules = rules("rate = {base = 10, factor = 2.0, max = 50, grow_after = 20}\n")
    rates = [gate.rate_per_minute(given_rules, each) for each in (0, 19, 20, 40, 60, 10_000)]
    assert rates == [10, 10, 20, 40, 50, 50]


def test_the_soak_rests_while_an_updated_site_is_silent_and_not_yet_given_up():
    counted = tally(J.SUCCEEDED)
    assert gate.is_hearing(counted)
    counted.dark = 1
    assert not gate.is_hearing(counted)
