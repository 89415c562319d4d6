"""A PostgreSQL server that is killed under a running centre, again and again, as nodes report."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from postgres import Postgres
from reporters import Reporter, connected
from waiting import until

DATABASE = "roost"
EVERY_S = 0.02
BETWEEN = 10  # reports of each node that are receipted between two kills
PROGRESS_S = 90.0  # the centre's pause, the server's recovery, an agent's patience


@dataclass
class Tally:
    """What the kills found."""

    kills: int = 0
    receipts: int = 0
    faults: list[str] = field(default_factory=list)


def effects(server: Postgres, node: str) -> list[int]:
    """Return the numbers of a node's events, in the order in which they took effect."""
    query = f"SELECT text FROM event WHERE kind = 'node' AND node = '{node}' ORDER BY seq"  # noqa: S608 - ours
    return [int(text) for text in server.sql(query, database=DATABASE).split()]


async def kill(server: Postgres, port: int, count: int, say: Callable[[str], None]) -> Tally:
    """Kill the server so often; each time compare what it has with what was receipted.

    Args:
        server: running, a centre's own.
        port: of the broker that the centre hears.
        count: kills.
        say: gets a line of progress now and then.
    """
    nodes = [Reporter("lab.n1"), Reporter("lab.n2")]
    tally = Tally()
    async with connected(port, nodes) as reporters, asyncio.TaskGroup() as group:
        talks = [group.create_task(reporters.talk(node, every_s=EVERY_S)) for node in nodes]
        for _ in range(count):
            await _kill_once(server, nodes, tally)
            if tally.kills % 10 == 0:
                say(f"{tally.kills} kills, {sum(node.mark for node in nodes):,} receipted")
        await _progress(nodes)
        for talk in talks:
            talk.cancel()
    for node in nodes:
        found = effects(server, node.node)
        if found != list(range(1, len(found) + 1)):
            tally.faults.append(f"{node.node}: {len(found)} effects of {len(set(found))} items")
    tally.receipts = sum(node.mark for node in nodes)
    return tally


async def _kill_once(server: Postgres, nodes: list[Reporter], tally: Tally) -> None:
    await _progress(nodes)
    server.stop(signal.SIGKILL)
    promised = {node.node: node.mark for node in nodes}
    await asyncio.to_thread(server.start)
    tally.kills += 1
    for name, mark in promised.items():
        found = len(await asyncio.to_thread(effects, server, name))
        if found < mark:
            tally.faults.append(f"kill {tally.kills}: {name} receipted {mark}, kept {found}")


async def _progress(nodes: list[Reporter]) -> None:
    goals = {node.node: node.mark + BETWEEN for node in nodes}
    await until(
        lambda: all(node.mark > goals[node.node] for node in nodes), "progress", seconds=PROGRESS_S
    )
