"""Drills: bounded in time, and what they saw."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest
from ha_cores import Cores

from roost_agent.control.message import DRILL_S, HaDrill, HaDrillResult, HaRequest
from roost_agent.ha import drill as module
from roost_agent.ha.drill import Drill, Drills
from roost_agent.ha.drill_order import Plan
from roost_agent.ha.orders import answer
from roost_protocol.ha_report import HaRole

CUT = Plan(frozenset({0}), stops_broker=False, seconds=10, what="mgmt/c0 cut")


@pytest.fixture
def site(tmp_path):
    made = Cores(tmp_path)
    made.settled()
    return made


def test_its_time_is_bounded():
    decoder = msgspec.json.Decoder(HaRequest)
    low, high = DRILL_S
    for seconds in (low, high):
        decoder.decode(msgspec.json.encode({"do": "ha-drill", "seconds": seconds}))
    for seconds in (low - 1, high + 1):
        with pytest.raises(msgspec.ValidationError):
            decoder.decode(msgspec.json.encode({"do": "ha-drill", "seconds": seconds}))


def test_what_happened_is_told_and_what_was_before_is_not():
    active, standby = (HaRole.ACTIVE, 8), (HaRole.STANDBY, 8)
    drill = Drill(CUT, {"main": active, "web": standby}, 1_000)
    drill.stands({"a": "old"})
    drill.saw({"main": active, "web": standby}, {"c1": 300, "w1": None}, 1_100)
    drill.saw({"main": standby, "web": standby}, {"c1": 900}, 3_000)
    drill.saw({"main": standby, "web": (HaRole.ACTIVE, 33)}, {"c1": 100}, 4_000)
    drill.stands({"a": "old", "b": "no peer beat"})
    drill.stands({"a": "old"})
    assert not drill.is_over
    assert not drill.looked(is_whole=False, now_ms=11_100)
    assert drill.looked(is_whole=True, now_ms=11_700)
    result = drill.result(12_000)
    assert [(each["group"], each["role"]) for each in result["role_changes"]] == [
        ("main", "standby"),
        ("web", "active"),
    ]
    assert [each["after_ms"] for each in result["role_changes"]] == [2_000, 3_000]
    assert result["gaps_ms"] == {"c1": 900, "w1": 0}
    assert result["alarms"] == ["no peer beat"]
    assert (result["recovered_ms"], result["over"], result["left_s"]) == (700, True, 0)
    assert "role changes here: 2, longest silence of a peer 0.9 s" in drill.sentence()


def test_what_does_not_come_back_is_told_and_not_waited_for_for_ever():
    drill = Drill(CUT, {}, 0)
    last_ms = drill.ends_ms + int(module.RECOVER_S_MAX * 1_000)
    assert not drill.looked(is_whole=False, now_ms=last_ms - 1)
    assert drill.looked(is_whole=False, now_ms=last_ms)
    assert "not all paths are back" in drill.sentence()
    assert drill.result(last_ms)["recovered_ms"] is None


class Runtime:
    """One node of a site of cores; notes what its shells are told."""

    def __init__(self, site):
        self.core = site.boxes[0].core
        self.now_ms = lambda: site.clock(site.boxes[0])
        self.notes, self.refusals = [], []
        self.echoes = 0
        self.held = []
        broker = SimpleNamespace(echoed=self.echoed, hold=self.held.append)
        alarms = SimpleNamespace(standing=lambda _prefix: {})
        self.shells = SimpleNamespace(
            peers=SimpleNamespace(muted=frozenset()), broker=broker, alarms=alarms, drills=None
        )

    def echoed(self):
        self.echoes += 1

    def explain(self, said):
        self.notes.append(said.sentence)

    def refuse(self, why):
        self.refusals.append(why)


async def until(look):
    async with asyncio.timeout(30):
        while not look():  # noqa: ASYNC110 - looks from outside
            await asyncio.sleep(0.005)


@pytest.fixture
async def drills(site, monkeypatch):
    """Drills that run, on the site's own clock."""
    monkeypatch.setattr(module, "SAMPLE_S", 0.005)
    runtime = Runtime(site)
    drills = Drills(SimpleNamespace(boot_ms=runtime.now_ms))
    runtime.shells.drills = drills
    task = asyncio.get_running_loop().create_task(drills.run(runtime))
    yield SimpleNamespace(drills=drills, runtime=runtime, site=site, task=task)
    task.cancel()


async def test_a_drill_cuts_for_its_time_and_no_longer(drills):
    runtime = drills.runtime
    told = answer(runtime, HaDrill(10, ["mgmt"]))
    assert told.error == ""
    assert runtime.shells.peers.muted == {0, 3}
    assert "one at a time" in answer(runtime, HaDrill(10, ["cluster"])).error
    assert "one at a time" in runtime.refusals[0]
    await until(lambda: runtime.echoes)  # our own broker is not held to be frozen
    drills.site.run(9_000)
    assert not answer(runtime, HaDrillResult()).result["over"]
    assert runtime.shells.peers.muted == {0, 3}
    drills.site.run(2_000)
    await until(lambda: not drills.drills.is_on)
    assert runtime.shells.peers.muted == frozenset()
    result = answer(runtime, HaDrillResult()).result
    assert (result["over"], result["what"]) == (True, "mgmt/c0, mgmt/udp cut")
    await until(lambda: len(runtime.notes) == 2)
    assert "ordered on the node" in runtime.notes[0]
    assert runtime.notes[1] == result["sentence"]
    assert answer(runtime, HaDrill(10, ["cluster"])).error == ""


async def test_a_broker_is_held_until_the_end(drills):
    runtime = drills.runtime
    ends_ms = runtime.now_ms() + 10_000
    assert answer(runtime, HaDrill(10, [], stop_broker=True)).error == ""
    assert runtime.held == [ends_ms]
    assert runtime.shells.peers.muted == frozenset()


async def test_nothing_stays_cut_when_the_agent_ends(drills):
    runtime = drills.runtime
    answer(runtime, HaDrill(10, ["mgmt"]))
    await until(lambda: runtime.echoes)
    drills.task.cancel()
    await until(drills.task.done)
    assert runtime.shells.peers.muted == frozenset()


def test_who_had_no_drill_says_so(site):
    runtime = Runtime(site)
    assert "only starts" in answer(runtime, HaDrillResult()).error
    runtime.shells.drills = Drills(SimpleNamespace(boot_ms=runtime.now_ms))
    assert "no drill since" in answer(runtime, HaDrillResult()).error
