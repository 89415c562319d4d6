"""The shell of fencing over real cores: devices and disk are a test's, clock and loop are real."""

import asyncio
import json
from contextlib import suppress

import pytest
from ha_cores import Cores
from ha_fences import fenced_file

from roost_agent.errors import StorageError
from roost_agent.ha import core_events as ev
from roost_agent.ha.ask import _fencing
from roost_agent.ha.fence import shell
from roost_agent.ha.fence.driver import Reply
from roost_agent.ha.fence.event import Ask, Drive, Elsewhere, Keep, NoProof, Power, Proven, Verb
from roost_agent.ha.fence.shell import Doors, Fencing, has_carrier
from roost_agent.ports import SystemEntropy
from roost_protocol.explain import Explain

UUIDS = [f"11111111-2222-3333-4444-55555555555{index}" for index in range(2)]


class Disk:
    def __init__(self, raw=None):
        self.raw, self.fails = raw, False

    def fence(self):
        return self.raw

    async def write_fence(self, content):
        if self.fails:
            raise StorageError("No space left on device")
        self.raw = content


class Clock:
    def __init__(self, site, index):
        self.site, self.index = site, index

    def boot_ms(self):
        return self.site.clock(self.site.boxes[self.index])

    def wall_ms(self):
        return 1_800_000_000_000 + self.boot_ms()


class Node:
    def __init__(self, site, index):
        self.site, self.index, self.said = site, index, []

    @property
    def core(self):
        return self.site.boxes[self.index].core

    def tell(self, event):
        self.said.append(event)
        return self.site.tell(self.index, event)

    def explain(self, told):
        self.said.append(told)


@pytest.fixture
def site(tmp_path):
    more = 'on_full_cut = "fence_incumbent"'
    site = Cores(tmp_path, text=fenced_file, names=("c0", "c1"), more=more)
    site.settled()
    return site


def made(site, index, disk=None, driver=None):
    async def well(fence, verb):
        return Reply(Power.ON, fence.uuid)

    node = Node(site, index)
    fencing = Fencing(
        node.core, disk or Disk(), clock=Clock(site, index), entropy=SystemEntropy(),
        doors=Doors(driver or well, lambda _addresses: True),
    )  # fmt: skip
    return fencing, node


async def running(fencing, node, until, monkeypatch):
    """Run it until something holds, a second of the site's time for each of its looks."""
    real = asyncio.sleep

    async def sleep(seconds):
        node.site.run(1_000)
        await real(0.001)

    monkeypatch.setattr(shell.asyncio, "sleep", sleep)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(fencing.run(node))
        while not until():
            assert not task.done()
            await real(0.001)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_each_fence_is_tried_soon_after_the_start_and_told(site, monkeypatch):
    answers = {"c0": Reply(Power.ON, UUIDS[0]), "c1": Reply(fault="401: it refuses the credential")}

    async def driver(fence, verb):
        assert verb is Verb.STATUS
        return answers[fence.node]

    fencing, node = made(site, 0, driver=driver)
    assert fencing.faults() == {}, "nothing was tried yet"
    assert "never" in "\n".join(_fencing(fencing.status()))
    await running(fencing, node, lambda: len(fencing.faults()) == 1, monkeypatch)
    assert fencing.faults() == {"c1": "401: it refuses the credential"}
    assert ev.Unfenced("") in node.said
    told = fencing.status()
    assert [(each["node"], each["fault"]) for each in told["fences"]] == [
        ("c0", ""), ("c1", "401: it refuses the credential"),
    ]  # fmt: skip
    shown = "\n".join(_fencing({**told, "doing": "node 0: reads its power", "spent": 2}))
    assert "good" in shown
    assert "attempts this hour: 2" in shown
    assert list(_fencing(None)) == []


async def test_a_lost_owner_is_switched_off_counted_first_and_proven(site, monkeypatch):
    [owner] = site.holders()
    power = {"c0": Power.ON, "c1": Power.ON}
    disk = Disk()
    orders = []

    async def driver(fence, verb):
        if verb is not Verb.STATUS:
            orders.append((fence.node, verb, json.loads(disk.raw)))
            power[fence.node] = Power(str(verb))
            site.reboot(owner)
        return Reply(power[fence.node], fence.uuid)

    fencing, node = made(site, 1 - owner, disk, driver)
    site.cut = {(0, 1, None), (1, 0, None)}
    await running(fencing, node, lambda: site.holders() == [1 - owner], monkeypatch)
    name, verb, kept = orders[0]
    assert (name, verb) == (f"c{owner}", Verb.OFF)
    assert kept["off"] == [name], "it was on disk before"
    assert len(kept["spent_ms"]) == 1
    boot = next(each.boot for each in node.said if isinstance(each, ev.Proven))
    assert boot == bytes([owner]) * 16, "the boot that was heard"


async def test_what_the_core_wants_goes_where_it_belongs(site):
    fencing, node = made(site, 0, Disk())
    fencing._disk.fails = True
    async with asyncio.TaskGroup() as group:
        for effect in (
            Ask(1, "main", 33),
            Proven(1, site.boxes[1].boot, "its power reads Off"),
            NoProof("nothing proves it"),
            Explain("it is so", {}),
            Keep(99, (1,), (1,)),
            Drive(98, 1, Verb.ON),
        ):
            fencing._do(effect, node, group)
    assert ev.Yield(1, "main", 33) in node.said
    assert ev.Proven(1, "its power reads Off", site.boxes[1].boot) in node.said
    assert ev.NoProof("nothing proves it") in node.said
    assert Explain("it is so", {}) in node.said


async def test_a_proof_that_another_node_told_counts_and_an_own_one_does_not(site):
    fencing, node = made(site, 0)
    told = []
    fencing.core.handle = lambda event, _now_ms: told.append(event) or []
    node.core.voter._memory.fenced[1] = b"x" * 16
    async with asyncio.TaskGroup() as group:
        fencing._look(node, group)
        fencing._look(node, group)
        fencing._proven.add((1, b"y" * 16))
        node.core.voter._memory.fenced[1] = b"y" * 16
        fencing._look(node, group)
    assert [each for each in told if isinstance(each, Elsewhere)] == [Elsewhere(1, b"x" * 16)]


async def test_attempts_and_who_is_off_outlive_the_agent(site):
    kept = json.dumps({"spent_ms": [Clock(site, 0).wall_ms()], "off": ["c1", "gone"]})
    fencing, _ = made(site, 0, Disk(kept.encode()))
    assert fencing.status()["spent"] == 1
    assert fencing.core.off == {1}


def test_an_address_of_this_machine_has_a_carrier_and_no_other_has():
    assert has_carrier({"127.0.0.1"})
    assert not has_carrier({"192.0.2.1"})
