"""The whole centre on PostgreSQL, and the server killed under it."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from broker import mosquitto
from central_process import CentralProcess
from postgres import program, running
from reporters import Reporter, connected
from waiting import until

__all__ = ["mosquitto"]

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300)]

KILLS = 3
DATABASE = "roost"


@pytest.fixture
def server():
    """A server of this test alone: it is killed."""
    if program("initdb") is None:
        pytest.skip("postgresql is not installed")
    with running() as server:
        yield server


@pytest.fixture
def central(tmp_path, mosquitto, server):
    central = CentralProcess(tmp_path, mosquitto.url, database=server.make_database(DATABASE))
    central.start()
    central.ready()
    yield central
    central.kill()


def effects(server, node):
    query = f"SELECT text FROM event WHERE kind = 'node' AND node = '{node}' ORDER BY seq"  # noqa: S608 - ours
    return [int(text) for text in server.sql(query, database=DATABASE).split()]


async def test_it_serves_and_keeps_what_it_receipted_over_kills_of_the_server(
    central, server, mosquitto
):
    nodes = [Reporter("lab.n1"), Reporter("lab.n2")]
    async with connected(mosquitto.port, nodes) as reporters, asyncio.TaskGroup() as group:
        talks = [group.create_task(reporters.talk(node, every_s=0.02)) for node in nodes]
        for _ in range(KILLS):
            before = [node.mark for node in nodes]
            await until(
                lambda was=before: all(n.mark > m + 10 for n, m in zip(nodes, was, strict=True)),
                "progress",
                seconds=90,
            )
            server.stop(signal.SIGKILL)
            promised = [node.mark for node in nodes]
            server.start()
            for node, mark in zip(nodes, promised, strict=True):
                assert len(effects(server, node.node)) >= mark
        for talk in talks:
            talk.cancel()
    status = await asyncio.to_thread(central.get, "/api/v1/status")
    assert status["ingest"]["dead_letters"] == 0
    assert status["sites"]["total"] == 1
    for node in nodes:
        found = effects(server, node.node)
        assert found == list(range(1, len(found) + 1))
    page = await asyncio.to_thread(central.get, "/api/v1/events?limit=5")
    assert len(page["items"]) == 5
