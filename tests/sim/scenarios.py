"""Directed scenarios: what random search finds late or never, driven straight to it.

Each is a plan and a script: the script runs in the safety phase and ends it; healing, convergence
and the oracle follow as in every run. What a script sees for itself it tells by ``violate``.
"""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from sim.broker import Mood
from sim.checkers import FORGOTTEN_S
from sim.plan import Plan

from roost_protocol.envelope import Lane
from roost_protocol.severity import Severity

if TYPE_CHECKING:
    from sim.world import World

PLAIN = Plan(seed=1, sites=2, nodes=2, say_every_s=2.0, liveness_s=900.0)
STORM_SHARE = 0.4  # of a fleet's reconnects in its busiest second, spread over ten
SILENCES = ("280.001", "280.802", "280.808")  # a site, a node, many nodes: nothing is heard
STOP_S = 60.0  # an agent that is told to end has ended by then

RECEIPTS = replace(PLAIN, name="receipts", say_every_s=0.5)
LOST_RECEIPTS = replace(PLAIN, name="lost receipts", say_every_s=0.5)
DROPPED_DELTA = replace(PLAIN, name="dropped delta", outbox_bytes=40 << 10)
CRITICALS, MINORS = 20, 400  # of a node; the outbox has ample room for those, none for all these
KEPT = replace(PLAIN, name="kept criticals", outbox_bytes=40 << 10, say_every_s=0.0)
RETAINED = replace(PLAIN, name="retained beat")
RESTORED = replace(PLAIN, name="restored centre")
STORM = replace(PLAIN, name="reconnect storm", sites=60, nodes=1, say_every_s=0.0)
CLOCKS = replace(PLAIN, name="clocks")
STOPPED_CENTRE = replace(PLAIN, name="stopped centre")
EMPTY_BROKER = replace(PLAIN, name="empty broker", sites=5)
ENDING = replace(PLAIN, name="ending agents", sites=6, nodes=1)
FLEET = Plan(
    seed=1,
    name="fleet",
    sites=100,
    safety_s=3_600.0,
    say_every_s=0.0,
    alarm_every_s=600.0,
    loss=0.05,
)
SILENT = replace(PLAIN, name="silent nodes", sites=4)
DARK = replace(PLAIN, name="dark carrier", sites=60, nodes=1, say_every_s=0.0)
DARK_SITES = 11  # of them: a mass, and no more than a fifth of the fleet
FULL_DISK = replace(PLAIN, name="full disks")


async def receipts(world: "World") -> None:
    """Kill the centre again and again while reports are in flight and its disk is slow."""
    await asyncio.sleep(20)
    for turn in range(10):
        world.hosts["centre"].disk.is_slow = True
        await asyncio.sleep(5 + turn * 0.31)
        world.hosts["centre"].kill()
        world.hosts["centre"].disk.is_slow = False
        await asyncio.sleep(0.5)
        world.hosts["centre"].start()
        await asyncio.sleep(20)


async def lost_receipts(world: "World") -> None:
    """A broker that loses receipts and repeats reports: everything comes more than once."""
    await asyncio.sleep(5)
    world.brokers["hub-0"].mood = Mood(drop=0.4, repeat=0.4)
    await asyncio.sleep(120)


async def dropped_delta(world: "World") -> None:
    """Change hardware while the WAN is gone, and fill the outbox until it drops the change.

    No later change tells the centre that something is missing: only the digest in the beat does.
    """
    await asyncio.sleep(30)
    for node in world.nodes:
        world.net.cut(node, "hub-0")
        world.net.cut("hub-0", node)
    for node in world.nodes.values():
        node.change_hardware()
    await asyncio.sleep(400)
    if not any(
        counts.dropped
        for node in world.nodes.values()
        if node.driver is not None
        for counts in node.driver.spool.lanes.values()
    ):
        world.violate("no outbox dropped anything: this scenario shows nothing")


async def kept_criticals(world: "World") -> None:
    """Fill outboxes far beyond their bound while the WAN is gone: what is critical stays in."""
    await asyncio.sleep(60)
    for node in world.nodes:
        world.net.cut(node, "hub-0")
        world.net.cut("hub-0", node)
    for severity, count in ((Severity.CRITICAL, CRITICALS), (Severity.MINOR, MINORS)):
        for _ in range(count):
            for node in world.nodes.values():
                assert node.driver is not None
                node.say(node.driver.spool, Lane.ALARM, severity, size=200)
            await asyncio.sleep(0.1)
    await asyncio.sleep(60)
    for name, node in world.nodes.items():
        assert node.driver is not None
        if not node.driver.spool.lanes[Lane.ALARM].dropped:
            world.violate(f"{name} dropped nothing: this scenario shows nothing")


