"""What ran before an update has to run after it, and nothing serious may be new."""

from types import SimpleNamespace

import msgspec
import pytest

from roost_agent.host.processes.core import Processes
from roost_agent.host.processes.definition import Definition
from roost_agent.host.processes.event import Died, Looked, Restarted
from roost_agent.update.alone import Alone
from roost_agent.update.baseline import STEADY_MS
from roost_agent.update.kept import Kept

ROW = Definition(process="sensor", file="f", service="sensor", restarts=1, debounce=3_600)


class Watching:
    """The real rules of watched processes, without a machine."""

    def __init__(self):
        self.core = Processes([ROW], (), 0)
        self.stands = self.core.stands
        self.now_ms = 0
        self.tell(Looked("sensor", 7))

    def tell(self, event):
        self.core.handle(event, self.now_ms)

    def pass_(self, ms):
        self.now_ms += ms
        self.core.tick(self.now_ms)


@pytest.fixture
def node():
    async def check(_when):
        return []

    made = SimpleNamespace(watching=Watching(), alarms={})
    driver = SimpleNamespace(
        wires={}, processes=made.watching, health=SimpleNamespace(check=check),
        alarms=SimpleNamespace(serious=lambda: made.alarms),
        clock=SimpleNamespace(boot_ms=lambda: made.watching.now_ms),
    )  # fmt: skip
    made.driver, made.alone = driver, Alone(driver, None, None)
    return made


def let_go(node, **more):
    """What is kept as the site lets it go on, as the journal gives it back."""
    kept = Kept(before=node.alone.baseline(), **more)
    return msgspec.json.decode(msgspec.json.encode(kept), type=Kept)


async def test_a_process_that_crashes_since_speaks_against_the_release(node):
    kept = let_go(node)
    assert await node.alone.unwell(kept, ()) == ""
    node.watching.tell(Died("sensor", 7))
    assert (await node.alone.unwell(kept, ())).startswith("process sensor is restarting: process 7")
    node.watching.tell(Restarted("sensor"))
    assert "process sensor is starting" in await node.alone.unwell(kept, ())
    node.watching.tell(Looked("sensor", 8))
    assert "process sensor is settling" in await node.alone.unwell(kept, ()), "it just began"
    node.watching.tell(Died("sensor", 8))
    assert "process sensor is failed" in await node.alone.unwell(kept, ())


async def test_a_process_that_the_installer_has_restarted_has_to_run_steadily_only(node):
    kept = let_go(node)
    node.watching.tell(Looked("sensor", 9))
    node.watching.pass_(STEADY_MS - 1)
    assert "settling" in await node.alone.unwell(kept, ())
    node.watching.pass_(1)
    assert await node.alone.unwell(kept, ()) == "", "it need not wait for a debounce of an hour"


async def test_what_had_failed_before_is_no_fault_of_the_release(node):
    node.watching.tell(Died("sensor", 7))
    kept = let_go(node)
    assert kept.before.ran == ()
    assert await node.alone.unwell(kept, ()) == ""


async def test_a_process_that_is_not_watched_any_more_is_nobodys_to_judge(node):
    kept = let_go(node)
    node.driver.processes = None
    assert await node.alone.unwell(kept, ()) == ""


async def test_a_new_serious_alarm_speaks_against_the_release_and_one_of_before_does_not(node):
    node.alarms = {("100.104", "fs=/var"): "/var 97 % used"}
    kept = let_go(node)
    assert await node.alone.unwell(kept, ()) == ""
    node.alarms |= {("100.104", "fs=/"): "/ 97 % used"}
    assert await node.alone.unwell(kept, ()) == "alarm 100.104 is new: / 97 % used"
    assert await node.alone.unwell(kept, ["100.104"]) == "", "the plan ignores it"
    kept = msgspec.structs.replace(kept, expected=("100.104",))
    assert await node.alone.unwell(kept, ()) == "", "the manifest expects it"


@pytest.mark.parametrize("type_", ["400.002", "900.801", "200.006", "200.015"])
async def test_alarms_that_others_judge_or_the_job_brings_about_are_left_to_them(node, type_):
    kept = let_go(node)
    node.alarms = {(type_, ""): "new"}
    assert await node.alone.unwell(kept, ()) == ""


async def test_the_way_back_is_measured_without_what_ran_before(node):
    kept = msgspec.structs.replace(let_go(node), before=None)
    node.watching.tell(Died("sensor", 7))
    assert await node.alone.unwell(kept, ()) == ""
