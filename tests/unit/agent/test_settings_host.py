"""When a running agent takes its node for reached."""

from types import SimpleNamespace

from msgspec.structs import replace

from roost_agent.alarm_types import shipped
from roost_agent.config import PathConfig
from roost_agent.config_apply import told as tolds
from roost_agent.config_apply.for_agent import for_agent
from roost_agent.config_apply.probation import SETTLE_MS
from roost_agent.config_apply.told import Told
from roost_agent.ports import SystemClock
from roost_agent.settings_host import DriverHost, own_at_start
from roost_protocol.beat import PathKind


class FakeDriver:
    def __init__(self, receipt_ms):
        self.receipt_ms = receipt_ms
        self.asked = 0
        self.ended, self.tuned, self.levels = [], [], []
        self.config = SimpleNamespace(
            ha_file="/etc/roost/ha.toml",
            alarms=SimpleNamespace(types=shipped()),
            paths=[
                PathConfig("w1", PathKind.WAN, "a", 1),
                PathConfig("lan1", PathKind.SITE, "b", 1),
            ],
        )
        self.alarms = SimpleNamespace(judge_by=lambda types: None)
        self.watching = None
        self.tune, self.end = self.tuned.append, self.ended.append

    def ask_centre(self):
        self.asked += 1


def test_it_asks_until_a_receipt_comes_that_is_newer_than_the_change():
    driver = FakeDriver(1_000)
    host = DriverHost(driver, lambda: (9_000_000, (9_000_000,)), {})
    assert not host.is_reached(2_000, by_centre=False)
    driver.receipt_ms = 2_001  # it may have been on its way
    assert not host.is_reached(2_000, by_centre=False)
    assert driver.asked == 2
    driver.receipt_ms = 2_000 + SETTLE_MS
    assert host.is_reached(2_000, by_centre=False)
    assert driver.asked == 2


def test_each_change_is_judged_by_itself():
    driver = FakeDriver(None)
    signs = [(2_000 + SETTLE_MS, ())]
    host = DriverHost(driver, lambda: signs[0], {})
    assert host.is_reached(2_000, by_centre=False)
    assert not host.is_reached(4_000, by_centre=False)
    signs[0] = (4_000 + SETTLE_MS, (None, None))
    assert not host.is_reached(4_000, by_centre=False)
    signs[0] = (4_000 + SETTLE_MS, (4_000 + SETTLE_MS, None))
    assert host.is_reached(4_000, by_centre=False)


def test_an_agent_that_was_restarted_for_it_believes_the_centre_alone():
    driver = FakeDriver(None)
    host = DriverHost(driver, lambda: (9_000_000, (9_000_000,)), {})
    assert not host.is_reached(2_000, by_centre=True)
    driver.receipt_ms = 2_000 + SETTLE_MS
    assert host.is_reached(2_000, by_centre=True)


def test_other_settings_of_local_ha_end_the_agent_and_the_same_do_not():
    said = {"groups": {"db": {"preempt_s": 60}}}
    driver = FakeDriver(None)
    host = DriverHost(driver, lambda: (None, ()), said)
    assert host.use(for_agent({"ha": said}))
    assert driver.ended == []
    assert not host.use(for_agent({}))
    assert len(driver.ended) == 1
    driver.config.ha_file = ""
    assert host.use(for_agent({}))


def test_the_agent_goes_by_what_is_said_of_paths_that_it_has():
    driver = FakeDriver(None)
    host = DriverHost(driver, lambda: (None, ()), {})
    said = {"paths": {"wan": {"w1": {"metered": True}}}}
    assert host.use(for_agent(said))
    assert driver.tuned[-1].rank("w1") == (True, 50)
    assert host.refusals(said) == []
    [why] = host.refusals({"paths": {"wan": {"w9": {}, "w1": {}}}})
    assert why == "paths.wan.w9: there is no such WAN path; there is w1"
    assert len(host.refusals({"paths": {"wan": {"lan1": {}}}})) == 1  # a site path is none


def test_an_agent_begins_with_what_is_being_tried_and_else_with_what_is_applied(tmp_path):
    clock = SystemClock()
    config = SimpleNamespace(settings=SimpleNamespace(told=str(tmp_path)))
    assert own_at_start(config, clock).ha == {}
    applied, tried = {"groups": {"db": {"preempt_s": 1}}}, {"groups": {"db": {"preempt_s": 2}}}
    told = Told(applied={"ha": applied}, applied_digest="0a" * 32)
    tolds.write(tmp_path, told)
    assert own_at_start(config, clock).ha == applied
    until_ms = clock.boot_ms() + 60_000
    tolds.write(tmp_path, replace(told, waits_ms=until_ms, trial={"ha": tried, "paths": {}}))
    assert own_at_start(config, clock).ha == tried
    tolds.write(tmp_path, replace(told, waits_ms=clock.boot_ms() - 1, trial={"ha": tried}))
    assert own_at_start(config, clock).ha == applied  # its time is over
    (tmp_path / tolds.NAME).write_text("{")
    assert own_at_start(config, clock).ha == {}
