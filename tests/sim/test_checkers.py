"""What checks a run sees what it is there for: each promise is broken by hand, and must be told.

A run in which nothing is violated shows nothing unless this holds.
"""

import asyncio

import msgpack
import pytest
from sim.checkers import (
    BEATS_MAX,
    FLIGHTS_MAX,
    FORGOTTEN_S,
    PENDING_ITEMS_MAX,
    REPORTS_MAX,
    WIRE_MAX,
)
from sim.oracle import ALARM_TYPE, NUMBERED
from sim.plan import Plan
from sim.world import run

from roost_agent.alarms.table import Raise
from roost_agent.outbox.spool import Batch
from roost_protocol.envelope import Lane
from roost_protocol.severity import Severity

pytestmark = pytest.mark.timeout(600)  # seconds on a quiet machine

ALARM = Raise(ALARM_TYPE, "fs=/other", Severity.MAJOR, "", {"what": "space"})
SMALL = Plan(seed=3, say_every_s=1.0)
SAID_S = 60.0  # the node says things on both lanes
HEARD_S = 90.0  # then they arrive, and the centre no longer suspects itself


def told(break_it):
    """Return what is told of a fleet of one node when ``break_it(world)`` has its way with it."""

    async def script(world):
        await said_and_heard(world)
        assert not world.violations
        break_it(world)

    return " | ".join(run(SMALL, script).violations)


async def said_and_heard(world):
    """Let the node talk, and let all of it arrive."""
    await asyncio.sleep(SAID_S)
    the(world)[0].busy = False
    await asyncio.sleep(HEARD_S)


def the(world):
    """Return the one node, its name, and what was said of it."""
    (name,) = world.nodes
    return world.nodes[name], name, world.oracle.nodes[name]


# -- what the centre keeps ---------------------------------------------------------------------

FIRST = "SELECT min(seq) FROM event WHERE type = ?"
STORED = {
    "took effect twice": "INSERT INTO event SELECT seq + 10000, at_ms, received_ms, site, node,"
    " kind, type, severity, entity, text, params FROM event WHERE seq = :first",
    "took effect after": "UPDATE event SET seq = seq + 10000 WHERE seq = :first",
    "has not kept": "DELETE FROM event WHERE seq = :first",
    "which was never said": "UPDATE mark SET seq = seq + 1000",
    "none that it told": "UPDATE node SET inventory_digest = x'0102030405060708'",
    "not those of its digest": "DELETE FROM inventory_section WHERE section = 'nic'",
}


@pytest.mark.parametrize("what", STORED)
def test_a_centre_that_keeps_something_else_is_seen(what):
    def break_it(world):
        world.audit.restored()  # look at everything anew
        first = world.audit._one(FIRST, (NUMBERED["bulk"],))
        world.audit._connection().execute(STORED[what], {"first": first})
        world.audit.look()

    assert what in told(break_it)


def test_an_effect_that_nobody_caused_is_seen():
    def break_it(world):
        the(world)[2].offered.clear()
        world.audit.restored()
        world.audit.look()

    assert "never said" in told(break_it)


def test_a_stream_that_nobody_began_is_seen():
    def break_it(world):
        world.oracle.streams.clear()
        world.audit.look()

    assert "has a stream of" in told(break_it)


# -- receipts ----------------------------------------------------------------------------------


def receipt(world, **more):
    """Return the receipt that the node would get, with ``more`` in it."""
    node, name, _ = the(world)
    counts = node.driver.spool.lanes[Lane.BULK]
    said = {"node": name, "lane": "bulk", "stream": counts.stream, "seq": counts.mark}
    return msgpack.packb(said | {"central_epoch": counts.epoch} | more)


def test_a_sound_receipt_is_none_of_our_business():
    assert told(lambda world: world.audit.receipt(receipt(world))) == ""


@pytest.mark.parametrize(
    ("more", "what"),
    [({"seq": 10**6}, "on disk is"), ({"central_epoch": b"another!"}, "another epoch")],
)
def test_a_receipt_for_what_is_not_on_disk_is_seen(more, what):
    assert what in told(lambda world: world.audit.receipt(receipt(world, **more)))


def test_a_mark_that_goes_back_is_seen():
    def break_it(world):
        world.audit.receipt(receipt(world))
        world.audit._connection().execute("UPDATE mark SET seq = seq - 1")
        world.audit.receipt(receipt(world, seq=1))

    assert "went back to" in told(break_it)


# -- what nodes say ----------------------------------------------------------------------------


def report(*items, prev, stream=b"another-stream!!"):
    """Return a report's bytes."""
    return msgpack.packb({"lane": "bulk", "stream": stream, "prev": prev, "items": list(items)})


