"""What waits for a window: only what disturbs services, only while it is shut."""

from datetime import UTC, datetime

import pytest

from roost_agent.config_apply.hold import disturbing, wait_of
from roost_protocol.errors import ProtocolError

# A Sunday in winter; Berlin is an hour ahead.
NOON_MS = round(datetime(2026, 11, 29, 12, 0, tzinfo=UTC).timestamp() * 1_000)
OPENS_MS = round(datetime(2026, 11, 30, 1, 0, tzinfo=UTC).timestamp() * 1_000)
NODE = "lab.n1"
WINDOW = {"days": ["mon"], "start": "02:00", "minutes": 120, "timezone": "Europe/Berlin"}
QUIET = {"kernel": {"sysctl": {"vm.swappiness": 10}}}
RESTART = {"time": {"servers": ["192.0.2.1"]}}
REBOOT = {"kernel": {"cmdline": {"isolcpus": "2-3"}}}


@pytest.mark.parametrize("loud", [RESTART, REBOOT])
def test_what_disturbs_services_waits_until_the_window_opens(loud):
    wait = wait_of(loud | {"update-window": WINDOW}, QUIET, NOON_MS, NODE)
    assert OPENS_MS <= wait.opens_ms < OPENS_MS + 3_600_000
    assert wait.text.endswith("waits for the window that opens 2026-11-30 02:00 Europe/Berlin")
    assert wait_of(loud | {"update-window": WINDOW}, QUIET, OPENS_MS, NODE) is None
    assert wait_of(loud | {"update-window": WINDOW}, QUIET, OPENS_MS + 7_200_000, NODE) is not None


def test_what_disturbs_nobody_and_what_has_no_window_does_not_wait():
    assert wait_of(QUIET | {"update-window": WINDOW}, {}, NOON_MS, NODE) is None
    assert wait_of(RESTART, QUIET, NOON_MS, NODE) is None
    assert wait_of(RESTART | {"update-window": WINDOW}, RESTART, NOON_MS, NODE) is None


def test_what_goes_disturbs_as_much_as_what_comes():
    assert disturbing({}, REBOOT) == [("kernel", "cmdline", "isolcpus")]
    assert wait_of({"update-window": WINDOW}, REBOOT, NOON_MS, NODE) is not None


def test_the_window_is_the_documents_own_so_that_a_bad_one_can_be_mended():
    shut = RESTART | {"update-window": WINDOW}
    assert wait_of(RESTART, shut | REBOOT, NOON_MS, NODE) is None
    every_day = {"start": "11:30", "minutes": 60}
    assert wait_of(REBOOT | {"update-window": every_day}, shut, NOON_MS, NODE) is None


def test_the_nodes_of_a_site_have_their_turns_at_different_moments():
    shut = RESTART | {"update-window": WINDOW}
    turns = [wait_of(shut, QUIET, NOON_MS, f"lab.n{number}").opens_ms for number in range(8)]
    assert len({each // 60_000 for each in turns}) >= 7


def test_many_settings_are_told_by_the_first_of_them():
    many = {"sriov": {"vfs": {f"eth{number}": 1 for number in range(6)}}}
    text = wait_of(many | {"update-window": WINDOW}, QUIET, NOON_MS, NODE).text
    assert text.startswith("sriov.vfs.eth0, ")
    assert "sriov.vfs.eth3 and 2 more: waits" in text


def test_a_zone_that_this_machine_does_not_know_is_told():
    with pytest.raises(ProtocolError, match="tz"):
        wait_of(RESTART | {"update-window": WINDOW | {"timezone": "Mars/Base"}}, {}, NOON_MS, NODE)
