"""What the node said reaches central, whatever dies on the way."""

import asyncio
import os
import signal

import pytest
from waiting import until

from roost_agent.config import OutboxConfig
from roost_agent.outbox.store import Entry, Store
from roost_protocol.codec import Decoder
from roost_protocol.envelope import ItemKind, Lane, Resync
from roost_protocol.inventory import Delta, InventoryDocument, SnapshotPart

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

decode = Decoder[InventoryDocument](InventoryDocument).decode
HOUR_MS = 3_600_000


def said(agent, count):
    """Put events into the agent's outbox while it does not run, and return their bodies."""
    agent.state_dir.mkdir(mode=0o700, exist_ok=True)
    limits = OutboxConfig(32 << 20, HOUR_MS, 16 << 20, HOUR_MS)
    store = Store(
        agent.state_dir / "outbox.db", limits, new_stream=lambda: os.urandom(16), now_ms=0
    )
    bodies = {
        lane: [b"%s %05d %s" % (lane.encode(), n, os.urandom(300)) for n in range(count)]
        for lane in Lane
    }
    entries = [Entry(lane, ItemKind.EVENT, 0, body) for lane in Lane for body in bodies[lane]]
    store.write(entries, {}, {}, now_ms=0)
    store.close()
    return bodies


def events(central, lane):
    return [body for body in central.items[lane] if body.startswith(lane.encode())]


async def test_nothing_is_lost_or_repeated_over_kills_of_agent_and_broker(
    agent, central, mosquitto
):
    bodies = said(agent, 3_000)
    central.pause_s = 0.1
    for turn in range(6):
        agent.start()
        seen = len(central.order)
        await until(lambda seen=seen: len(central.order) > seen, "progress")
        assert len(central.order) < 6_000, "it was over before the kill"
        if turn % 2:
            mosquitto.kill()
            mosquitto.start()
        agent.kill()
    agent.start()
    for lane in Lane:
        await until(lambda lane=lane: len(events(central, lane)) >= len(bodies[lane]), "all")
        assert events(central, lane) == bodies[lane]


async def test_alarms_arrive_before_what_was_said_in_bulk(agent, central):
    said(agent, 400)
    agent.start()
    await until(lambda: len(events(central, Lane.ALARM)) == 400, "the alarm lane")
    assert Lane.BULK not in central.order[:400]


async def test_a_restored_central_gets_everything_again_from_the_ring(agent, central):
    bodies = said(agent, 300)
    agent.start()
    for lane in Lane:
        await until(lambda lane=lane: events(central, lane) == bodies[lane], "all")
    central.restore()
    agent.kill()  # its first question then meets the other central at once
    agent.start()
    for lane in Lane:
        await until(lambda lane=lane: events(central, lane) == bodies[lane], "all again")


async def test_a_silent_central_does_not_move_anything_out_of_the_outbox(agent, central):
    central.is_silent = True
    said(agent, 50)
    agent.start()
    await until(lambda: central.beats, "a beat")
    await until(lambda: central.beats[-1].alarm, "an open outbox")
    await until(lambda: agent.path_states()["wan1"] == "up", "PUBACKs all the same")
    status = await asyncio.to_thread(agent.status)
    lanes = {lane["lane"]: lane for lane in status["outbox"]}
    assert lanes["alarm"]["waiting_items"] == 50
    assert lanes["alarm"]["mark"] == 0
    central.is_silent = False
    await asyncio.to_thread(agent.run, "path", "hold", "wan1", "--for", "1s")  # asks anew after it
    await until(lambda: len(events(central, Lane.ALARM)) == 50, "all")


async def test_the_inventory_is_told_once_and_again_in_full_when_asked(agent, central):
    agent.start()

    def told():
        return [decode(body) for kind, body in central.kinds if kind is ItemKind.INVENTORY]

    await until(told, "an inventory")
    first = told()[0]
    assert isinstance(first, SnapshotPart)
    assert (first.gen, first.full) == (1, True)
    agent.kill()
    agent.start()
    await until(lambda: "incarnation 2" in agent.log.read_text(), "the second start")
    central.resync = [Resync("inventory")]
    await until(
        lambda: any(isinstance(d, SnapshotPart) and d.gen > 1 for d in told()),
        "the snapshot that was asked for",
    )
    gens = [each.gen for each in told()]
    assert gens == sorted(gens)
    assert all(isinstance(each, SnapshotPart | Delta) for each in told())
    await until(
        lambda: (mark := central.beats[-1].inventory) and mark.gen == gens[-1], "a beat of it"
    )
    assert central.beats[-1].inventory.digest == told()[-1].digest


async def test_a_polite_end_says_good_bye_and_exits_with_0(agent, central):
    agent.start()
    await until(lambda: central.beats, "a beat")
    await until(lambda: agent.status()["inventory"]["gen"], "its inventory")
    await until(lambda: central.items[Lane.BULK], "its inventory at central")
    assert await asyncio.to_thread(agent.stop) == 0
    await until(lambda: central.gones, "the good-bye")


async def test_a_killed_agent_leaves_its_will(agent, central):
    agent.start()
    await until(lambda: central.beats, "a beat")
    os.kill(agent.pid, signal.SIGKILL)
    await until(lambda: central.gones, "the will")
    assert central.gones[0].path == "wan1"