async def retained_beat(world: "World") -> None:
    """A node dies; its broker keeps its last beat and hands it to a centre that comes anew."""
    await asyncio.sleep(60)
    broker = world.brokers["hub-0"]
    broker.keeps_beats = True
    await asyncio.sleep(60)
    dead = next(iter(world.nodes))
    world.hosts[dead].kill(power=True)
    await asyncio.sleep(60)
    for _ in range(2):
        world.hosts["centre"].kill()
        world.hosts["centre"].start()
        await asyncio.sleep(30)
        row = world.centre.view.nodes[dead]
        if row.presence in {"online", "degraded"}:
            world.violate(f"{dead} is dead, and a retained beat made it {row.presence}")
    broker.keeps_beats = False


async def restored(world: "World") -> None:
    """Lose the centre's disk: what came after the backup comes again from the agents' rings."""
    await asyncio.sleep(60)
    world.centre.backup()
    await asyncio.sleep(120)
    world.centre.host.kill(power=True)
    world.centre.put_back()
    await asyncio.sleep(5)
    world.centre.host.start()
    await asyncio.sleep(30)


async def storm(world: "World") -> None:
    """Restart the broker under a fleet: it must not come back as one."""
    await asyncio.sleep(60)
    broker = world.brokers["hub-0"]
    broker.asked_s.clear()
    broker.host.kill()
    broker.host.start()
    await asyncio.sleep(120)
    seconds = Counter(int(at_s) for at_s in broker.asked_s)
    came, most = sum(seconds.values()), max(seconds.values(), default=0)
    if came < len(world.nodes) or most > STORM_SHARE * came:
        world.violate(f"{most} of {came} connects in one second")


async def clocks(world: "World") -> None:
    """Step every wall clock by years: nothing is dropped for its age, nobody seems gone.

    One node is cut off meanwhile, so that its outbox has something to drop.
    """
    await asyncio.sleep(60)
    away = next(iter(world.nodes))
    world.net.cut(away, "hub-0")
    world.net.cut("hub-0", away)
    for step_ms in (3_600_000, -315_360_000_000, 630_720_000_000):
        for host in world.hosts.values():
            host.clock.off_ms += step_ms
        await asyncio.sleep(90)
        nodes = world.centre.view.nodes.values()
        gone = [n.node for n in nodes if n.presence != "online" and n.node != away]
        if gone:
            world.violate(f"a clock stepped, and {gone} seem gone")
    if any(
        counts.dropped
        for node in world.nodes.values()
        if node.driver is not None
        for counts in node.driver.spool.lanes.values()
    ):
        world.violate("an outbox dropped something for its age")


async def stopped_centre(world: "World") -> None:
    """Stop the centre for minutes: it must not blame the fleet for its own pause.

    Again and again, for what it looks at first when it goes on, the clock or the beats that wait
    for it, is a matter of luck.
    """
    await asyncio.sleep(120)
    for _ in range(8):
        world.hosts["centre"].pause()
        await asyncio.sleep(300)
        world.hosts["centre"].resume()
        await asyncio.sleep(40)
    # It may be for a moment only, before it heard what waits: so the log is asked, not the view.
    if blamed := sum(world.audit.count_events(each) for each in SILENCES):
        world.violate(f"the centre paused, and blamed others {blamed} times")


async def empty_broker(world: "World") -> None:
    """Kill the broker six times with everything it holds: all nodes are fresh within a minute."""
    await asyncio.sleep(60)
    for _ in range(6):
        world.hosts["hub-0"].kill()
        await asyncio.sleep(1)
        world.hosts["hub-0"].start()
        at_ms = world.centre.host.clock.wall_ms()
        await asyncio.sleep(60)
        stale = [n.node for n in world.centre.view.nodes.values() if (n.heard_ms or 0) < at_ms]
        if stale:
            world.violate(f"a minute after the broker came back {stale} were not heard")


