"""What a wave goes by: its own word, its plan's, or the usual one."""

from roost_central.rollout.plan import USUAL, waves_of
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.rules import settled
from roost_protocol.update import FailureType

HEAD = 'name = "x"\ncomponent = "app/pump"\nversion = "1.1.0"\n'


def plan(text=""):
    return read_plan((HEAD + text).encode())


def test_a_plan_of_three_lines_has_the_usual_waves_and_a_stricter_canary():
    read = plan()
    assert waves_of(read) == [*USUAL]
    canary, second = settled(read, 0), settled(read, 1)
    assert (canary.error_abs, canary.success_pct, canary.soak_ms) == (1, 100, 3_600_000)
    assert (second.error_abs, second.success_pct, second.error_pct) == (10, 95, 5)
    assert settled(read, 9) == settled(read, 3)  # who catches up is judged as the last wave


def test_what_a_wave_says_goes_before_the_defaults_of_its_plan():
    read = plan(
        "[wave_defaults]\nsoak_s = 7\n[[wave]]\ncount = 1\nsoak_s = 9\n[[wave]]\nrest = true"
    )
    assert [settled(read, index).soak_ms for index in (0, 1)] == [9_000, 7_000]


def test_retries_wait_longer_each_time_and_end():
    rules = settled(plan(), 1)
    waits = [rules.retry_ms(FailureType.DOWNLOAD, attempt) for attempt in (1, 2, 3, 4)]
    assert waits == [900_000, 1_800_000, 3_600_000, None]
    assert rules.retry_ms(FailureType.INSTALL, 1) is None
