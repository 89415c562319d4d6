"""When a running agent takes its node for reached."""

from roost_agent.config_apply.probation import SETTLE_MS
from roost_agent.settings_host import DriverHost


class FakeDriver:
    def __init__(self, receipt_ms):
        self.receipt_ms = receipt_ms
        self.asked = 0

    def ask_centre(self):
        self.asked += 1


def test_it_asks_until_a_receipt_comes_that_is_newer_than_the_change():
    driver = FakeDriver(1_000)
    host = DriverHost(driver, lambda: (9_000_000, (9_000_000,)))
    assert not host.is_reached(2_000)
    driver.receipt_ms = 2_001  # it may have been on its way
    assert not host.is_reached(2_000)
    assert driver.asked == 2
    driver.receipt_ms = 2_000 + SETTLE_MS
    assert host.is_reached(2_000)
    assert driver.asked == 2


def test_each_change_is_judged_by_itself():
    driver = FakeDriver(None)
    signs = [(2_000 + SETTLE_MS, ())]
    host = DriverHost(driver, lambda: signs[0])
    assert host.is_reached(2_000)
    assert not host.is_reached(4_000)
    signs[0] = (4_000 + SETTLE_MS, (None, None))
    assert not host.is_reached(4_000)
    signs[0] = (4_000 + SETTLE_MS, (4_000 + SETTLE_MS, None))
    assert host.is_reached(4_000)
