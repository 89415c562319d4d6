"""A plan's file is read whole or refused with the field and its bound."""

import pytest

from roost_central.rollout.plan_faults import FAULTS_MAX, PlanError
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


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("slector = 'x'", "there is no key slector; did you mean selector?"),
        ("selector = 7", "it takes text, and got a number"),
        ("reboot = 1", "it takes true or false, and got a number"),
        ("wave = 3", "it takes a list, and got a number"),
        ('[[wave]]\nrest = true\nwindow = {days = [], start = "01:00", minutes = 5}',
         "it takes a list of length >= 1"),
        ('[[wave]]\nrest = true\nwindow = {days = ["mon"], minutes = 5}',
         "it says no start, and has to"),
        ('workers = "fast"', "it cannot be 'fast': it takes ignore, parallel or serial"),
        ('[[wave]]\nrest = true\ngates = {alarms = "lax"}',
         "it cannot be 'lax': it takes permissive, relaxed or strict"),
        ('[[wave]]\nrest = true\nretry = {weather = 3}',
         "it cannot be 'weather': it takes download, verify, precheck, install, boot, health,"),
        ('component = "x"', "it is no TOML: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_the_words_of_a_file(text, told):
    with pytest.raises(ProtocolError) as refused:
        plan(text)
    assert told in refused.value.detail
    assert "`" not in refused.value.detail


@pytest.mark.parametrize(
    ("field", "got"), [("start", "25:00"), ("minutes", 0), ("tz", "Mars/Olympus")]
)
def test_a_window_that_is_none_is_told_with_what_it_says(field, got):
    window = {"days": '["mon"]', "start": '"01:00"', "minutes": 5, "tz": '"UTC"'}
    window[field] = f'"{got}"' if isinstance(got, str) else got
    said = ", ".join(f"{key} = {value}" for key, value in window.items())
    with pytest.raises(ProtocolError) as refused:
        plan(f"[[wave]]\nrest = true\nwindow = {{{said}}}")
    assert (refused.value.field, refused.value.got) == (f"wave[0].window.{field}", got)


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


def faults(text):
    with pytest.raises(PlanError) as refused:
        read_plan(text.encode())
    return [(each.field, each.detail or each.bound) for each in refused.value.faults]


def test_all_faults_are_told_at_once_each_by_its_field():
    told = dict(faults(
        HEAD + 'slector = "x"\nreboot = 1\nworkers = "fast"\n'
        "[wave_defaults]\nerror_pct = 101\n"
        'window = {days = ["mon"], start = "25:00", minutes = 5}\n'
        '[[wave]]\ncount = "five"\nwindow = {days = ["mon"], minutes = 5}\n'
        '[[wave]]\nrest = true\ngates = {kpi = ["x", "y"]}\n[[wave]]\ncount = 1\npercent = 5\n'
    ))  # fmt: skip
    assert told["plan"] == "there is no key slector; did you mean selector?"
    assert told["reboot"] == "it takes true or false, and got a number"
    assert "it cannot be 'fast'" in told["workers"]
    assert told["wave[0].count"] == "it takes a number, and got text"
    assert told["wave[0].window"] == "it says no start, and has to"
    assert told["wave[1].rest"] == "of the last wave alone"
    assert told["wave[2]"].startswith("one of count")
    assert "wave[0]" not in told  # its count was taken out, which is no fault of its own


def test_each_window_and_each_figure_that_cannot_be_is_told():
    window = 'window = {days = ["mon"], start = "25:00", minutes = 5}\n'
    text = f"{HEAD}[[wave]]\ncount = 1\n{window}[[wave]]\nrest = true\n{window}"
    text += 'gates = {kpi = ["x", "y"]}'
    fields = [field for field, _ in faults(text)]
    assert fields[:2] == ["wave[0].window.start", "wave[1].window.start"]
    assert len(fields) == 4


def test_what_follows_from_a_fault_is_none_of_its_own():
    assert faults('name = 7\ncomponent = "app/pump"\nversion = 2\n') == [
        ("name", "it takes text, and got a number"),
        ("version", "it takes text, and got a number"),
    ]
    window = "window = {days = [], start = 3, minutes = 5}"
    assert len(faults(f"{HEAD}[wave_defaults]\n{window}\n")) == 2


@pytest.mark.parametrize(
    "text",
    ['"a.b" = 1\n', '"a[0]" = 1\n"" = 2\n', 'wave = [3]\n', 'wave = [[1]]\n', '"`" = 1\n',
     '[[wave]]\nsites = ["a", 3, 4]\n', '[[wave]]\nretry = {install = "x"}\n'],
)  # fmt: skip
def test_odd_keys_and_values_are_refused_and_nothing_breaks(text):
    assert faults(HEAD + text)


def test_no_more_faults_are_told_than_a_screen_shows():
    assert len(faults(HEAD + "".join(f"k{n} = 1\n" for n in range(50)))) == FAULTS_MAX
