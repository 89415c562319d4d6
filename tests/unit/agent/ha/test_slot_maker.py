"""An N+M group over whole cores: who is active, and where a slot goes when its node is gone."""

import pytest
from ha_cores import Cores

from roost_agent.ha import core_events as ev
from roost_agent.ha.config import SITE_LEASE
from roost_protocol.explain import Explain

pytestmark = pytest.mark.untraced

SLOTS = ("pump-1", "pump-2")
PUMP = """
[[group]]
name = "pump"
model = "N+M"
hosts = ["c0", "c1", "w1"]
active = 2
standby = 1
[[service]]
name = "press"
group = "pump"
run = {start=["/bin/press"]}
budget = {stop_s=0.2}
[[group]]
name = "main"
"""


class PumpSite(Cores):
    def __init__(self, folder):
        super().__init__(folder, more="", replaced=('[[group]]\nname = "main"\n', PUMP))

    def start(self, *which, **more):
        super().start(*which, **more)
        for index in which or range(3):
            for slot in SLOTS:
                self.tell(index, ev.Eligible(slot, ok=True))
        return self

    def placed(self):
        """Slot to the one node that runs it."""
        found = {slot: self.holders(slot) for slot in SLOTS}
        assert all(len(nodes) <= 1 for nodes in found.values()), found
        return {slot: nodes[0] for slot, nodes in found.items() if nodes}

    def both_run(self):
        return len(self.placed()) == len(SLOTS)

    def maker(self):
        return next(box.index for box in self.boxes if box.is_up and box.lease(SITE_LEASE).is_held)


@pytest.fixture
def site(tmp_path):
    site = PumpSite(tmp_path).start()
    site.until(site.both_run)
    site.run(12_000)
    return site


def test_each_slot_runs_on_a_node_of_its_own_and_one_stands_by(site):
    assert set(site.placed().values()) == {0, 1}
    assert site.placed() == site.boxes[2].core.slots.table
    said = [each.sentence for each in site.boxes[site.maker()].of(Explain)]
    assert any(each.startswith("slots (epoch ") for each in said)
    assert site.boxes[2].core.bar("pump-1") == ""
    assert site.boxes[site.placed()["pump-1"]].core.bar("pump-2") == "pump-1 runs here"
    site.run(30_000)
    assert site.placed() == site.boxes[2].core.slots.table
    assert all(len(box.of(ev.Start)) <= 2 for box in site.boxes), "nothing moves by itself"


@pytest.mark.parametrize("is_maker", [True, False])
def test_the_standby_takes_the_slot_of_a_node_that_died(site, is_maker):
    if is_maker is not (site.maker() == site.placed()["pump-1"]):
        site.tell(site.maker(), ev.Give(SITE_LEASE, "a test", None))
        site.until(lambda: any(box.lease(SITE_LEASE).is_held for box in site.boxes))
        site.run(2_000)
    dead = site.maker() if is_maker else site.placed()["pump-1"]
    slot = next((slot for slot, node in site.placed().items() if node == dead), None)
    kept = {each: node for each, node in site.placed().items() if node != dead}
    site.boxes[dead].is_up = False
    site.boxes[dead].runs.clear()
    site.until(site.both_run)
    assert kept.items() <= site.placed().items(), "the other stays where it is"
    assert slot is None or site.placed()[slot] not in {dead, *kept.values()}


def test_a_slot_given_to_a_named_host_is_there_before_any_new_table(site):
    old = site.placed()["pump-1"]
    assert site.tell(old, ev.Give("pump-1", "ordered", 2)).ok
    took_ms = site.until(lambda: site.placed().get("pump-1") == 2)
    assert took_ms < site.config.timing.beat_ms
    site.run(5_000)
    assert site.boxes[old].core.bar("pump-1") == "", "it is the standby now"


def test_a_slot_that_failed_on_a_node_goes_to_the_one_that_stands_by(site):
    old = site.placed()["pump-1"]
    site.tell(old, ev.Give("pump-1", "press failed", is_chosen=True))
    site.until(lambda: site.placed().get("pump-1") not in {None, old})
    assert site.placed()["pump-1"] == 2


def test_a_host_that_could_not_run_it_is_passed_over(site):
    site.tell(2, ev.Eligible("pump-1", ok=False, why="lag"))
    site.run(1_000)
    dead = site.placed()["pump-1"]
    site.boxes[dead].is_up = False
    site.boxes[dead].runs.clear()
    site.run(10_000)
    assert "pump-1" not in site.placed()
    site.tell(2, ev.Eligible("pump-1", ok=True))
    site.until(site.both_run)


def test_nobody_stands_before_there_is_a_table(tmp_path):
    site = PumpSite(tmp_path).start()
    site.run(50)
    assert not any(box.core.slots.is_mine("pump-1", site.clock(box)) for box in site.boxes)


def test_what_needs_the_group_waits_until_a_slot_of_it_runs(tmp_path):
    folder = tmp_path / "needs"
    folder.mkdir()
    site = Cores(
        folder,
        more="",
        replaced=('[[group]]\nname = "main"\n', PUMP + 'requires_active = ["pump"]\n'),
    ).start()
    site.run(6_000)
    assert site.holders() == []
    assert {box.core.bar("main") for box in site.boxes} == {
        "pump, which it requires, is active nowhere"
    }
    site.tell(0, ev.Eligible("pump-1", ok=True))
    site.tell(1, ev.Eligible("pump-1", ok=True))
    site.until(site.holders)
