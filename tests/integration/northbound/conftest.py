"""Northbound as a process has it, beside a feed in memory: real brokers, receivers, databases."""

import asyncio
import contextlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from alarm_feed import MemoryFeed
from loopback_ports import free_port
from snmp_receiver import AUTH, COMMUNITY, PRIV, Trapd

from roost_central.fleet.view import FleetView
from roost_central.northbound.config import SnmpUser
from roost_central.northbound.service import Northbound, Surroundings
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.storage.engine import Database


class Rig:
    """A feed, a fleet and a database that outlives the northbound that runs on it."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.feed = MemoryFeed()
        self.view = FleetView()
        self.folder = folder
        self.database = database

    @contextlib.asynccontextmanager
    async def running(self, config, signer=None):
        """Run northbound until the context ends."""
        around = Surroundings(
            self.feed, self.view, self.database, SystemClock(), SystemEntropy(),
            self.folder / "noc", signer, self.folder / "tls",
        )  # fmt: skip
        north = Northbound(config, around)
        task = asyncio.create_task(north.run())
        try:
            yield north
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def secret(self, name: str, text: str) -> Path:
        """A file that only its owner reads."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path


@pytest.fixture
async def rig(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/roost.db"
    database = await Database.open(url, clock=SystemClock())
    yield Rig(tmp_path, database)
    await database.close()


@pytest.fixture
def trapd(tmp_path):
    receiver = Trapd(tmp_path, free_port())
    receiver.configure(
        f"authCommunity log {COMMUNITY}",
        f"createUser noc SHA-256 {AUTH} AES {PRIV}",
        "authUser log noc priv",
    )
    receiver.start()
    yield receiver
    receiver.stop()


@pytest.fixture
def v2c(rig):
    return SnmpUser("2c", community_file=rig.secret("community", COMMUNITY))


@pytest.fixture
def v3(rig):
    auth, priv = rig.secret("auth", AUTH), rig.secret("priv", PRIV)
    return SnmpUser("3", user="noc", auth_file=auth, priv_file=priv)
