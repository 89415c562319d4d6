"""``sim.*``: 50,000 simulated nodes that beat every 30 s, and what they cost one central.

``roost-agent sim`` runs the production cores of every node against a real Mosquitto and a real
central on SQLite; nodes share a few connections. They start within a ramp, each with its first
inventory; once all of it is receipted and every node is online, the steady fleet is watched for
two intervals. The figure is how many nodes are online at the end, 0 where their beats did not come
at their rate.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from central import Central, cpu_s_of, load
from figure import QUICK, Figure
from mosquitto import Mosquitto

SITES = 1_000 if QUICK else 10_000
NODES_A_SITE = 5
NODES = SITES * NODES_A_SITE
CONNECTIONS = 4
INTERVAL_S = 30
RAMP_S = 20 if QUICK else 150
SETTLE_S_MAX = 60 if QUICK else 150
STEADY_S = INTERVAL_S if QUICK else 2 * INTERVAL_S
LOOK_S = 5.0
AT_RATE = 0.95  # of the beats that are due


@dataclass(frozen=True, slots=True)
class Steady:
    """The fleet while nothing happens.

    Attributes:
        online: nodes at the end.
        beats_per_s: that central took in.
        central_cores: of central, as ``sim_cores`` and ``broker_cores`` of theirs.
    """

    online: int
    beats_per_s: float
    central_cores: float
    central_rss_mib: float
    sim_cores: float
    broker_cores: float

    @property
    def is_at_rate(self) -> bool:
        """Whether every node's beats came."""
        return self.beats_per_s >= AT_RATE * NODES / INTERVAL_S


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Start the fleet, let it settle, watch it."""
    with (
        Mosquitto() as broker,
        Central(broker.port) as central,
        simulator(broker.port) as process,
    ):
        ramp = settle(central, process, say)
        steady = watch(central, process, broker.pid)
        said = end(process)
    say(f"{steady}; {said}")
    note = f"{NODES_A_SITE} nodes a site, {NODES // CONNECTIONS:,} nodes a connection, "
    note += f"{steady.beats_per_s:,.0f} beats/s; {ramp}; "
    note += f"{said['waiting']:,} items not receipted at the end; watched {STEADY_S} s; "
    note += f"the simulator takes {steady.sim_cores:.2f} of a core, {said['rss_mib']:.0f} MiB; "
    note += f"the broker {steady.broker_cores:.2f}; {load()}"
    note += "; a smaller fleet" if QUICK else ""
    nodes = steady.online if steady.is_at_rate else 0
    yield Figure("sim.nodes", nodes, "nodes", ">= 50,000", note)
    against = f"{NODES:,} nodes, {NODES / INTERVAL_S:,.0f} beats/s due"
    cores = round(steady.central_cores, 3)
    yield Figure("sim.central_cores", cores, "cores", "<= 0.5", against)
    rss = round(steady.central_rss_mib)
    yield Figure("sim.central_rss_mib", rss, "MiB", "<= 1,024", against)


@contextmanager
def simulator(port: int) -> Iterator[subprocess.Popen[str]]:
    """Run the fleet while the context lasts."""
    asked = {
        "--broker": f"mqtt://127.0.0.1:{port}",
        "--sites": SITES,
        "--nodes": NODES_A_SITE,
        "--interval": INTERVAL_S,
        "--ramp": RAMP_S,
        "--connections": CONNECTIONS,
    }
    argv = [str(word) for pair in asked.items() for word in pair]
    with subprocess.Popen(
        [sys.executable, "-m", "roost_agent", "sim", "--json", *argv],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def settle(central: Central, process: subprocess.Popen[str], say: Callable[[str], None]) -> str:
    """Wait until every node is online and its inventory is on disk; return when, or how far."""
    began = time.monotonic()
    while (spent := time.monotonic() - began) < RAMP_S + SETTLE_S_MAX:
        if process.poll() is not None:
            raise RuntimeError(f"the simulator ended with {process.returncode}")
        status = central.get("/status")
        online, items = status["nodes"]["online"], status["ingest"]["items"]
        if online >= NODES and items >= NODES:
            central.settle()
            return f"all online and receipted after {spent:.0f} s"
        say(seen := f"{online:,} of {NODES:,} nodes online, {items:,} items receipted")
        time.sleep(LOOK_S)
    return f"after {spent:.0f} s {seen}"


def watch(central: Central, process: subprocess.Popen[str], broker: int) -> Steady:
    """Look at what the steady fleet costs."""
    pids = (central.pid, process.pid, broker)
    before = [cpu_s_of(pid) for pid in pids]
    beats, began = central.get("/status")["ingest"]["beats"], time.monotonic()
    time.sleep(STEADY_S)
    seconds = time.monotonic() - began
    status = central.get("/status")
    spent = [cpu_s_of(pid) - was for pid, was in zip(pids, before, strict=True)]
    return Steady(
        online=status["nodes"]["online"],
        beats_per_s=(status["ingest"]["beats"] - beats) / seconds,
        central_cores=spent[0] / seconds,
        central_rss_mib=central.rss_mib(),
        sim_cores=spent[1] / seconds,
        broker_cores=spent[2] / seconds,
    )


def end(process: subprocess.Popen[str]) -> dict[str, float]:
    """Stop the simulator and return what it says it did."""
    process.send_signal(signal.SIGTERM)
    answer: dict[str, float] = json.loads(process.communicate(timeout=60)[0])
    return answer
