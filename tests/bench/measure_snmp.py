"""``snmp.informs_per_s``: SNMPv2c informs that Debian's snmptrapd acknowledged, and how many not.

The receiver's rate is raised to the most that one is sent (150/s), and a burst of ten times the
queue's pace waits. ``snmp.informs_lost`` counts transitions that were neither accepted by the
receiver nor told as held back.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from alarm_feed import MemoryFeed, alarm
from figure import QUICK, Figure
from loopback_ports import free_port
from snmp_receiver import COMMUNITY, TRAPD, Trapd
from waiting import until

from roost_central.fleet.view import FleetView
from roost_central.northbound.config import NorthboundConfig, SnmpConfig, SnmpUser
from roost_central.northbound.service import Northbound, Surroundings
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.storage.engine import Database

BURST = 300 if QUICK else 3_000


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Send one burst to one receiver."""
    if TRAPD is None:
        say("snmptrapd is not installed: nothing is measured")
        return
    with tempfile.TemporaryDirectory() as folder:
        per_s, lost = asyncio.run(_burst(Path(folder)))
    against = f"burst of {BURST:,}, 32 in flight, snmptrapd on the same machine"
    yield Figure("snmp.informs_per_s", round(per_s, 1), "1/s", ">= 100", against)
    yield Figure("snmp.informs_lost", lost, "", "<= 0", against)


async def _burst(folder: Path) -> tuple[float, int]:
    trapd = Trapd(folder, free_port())
    trapd.configure(f"authCommunity log {COMMUNITY}")
    trapd.start()
    community = folder / "community"
    community.write_text(COMMUNITY)
    community.chmod(0o600)
    database = await Database.open(
        f"sqlite+aiosqlite:///{folder / 'roost.db'}", clock=SystemClock()
    )
    feed = MemoryFeed()
    who = SnmpUser("2c", community_file=community)
    receiver = SnmpConfig("bench", "127.0.0.1", trapd.port, who, rate=150, burst=1)
    around = Surroundings(
        feed, FleetView(), database, SystemClock(), SystemEntropy(), folder / "noc"
    )
    north = Northbound(NorthboundConfig(snmp=(receiver,)), around)
    task = asyncio.create_task(north.run())
    try:
        state = north.states[0]
        await until(lambda: state.word == "ok", "the receiver answers", seconds=60)
        began = time.monotonic()
        for number in range(BURST):
            feed.tell("raise", alarm(number))
        while state.cursor < BURST:
            await asyncio.sleep(0.05)
            assert time.monotonic() - began < 600, "the burst does not end"
        spent = time.monotonic() - began
    finally:
        task.cancel()
        await asyncio.wait([task])
        await database.close()
        trapd.stop()
    return BURST / spent, len(set(range(1, BURST + 1)) - set(trapd.seqs()))
