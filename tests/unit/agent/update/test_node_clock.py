"""Whether a window may open by this node's clock."""

import sys
from types import SimpleNamespace

import pytest

from roost_agent.known_time import LASTING_MS, KnownTime
from roost_agent.trust import kernel_clock
from roost_agent.update import node_clock
from roost_agent.update.node_clock import LOOK_MS, NodeClock, by_kernel, floor_ms

NOW_MS = 1_796_045_400_000  # 2026-11-30 13:30 UTC, a Monday
UNSET = "for a day neither the centre nor a time service has set it"


class Node:
    """Clocks that a test sets, and who keeps them."""

    def __init__(self, trust):
        self.wall, self.boot, self.is_kept, self.asked = NOW_MS, 5_000, False, 0
        hands = SimpleNamespace(
            wall_ms=lambda: self.wall, boot_ms=lambda: self.boot, mono_ms=lambda: self.boot
        )
        self.known = KnownTime(hands)
        self.clock = NodeClock(self.known, trust, self.kept)

    async def kept(self):
        self.asked += 1
        return self.is_kept

    def told(self, ahead_ms=0):
        for _ in range(2):
            self.known.told(self.wall + ahead_ms)

    def pass_(self, ms):
        self.wall, self.boot = self.wall + ms, self.boot + ms


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


async def test_a_clock_that_nobody_has_set_opens_no_window_until_somebody_has(node):
    await node.clock.look()
    assert node.clock.distrust() == UNSET
    node.told()
    assert node.clock.distrust() == ""
    node.pass_(LASTING_MS)
    assert node.clock.distrust() == ""
    node.pass_(1)
    assert node.clock.distrust() == UNSET


async def test_a_site_without_its_wan_goes_by_its_own_time_service(node):
    node.is_kept = True
    await node.clock.look()
    assert node.clock.distrust() == ""
    node.is_kept = False
    node.pass_(LASTING_MS)
    await node.clock.look()
    assert node.clock.distrust() == ""
    node.pass_(1)
    assert node.clock.distrust() == UNSET


async def test_the_kernel_is_asked_seldom_for_it_takes_a_child(node):
    for _ in range(3):
        await node.clock.look()
        node.pass_(LOOK_MS // 3)
    assert node.asked == 1
    await node.clock.look()
    assert node.asked == 2
    node.told()
    node.pass_(LOOK_MS)
    await node.clock.look()
    assert node.asked == 2, "the centre's word counts first"


async def test_a_clock_that_is_off_the_centres_opens_none_though_a_time_service_keeps_it(node):
    node.is_kept = True
    await node.clock.look()
    node.told(61_000)
    assert node.clock.distrust() == "it is 61 s off the centre's"


async def test_a_clock_before_what_was_signed_for_the_node_opens_none(node, tmp_path):
    (tmp_path / "state.json").write_text(f'{{"node":"lab.n1","clock_floor_ms":{NOW_MS + 1}}}')
    node.is_kept = True
    await node.clock.look()
    assert node.clock.distrust() == "it is before what was signed for this node"
    node.pass_(1)
    assert node.clock.distrust() == ""


def test_without_a_floor_that_can_be_read_there_is_none(tmp_path):
    assert floor_ms(tmp_path) == 0
    (tmp_path / "state.json").write_text("{")
    assert floor_ms(tmp_path) == 0


async def test_the_kernel_is_asked_by_a_child(monkeypatch):
    assert await by_kernel() is kernel_clock.is_kept()
    monkeypatch.setattr(node_clock, "sys", SimpleNamespace(executable=f"{sys.executable}.no"))
    assert await by_kernel() is False
