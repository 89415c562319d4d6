"""Proof: a PostgreSQL server that is killed under the centre loses nothing that was receipted."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import postgres_kills
from broker import Broker
from central_process import CentralProcess
from postgres import running
from proof import Proof

KILLS = 50


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Kill the server, and count what it kept."""
    kills = max(1, round(KILLS * share))
    with tempfile.TemporaryDirectory(prefix="roost-kills-") as folder, running() as server:
        broker = Broker(Path(folder))
        url = server.make_database(postgres_kills.DATABASE)
        central = CentralProcess(Path(folder), broker.url, database=url)
        broker.start()
        central.start()
        try:
            central.ready()
            tally = asyncio.run(postgres_kills.kill(server, broker.port, kills, say))
        finally:
            central.kill()
            broker.kill()
    for fault in tally.faults[:5]:
        say(fault)
    yield Proof(
        "kills.postgres",
        runs=tally.kills,
        failures=len(tally.faults),
        seed=seed,
        note=f"P3: kill -9 of the PostgreSQL server under a running centre; of "
        f"{tally.receipts:,} receipted items none is lost or has two effects",
    )
