"""Ingest as a process of its own, to be killed: arguments are the database's URL and a port."""

import asyncio
import sys

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.fleet.restore import restore
from roost_central.ingest.config import BrokerAddress, IngestConfig
from roost_central.ingest.service import IngestService
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.storage.engine import Database


async def main(url, port):
    clock = SystemClock()
    database = await Database.open(url, clock=clock)
    async with database.read() as connection:
        view = await restore(connection)
    address = BrokerAddress.parse("b1", f"mqtt://127.0.0.1:{port}")
    config = IngestConfig(brokers=(address,), admit="loopback")
    await IngestService(
        database,
        view,
        clock,
        SystemEntropy(),
        config,
        book=AlarmBook(shipped(), view, database, clock),
    ).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
