"""Northbound with one receiver of SNMPv3 traps, as a process that can be killed.

``python snmp_sender.py FOLDER PORT NUMBER`` prints its engine's id, tells of one alarm, and stays.
"""

import asyncio
import sys
from pathlib import Path

from alarm_feed import MemoryFeed, alarm
from snmp_receiver import age_engine
from waiting import until

from roost_central.fleet.view import FleetView
from roost_central.northbound.config import NorthboundConfig, SnmpConfig, SnmpUser
from roost_central.northbound.service import Northbound, Surroundings
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.storage.engine import Database

OLDEST = 100  # restarts; each engine has run for less time than the one before


async def main(folder: Path, port: int, number: int) -> None:
    """Send until killed."""
    clock = SystemClock()
    database = await Database.open(f"sqlite+aiosqlite:///{folder / 'roost.db'}", clock=clock)
    feed = MemoryFeed()
    for before in range(1, number):
        feed.tell("raise", alarm(before))
    who = SnmpUser("3", user="noc", auth_file=folder / "auth", priv_file=folder / "priv")
    receiver = SnmpConfig("nms", "127.0.0.1", port, who, confirmed=False)
    around = Surroundings(feed, FleetView(), database, clock, SystemEntropy(), folder / "noc")
    north = Northbound(NorthboundConfig(snmp=(receiver,)), around)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(north.run())
        await until(lambda: north._port and north._port._engine, "there is an engine")
        print(north._port.engine_id.hex(), flush=True)
        age_engine(north._port._engine, (OLDEST - number) * 1_000)
        if number:
            feed.tell("raise", alarm(number))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
