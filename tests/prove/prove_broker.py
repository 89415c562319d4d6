"""Proof: a broker that is killed and comes back empty costs a minute at most, and nothing else."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from broker import Broker
from central_process import CentralProcess
from proof import Proof
from waiting import wait_until

CYCLES = 20
SITES, NODES = 100, 2
INTERVAL_S = 10
CHURN = 300  # changes a minute: reports are in flight when it dies
FRESH_S_MAX = 60.0
PAGE = 1_000  # all of them in one


@contextmanager
def fleet(url: str, seed: int) -> Iterator[None]:
    """Run the simulated fleet."""
    options = {"broker": url, "sites": SITES, "nodes": NODES, "interval": INTERVAL_S}
    more = {"churn": CHURN, "seed": seed % 1_000 + 1, "for": 36_000}
    argv = [text for name, value in (options | more).items() for text in (f"--{name}", str(value))]
    with subprocess.Popen(
        [sys.executable, "-m", "roost_agent", "sim", *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.kill()


def fresh(central: CentralProcess, since: float) -> int:
    """Count the nodes that were heard after a moment and are there, with their inventory known.

    One whose only path was lost again and again is rightly degraded for a while: it is there.
    """
    within_s = time.monotonic() - since
    nodes = central.get(f"/api/v1/nodes?limit={PAGE}")["items"]
    return sum(
        node["presence"] in {"online", "degraded"}
        and node["age_s"] is not None
        and node["age_s"] < within_s
        and node["inventory"] is not None
        and not node["inventory"]["behind"]
        for node in nodes
    )


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Kill the broker again and again; each time wait until all nodes are fresh."""
    cycles = max(1, round(CYCLES * share))
    took_s: list[float] = []
    with tempfile.TemporaryDirectory(prefix="roost-broker-") as name:
        broker = Broker(Path(name))  # keeps nothing on disk: each start is an empty one
        central = CentralProcess(Path(name), broker.url)
        try:
            broker.start()
            central.start()
            central.ready()
            with fleet(broker.url, seed):
                began = time.monotonic()
                wait_until(lambda: fresh(central, began) == SITES * NODES, "the fleet", seconds=120)
                for cycle in range(cycles):
                    took_s.append(_cycle(broker, central))
                    say(f"cycle {cycle + 1}: all fresh after {took_s[-1]:.1f} s")
        finally:
            central.kill()
            broker.kill()
    yield Proof(
        "broker.empty_restart",
        runs=cycles,
        failures=sum(seconds > FRESH_S_MAX for seconds in took_s),
        seed=seed,
        note=f"P11: {SITES * NODES} nodes that beat every {INTERVAL_S} s heard again, inventory "
        f"equal, after {max(took_s):.0f} s at most (bound {FRESH_S_MAX:.0f} s)",
    )


def _cycle(broker: Broker, central: CentralProcess) -> float:
    broker.kill()
    broker.start()
    began = time.monotonic()
    while fresh(central, began) < SITES * NODES and time.monotonic() < began + 2 * FRESH_S_MAX:
        time.sleep(0.5)
    return time.monotonic() - began
