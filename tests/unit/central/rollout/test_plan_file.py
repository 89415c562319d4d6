"""A plan's file is read whole or refused with the field and its bound."""

import pytest

from roost_central.rollout.plan_file import PLAN_BYTES_MAX, plan_digest, read_plan
from roost_protocol.errors import ProtocolError

HEAD = 'name = "x"\ncomponent = "app/pump"\nversion = "1.1.0"\n'


def plan(text=""):
    return read_plan((HEAD + text).encode())


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


def test_one_byte_more_is_another_plan():
    assert plan_digest(b"a") != plan_digest(b"a ")