def item(seq, number, kind="event"):
    """Return an item that carries a number."""
    body = msgpack.packb({"type": NUMBERED["bulk"], "params": {"n": number}})
    return [seq, kind, 0, body]


def gap(first, last):
    """Return an item that owns to what is not there any more."""
    return [last, "gap", 0, msgpack.packb({"first": first, "last": last})]


@pytest.mark.parametrize(
    ("reports", "what"),
    [
        ([report(item(1, 7), item(2, 8), prev=0)] * 2, ""),
        ([report(item(1, 7), item(3, 8), prev=0)], "left a hole between 1 and 3"),
        ([report(gap(1, 4), item(5, 8), prev=0)], ""),
        ([report(gap(2, 4), item(5, 8), prev=0)], "left a hole before 4"),
        ([report(item(1, 7), prev=0), report(item(1, 8), prev=0)], "to two things"),
    ],
)
def test_a_node_whose_numbers_are_not_in_order_is_seen(reports, what):
    def break_it(world):
        for each in reports:
            world.oracle.said(the(world)[1], "x/up/report", each)

    assert what in (all_told := told(break_it))
    assert bool(what) == bool(all_told)


@pytest.mark.parametrize(
    ("incarnation", "n", "what"), [(0, 1, "went back to incarnation"), (1, 1, "twice")]
)
def test_a_beat_that_is_no_news_is_seen(incarnation, n, what):
    def break_it(world):
        _, name, said = the(world)
        beat = {"incarnation": said.incarnation - 1 + incarnation, "n": n, "path": "wan0"}
        world.oracle.said(name, "x/up/beat", msgpack.packb(beat))

    assert what in told(break_it)


# -- bounds and positions ----------------------------------------------------------------------


def _wire(world):
    (wire,) = the(world)[0].driver.wires.values()
    wire._queue.extend([None] * (WIRE_MAX + 1))


def _spool(world):
    driver, batch = the(world)[0].driver, Batch((None,) * (PENDING_ITEMS_MAX + 1), {})
    driver.spool._pending.append(batch)


def _cursor(world):
    lane = the(world)[0].driver._delivery._lanes[Lane.BULK]
    lane.cursor = lane.last + 1


def _flights(world):
    lane = the(world)[0].driver._delivery._lanes[Lane.BULK]
    lane.flights.extend([None] * (FLIGHTS_MAX + 1))


def _beats(world):
    world.centre.service._inbox.beats.extend([None] * (BEATS_MAX + 1))


def _reports(world):
    world.centre.service._inbox.reports.extend([None] * (REPORTS_MAX + 1))


@pytest.mark.parametrize(
    ("overfill", "what"),
    [
        (_wire, "messages wait for wan0"),
        (_spool, "entries wait for the disk"),
        (_cursor, "cursor"),
        (_flights, "in flight"),
        (_beats, "beats, "),
        (_reports, "reports wait"),
    ],
)
def test_a_bound_that_is_passed_is_seen(overfill, what):
    def break_it(world):
        overfill(world)
        for host in world.hosts:
            world.checkers.after_event(host)

    assert what in told(break_it)


# -- the end, and presence ---------------------------------------------------------------------


@pytest.mark.parametrize(("keep", "what"), [(True, "lost criticals"), (False, "and owns to 0")])
def test_what_was_taken_and_never_arrived_is_seen(keep, what):
    def break_it(world):
        world.checkers.final()
        assert not world.violations, "all is said and kept"
        _, name, said = the(world)
        number = world.oracle.offer(name, Lane.ALARM)
        assert number not in said.accepted
        world.oracle.accept(name, number, keep=keep)
        world.checkers.final()

    assert what in told(break_it)


def test_a_node_that_is_shown_online_and_is_silent_is_seen():
    def break_it(world):
        the(world)[2].beat_s = world.loop.time() - FORGOTTEN_S - 1
        world.checkers.periodic()

    assert "is shown online and was silent" in told(break_it)


@pytest.mark.parametrize(
    ("unsettle", "what"),
    [
        (lambda world: the(world)[0].change_hardware(), "another inventory"),
        (lambda world: the(world)[0].driver.alarms.raise_(ALARM), "other alarms than central"),
        (lambda world: the(world)[0].host.kill(), "is not there"),
        (lambda world: world.centre.host.kill(), "the centre is not up"),
        (lambda world: the(world)[0]._say_one(the(world)[0].driver.spool), "something unsaid"),
    ],
)
def test_a_fleet_that_has_not_converged_is_not_taken_for_one_that_has(unsettle, what):
    reasons = []

    async def script(world):
        await said_and_heard(world)
        assert world.checkers.unsettled() == []
        unsettle(world)
        reasons.extend(world.checkers.unsettled())

    outcome = run(SMALL, script)
    assert what in " | ".join(reasons)
    assert not outcome.violations, str(outcome)  # healed, it converges
