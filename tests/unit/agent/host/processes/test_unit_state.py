"""What ``systemctl show`` said, of systemd 252 where it was seen, and what that means."""

import pytest

from roost_agent.host.processes.unit_state import SLACK_MS, Unit, parse

# systemctl show --property=... -- pump.service nosuch.service
SHOWN = """\
Result=success
NRestarts=2
WatchdogUSec=1min 30s
WatchdogTimestampMonotonic=5000000
StatusText=Processing requests = fine
ActiveState=active

Result=success
NRestarts=0
WatchdogUSec=infinity
WatchdogTimestampMonotonic=0
ActiveState=inactive
"""
FED = Unit(state="active", result="success", watchdog_ms=30_000, fed_ms=5_000)


def test_units_come_in_the_order_in_which_they_were_asked_for():
    pump, other = parse(SHOWN, 2)
    assert pump == Unit("active", "success", 2, 90_000, 5_000, "Processing requests = fine")
    assert other == Unit("inactive", "success")


@pytest.mark.parametrize(
    ("said", "ms"),
    [("30s", 30_000), ("3min", 180_000), ("1h 500ms", 3_600_500), ("2.500s", 2_500), ("100us", 0),
     ("0", 0), ("infinity", 0), ("1d", 86_400_000)],
)  # fmt: skip
def test_a_span_is_read_as_systemd_writes_it(said, ms):
    assert parse(f"WatchdogUSec={said}\n", 1)[0].watchdog_ms == ms


@pytest.mark.parametrize("text", ["", SHOWN + "\nResult=success\n"])
def test_fewer_or_more_than_were_asked_for_are_none(text):
    assert parse(text, 2) is None


@pytest.mark.parametrize("number", ["x", "-1", "9" * 40, "\u00b2"])
def test_a_number_that_is_none_is_nothing(number):
    assert parse(f"NRestarts={number}\nActiveState=active", 1)[0].restarts == 0


def test_one_that_fed_its_watchdog_in_time_is_well_and_one_that_did_not_is_late():
    assert FED.complaint(5_000 + 30_000 + SLACK_MS) == ""
    late = FED.complaint(5_000 + 32_000)
    assert late == "it fed its watchdog 32 s ago, due every 30 s"


def test_without_a_watchdog_or_while_it_does_not_run_nothing_is_late():
    for each in (Unit(state="active"), Unit(state="activating", watchdog_ms=1, fed_ms=1)):
        assert each.complaint(1_000_000) == ""


def test_one_that_systemd_ends_for_its_watchdog_is_not_well_before_it_is_gone():
    hangs = Unit(state="deactivating", result="watchdog", watchdog_ms=30_000, status="busy")
    assert hangs.complaint(0) == "its watchdog ran out, systemd ends it: it says busy"


@pytest.mark.parametrize(
    ("result", "why"),
    [("success", ""), ("", ""), ("watchdog", "its watchdog ran out"),
     ("oom-kill", "the kernel killed it for memory"), ("exit-code", "systemd says exit-code")],
)  # fmt: skip
def test_why_it_ended_is_what_systemd_says(result, why):
    assert Unit(result=result).why_ended() == why
