"""Ingest is killed again and again while agents report: nothing receipted is lost or doubled."""

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.broker

PROGRAM = Path(__file__).with_name("ingest_process.py")
KILLS = 8
ITEMS = 4_000  # of each agent, 40 in flight and a pause: they outlast the kills
SEED = 20_261_123


def committed(path):
    with sqlite3.connect(path) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'event'").fetchall():
            return []  # killed before its first migration was through
        rows = connection.execute(
            "SELECT node, CAST(text AS INTEGER) FROM event WHERE kind = 'node' ORDER BY seq"
        ).fetchall()
    connection.close()
    return rows


async def drive(agent, goal, receipted):
    """An agent's outbox: goes on from each receipt's mark, says it again when none comes."""
    mark = 0
    while mark < goal:
        for prev in range(mark, min(mark + 40, goal), 10):
            await agent.say(agent.events(prev, min(10, goal - prev)))
        try:
            async with asyncio.timeout(0.5):
                mark = max(mark, (await agent.receipts.get()).seq)
                while not agent.receipts.empty():
                    mark = max(mark, agent.receipts.get_nowait().seq)
        except TimeoutError:
            pass
        receipted[agent.node] = mark
        await asyncio.sleep(0.08)


@pytest.mark.timeout(300)
async def test_nothing_receipted_is_lost_or_doubled_over_kills(tmp_path, url, broker, run_agents):
    dice = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    print(f"seed {SEED}")
    path = tmp_path / "roost.db"
    receipted = {}

    def start():
        return subprocess.Popen([sys.executable, str(PROGRAM), url, str(broker.port)])

    async with run_agents("a.n1", "b.n1") as both:
        process = start()
        try:
            async with asyncio.TaskGroup() as group:
                for agent in both:
                    group.create_task(drive(agent, ITEMS, receipted))
                for _ in range(KILLS):
                    await asyncio.sleep(dice.uniform(0.8, 1.8))
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    before = committed(path) if path.exists() else []
                    for node, mark in receipted.items():
                        assert len([row for row in before if row[0] == node]) >= mark
                    process = start()
                assert min(receipted.values()) < ITEMS, "the kills hit agents at work"
        finally:
            process.kill()
            process.wait()
    rows = committed(path)
    for agent in both:
        assert [seq for node, seq in rows if node == agent.node] == list(range(1, ITEMS + 1))