async def ending(world: "World") -> None:
    """Tell agents to end in the moments in which their broker dies."""
    for turn in range(3):
        await asyncio.sleep(60)
        world.hosts["hub-0"].kill()
        await asyncio.sleep(turn * 0.004)
        for name in world.nodes:
            world.hosts[name].stop()
        world.hosts["hub-0"].start()
        await asyncio.sleep(STOP_S)
        if left := [name for name in world.nodes if world.hosts[name].is_up]:
            world.violate(f"told to end, and still there: {left}")
        for name in world.nodes:
            world.hosts[name].start()
    await asyncio.sleep(60)
    for name in world.nodes:  # cancelled in the moment their connections end
        world.hosts[name].kill()
    await asyncio.sleep(STOP_S)


async def silent(world: "World") -> None:
    """One node dies, another is cut off, for longer than any random fault: both are told as gone.

    A fault of a random plan ends before a node that is wrongly shown online would be noticed.
    """
    await asyncio.sleep(60)
    dead, *_, away = world.nodes
    world.hosts[dead].kill(power=True)
    await asyncio.sleep(60)
    world.net.cut(away, "hub-0")
    world.net.cut("hub-0", away)
    await asyncio.sleep(FORGOTTEN_S + 60)
    gone = [n.node for n in world.centre.view.nodes.values() if n.presence == "unreachable"]
    if gone != [dead, away]:
        world.violate(f"{dead} and {away} are silent, and these are told as gone: {gone}")


async def dark_carrier(world: "World") -> None:
    """Some of the fleet is cut off at once: one incident and no doubt; then nearly all: a doubt."""
    await asyncio.sleep(150)  # past the start
    service = world.centre.service
    assert service is not None
    gone = list(world.nodes)[:DARK_SITES]
    _cut(world, gone)
    await asyncio.sleep(100)  # a beat, and what makes a node dark
    book = service._book
    _expect_alarms(world, {"280.001": DARK_SITES, "280.802": DARK_SITES})
    incidents = [(each.type, each.sites) for each in book.open_incidents()]
    if incidents != [("280.001", DARK_SITES)]:
        world.violate(f"{DARK_SITES} sites of one carrier are dark, and the incidents {incidents}")
    _cut(world, list(world.nodes)[DARK_SITES:-2])
    await asyncio.sleep(100)
    _expect_alarms(world, {"280.001": DARK_SITES, "280.802": DARK_SITES, "280.808": 1})
    await asyncio.sleep(200)  # nothing is wrong with us: all of them are told
    _expect_alarms(world, {"280.001": len(world.nodes) - 2, "280.802": len(world.nodes) - 2})
    if len(book.open_incidents()) != 1:
        world.violate(f"all is silence, and the incidents are {book.open_incidents()}")


def _cut(world: "World", nodes: list[str]) -> None:
    for node in nodes:
        world.net.cut(node, "hub-0")
        world.net.cut("hub-0", node)


def _expect_alarms(world: "World", wanted: dict[str, int]) -> None:
    service = world.centre.service
    assert service is not None
    rows = service._book.open_alarms()
    found = Counter(row.type for row in rows if row.type in SILENCES)
    if found != wanted:
        world.violate(f"alarms of silence should be {wanted} and are {dict(found)}")


async def full_disks(world: "World") -> None:
    """Fill every disk for a while: agents go on beating, and all they took arrives."""
    await asyncio.sleep(30)
    for host in world.hosts.values():
        host.disk.is_full = True
    await asyncio.sleep(180)
    silent = [n.node for n in world.centre.view.nodes.values() if n.presence != "online"]
    if silent:
        world.violate(f"the disks are full, and {silent} do not beat")
    for host in world.hosts.values():
        host.disk.is_full = False
    await asyncio.sleep(90)


SCENARIOS = (
    (RECEIPTS, receipts),
    (LOST_RECEIPTS, lost_receipts),
    (DROPPED_DELTA, dropped_delta),
    (KEPT, kept_criticals),
    (RETAINED, retained_beat),
    (RESTORED, restored),
    (STORM, storm),
    (CLOCKS, clocks),
    (STOPPED_CENTRE, stopped_centre),
    (EMPTY_BROKER, empty_broker),
    (ENDING, ending),
    (SILENT, silent),
    (DARK, dark_carrier),
    (FULL_DISK, full_disks),
)
