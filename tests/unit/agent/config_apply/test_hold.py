"""What waits for a window: only what disturbs services, only while it is shut."""

from datetime import UTC, datetime

import pytest

from roost_agent.config_apply.hold import disturbing, wait_of
from roost_protocol.errors import ProtocolError

# A Sunday in winter; Berlin is an hour ahead.
NOON_MS = round(datetime(2026, 11, 29, 12, 0, tzinfo=UTC).timestamp() * 1_000)
WINDOW = {"days": ["mon"], "start": "02:00", "minutes": 120, "timezone": "Europe/Berlin"}
QUIET = {"kernel": {"sysctl": {"vm.swappiness": 10}}}
RESTART = {"time": {"servers": ["192.0.2.1"]}}
REBOOT = {"kernel": {"cmdline": {"isolcpus": "2-3"}}}


@pytest.mark.parametrize("loud", [RESTART, REBOOT])
def test_what_disturbs_services_waits_until_the_window_opens(loud):
    wait = wait_of(loud | {"update-window": WINDOW}, QUIET, NOON_MS)
    assert wait.opens_ms == round(datetime(2026, 11, 30, 1, 0, tzinfo=UTC).timestamp() * 1_000)
    assert wait.text.endswith("waits for the window that opens 2026-11-30 02:00 Europe/Berlin")
    assert wait_of(loud | {"update-window": WINDOW}, QUIET, wait.opens_ms) is None
    assert wait_of(loud | {"update-window": WINDOW}, QUIET, wait.opens_ms + 7_200_000) is not None


def test_what_disturbs_nobody_and_what_has_no_window_does_not_wait():
    assert wait_of(QUIET | {"update-window": WINDOW}, {}, NOON_MS) is None
    assert wait_of(RESTART, QUIET, NOON_MS) is None
    assert wait_of(RESTART | {"update-window": WINDOW}, RESTART, NOON_MS) is None


def test_what_goes_disturbs_as_much_as_what_comes():
    assert disturbing({}, REBOOT) == [("kernel", "cmdline", "isolcpus")]
    assert wait_of({"update-window": WINDOW}, REBOOT, NOON_MS) is not None


def test_the_window_is_the_documents_own_so_that_a_bad_one_can_be_mended():
    shut = RESTART | {"update-window": WINDOW}
    assert wait_of(RESTART, shut | REBOOT, NOON_MS) is None
    every_day = {"start": "11:30", "minutes": 60}
    assert wait_of(REBOOT | {"update-window": every_day}, shut, NOON_MS) is None


def test_many_settings_are_told_by_the_first_of_them():
    many = {"kernel": {"cmdline": dict.fromkeys(("nosmt", "quiet", "ro", "rw", "x"), True)}}
    text = wait_of({"update-window": WINDOW}, many, NOON_MS).text if disturbing({}, many) else ""
    assert "more: waits" in text or len(disturbing({}, many)) <= 4


def test_a_zone_that_this_machine_does_not_know_is_told():
    with pytest.raises(ProtocolError, match="tz"):
        wait_of(RESTART | {"update-window": WINDOW | {"timezone": "Mars/Base"}}, {}, NOON_MS)
