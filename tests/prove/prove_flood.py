"""Proof: a node that floods the centre slows nobody else down by more than a fifth."""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from broker import Broker
from central_process import CentralProcess
from proof import Proof
from reporters import Reporter, Reporters, connected
from waiting import until

HERE = Path(__file__).parent
OTHERS = 40
EVERY_S = 0.4  # one report of each of the others: 100 a second
RATE = 2_000  # messages a second of the flood: ten times what one topic may say
ROUNDS = 9  # of a calm and a flooded phase: the machine has moods
PHASE_S = 6.0
RATIO_MAX = 1.2
REFUSED_MIN = 0.5  # of the flood: below it, it was none


@contextmanager
def flood(port: int) -> Iterator[None]:
    """Flood until the end of the context, from a process of its own."""
    argv = [sys.executable, HERE / "flooder.py", str(port), "wild.n1", str(RATE)]
    support = os.pathsep.join([str(HERE.parent / "support"), os.environ.get("PYTHONPATH", "")])
    environ = os.environ | {"PYTHONPATH": support}
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, env=environ) as process:
        try:
            yield
        finally:
            process.kill()


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Measure the delays of the others' receipts, calm and flooded by turns."""
    rounds = max(1, round(ROUNDS * share))
    with tempfile.TemporaryDirectory(prefix="roost-flood-") as folder:
        broker = Broker(Path(folder))
        central = CentralProcess(Path(folder), broker.url)
        try:
            broker.start()
            central.start()
            central.ready()
            ratios = asyncio.run(_measure(say, broker.port, central, rounds))
            refused = central.get("/api/v1/status")["ingest"]["refused"].get("flooding", 0)
        finally:
            central.kill()
            broker.kill()
    ratio = statistics.median(ratios)
    was_flood = refused >= REFUSED_MIN * RATE * PHASE_S * rounds
    yield Proof(
        "flood.others_p99",
        runs=rounds,
        failures=int(ratio > RATIO_MAX or not was_flood),
        seed=seed,
        note=f"P9: one node says {RATE:,} reports/s, {refused:,} were cut; the 99th percentile of "
        f"{OTHERS} others' receipts is {ratio:.2f} times the calm one (median of the rounds, "
        f"{min(ratios):.2f} to {max(ratios):.2f}; bound {RATIO_MAX})",
    )


async def _measure(
    say: Callable[[str], None], port: int, central: CentralProcess, rounds: int
) -> list[float]:
    nodes = [Reporter(f"lab{n}.n1") for n in range(OTHERS)]
    ratios = []
    async with connected(port, nodes) as reporters, asyncio.TaskGroup() as group:
        talks = [group.create_task(_talk(reporters, n, node)) for n, node in enumerate(nodes)]
        await until(lambda: all(node.mark > 2 for node in nodes), "the others", seconds=60)
        for number in range(rounds):
            calm = await _phase(nodes)
            with flood(port):
                before = _cut(central)
                await until(lambda was=before: _cut(central) > was, "the flood", seconds=60)
                flooded = await _phase(nodes)
            ratios.append(flooded / calm)
            say(f"round {number + 1}: {calm * 1000:.0f} ms calm, {flooded * 1000:.0f} ms flooded")
        for talk in talks:
            talk.cancel()
    return ratios


async def _talk(reporters: Reporters, number: int, node: Reporter) -> None:
    """Report now and then, each node at a moment of its own."""
    await asyncio.sleep(EVERY_S * number / OTHERS)
    await reporters.talk(node, every_s=EVERY_S)


async def _phase(nodes: list[Reporter]) -> float:
    """Return the 99th percentile of what the receipts took, in seconds."""
    for node in nodes:
        node.delays_s.clear()
    await asyncio.sleep(PHASE_S)
    return statistics.quantiles((d for node in nodes for d in node.delays_s), n=100)[98]


def _cut(central: CentralProcess) -> int:
    return int(central.get("/api/v1/status")["ingest"]["refused"].get("flooding", 0))
