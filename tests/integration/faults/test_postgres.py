"""The whole centre on PostgreSQL, and the server killed under it."""

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

import postgres_kills
from broker import mosquitto
from central_process import CentralProcess
from postgres import program, running

__all__ = ["mosquitto"]

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.timeout(300)]

KILLS = 3


@pytest.fixture
def server():
    """A server of this test alone: it is killed."""
    if program("initdb") is None:
        pytest.skip("postgresql is not installed")
    with running() as server:
        yield server


@pytest.fixture
def central(tmp_path, mosquitto, server):
    url = server.make_database(postgres_kills.DATABASE)
    central = CentralProcess(tmp_path, mosquitto.url, database=url)
    central.start()
    central.ready()
    yield central
    central.kill()


async def test_it_serves_and_keeps_what_it_receipted_over_kills_of_the_server(
    central, server, mosquitto
):
    tally = await postgres_kills.kill(server, mosquitto.port, KILLS, print)
    assert tally.faults == []
    status = await asyncio.to_thread(central.get, "/api/v1/status")
    assert status["ingest"]["dead_letters"] == 0
    assert status["sites"]["total"] == 1
    page = await asyncio.to_thread(central.get, "/api/v1/events?limit=5")
    assert len(page["items"]) == 5
