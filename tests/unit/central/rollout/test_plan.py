"""A plan's file is read whole or refused with the field and its bound."""

import pytest

from roost_central.rollout.plan import (
    PLAN_BYTES_MAX,
    USUAL,
    approvers_of,
    plan_digest,
    read_plan,
    settled,
    waves_of,
)
from roost_protocol.errors import ProtocolError
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


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("colour = 1", "plan"),
        ('selector = 7', "selector"),
        ("[[wave]]\ncount = 1\npercent = 5", "wave[0]"),
        ("[[wave]]\n", "wave[0]"),
        ("[[wave]]\nrest = true\n[[wave]]\ncount = 1", "wave[0].rest"),
        ("[[wave]]\ncount = 0", "wave[0].count"),
        ("[wave_defaults]\nerror_pct = 101", "wave_defaults.error_pct"),
        ('[wave_defaults]\nwindow = {days = ["mon"], start = "25:00", minutes = 5}',
         "wave_defaults.window.start"),
        ('[wave_defaults]\nwindow = {days = ["mon"], start = "01:00", minutes = 0}',
         "wave_defaults.window.minutes"),
        ('[[wave]]\nrest = true\nretry = {weather = 3}', "wave[0].retry"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_its_field(text, field):
    with pytest.raises(ProtocolError) as refused:
        plan(text)
    assert refused.value.field.startswith(field) or field in str(refused.value)


def test_no_toml_and_too_much_of_it_are_refused():
    digits = b"size = " + b"9" * 5_000
    for raw in (b"name = ", b"\xff", digits, b"#" * (PLAN_BYTES_MAX + 1)):
        with pytest.raises(ProtocolError):
            read_plan(raw)


def test_a_component_or_version_that_is_none_is_refused():
    for text in ('component = "etc"', 'version = "../1"'):
        other = HEAD.replace(text.split(" =")[0] + " = ", "#") + text
        with pytest.raises(ProtocolError):
            read_plan(other.encode())


def test_starlingx_words_are_understood():
    read = plan(
        'storage = "parallel"\nworkers = "ignore"\nmax_parallel_workers = 10\n'
        'instances = "stop-start"\n[wave_defaults]\ngates = {alarms = "strict"}\n'
    )
    assert (read.storage, read.workers, read.instances) == ("parallel", "ignore", "stop-start")
    assert settled(read, 1).gates.alarms == "strict"


def test_the_plan_cannot_ask_for_fewer_approvers_than_the_signer():
    one = plan("approvers = 0")
    assert approvers_of(one, 10, least=2) == 2
    assert approvers_of(one, 2_000, least=1) == 2
    assert approvers_of(plan("approvers = 3"), 10, least=1) == 3
    assert approvers_of(one, 10, least=0) == 0  # a demo


def test_retries_wait_longer_each_time_and_end():
    rules = settled(plan(), 1)
    waits = [rules.retry_ms(FailureType.DOWNLOAD, attempt) for attempt in (1, 2, 3, 4)]
    assert waits == [900_000, 1_800_000, 3_600_000, None]
    assert rules.retry_ms(FailureType.INSTALL, 1) is None


def test_the_window_of_a_site_is_in_its_own_zone():
    window = plan(
        '[wave_defaults]\nwindow = {days = ["sun", "mon"], start = "01:00", minutes = 60}\n'
    ).wave_defaults.window
    assert window.of("Europe/Berlin").tz == "Europe/Berlin"
    assert window.of("UTC").days == (0, 6)


def test_one_byte_more_is_another_plan():
    assert plan_digest(b"a") != plan_digest(b"a ")
