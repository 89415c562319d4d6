"""Local HA of real nodes: how long nobody runs, and what an agent costs.

Three nodes in network namespaces, each with its agent, guard and (two of them) Mosquitto, over two
networks; the `fast` profile. The service writes a line every 5 ms: what is measured is the time
between lines, so it contains the start of a small Python program. The cost is that of the default
profile with five nodes and three paths.
"""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from figure import QUICK, Figure, percentile
from ha_netns import WHY_NO_SITE, Site, site
from ha_oracle import now_ns
from ha_plan import Plan
from measure_agent import compiled
from measure_ha_guard import status, ticks

FAILOVERS = 2 if QUICK else 20
SWITCHOVERS = 3 if QUICK else 20
FAULT_S = 5 if QUICK else 10
WATCHED_S = 5 if QUICK else 60
STEP_S = 0.1  # between two lines: so long the scheduler of a busy machine may take
OTHER = {"c0": "c1", "c1": "c0"}
FIVE = ("c0", "c1", "w1", "w2", "w3")
PEERS = "pacemaker with fencing: 2.35 (tuned), 6.6"


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Break a site again and again, then watch a larger one."""
    if WHY_NO_SITE:
        say(f"not measured: {WHY_NO_SITE}")
        return
    compiled()
    with begun(Plan("fast")) as made:
        yield from disruptions(made, say)
        yield from switchovers(made, say)
        yield from failovers(made, say)
    with begun(Plan(names=FIVE)) as made:
        yield from costs(made, say)


@contextmanager
def begun(plan: Plan) -> Iterator[Site]:
    """A site that runs, in a folder of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="roost-bench-") as folder,
        site(Path(folder), plan) as made,
    ):
        yield made.start()


def failed_over(made: Site, times: int, say: Callable[[str], None]) -> list[float]:
    """Kill all of the active node at once; return the seconds until the other's first line."""
    spent = []
    for number in range(times):
        active = made.settled()
        say(f"failover {number + 1} of {times}, from {active}")
        killed_ns = now_ns()
        made.nodes[active].power_off()
        made.until(lambda active=active: made.active() == OTHER[active], "the other runs it")
        spent.append((made.oracle.first_after(killed_ns, OTHER[active]) - killed_ns) / 1e9)
        made.nodes[active].start()
    return spent


def failovers(made: Site, say: Callable[[str], None]) -> Iterator[Figure]:
    """Lose the active node again and again."""
    spent = failed_over(made, FAILOVERS, say)
    note = f"{PEERS}; median {percentile(spent, 50):.2f} over {len(spent)}"
    yield Figure("ha.failover_fast_p99_s", round(percentile(spent, 99), 3), "s", "<= 2.5", note)
    yield Figure("ha.overlap_ns", made.oracle.overlap_ns(), "ns", "<= 0", "all of these runs")


def switchovers(made: Site, say: Callable[[str], None]) -> Iterator[Figure]:
    """Order the group to the other node."""
    spent = []
    for number in range(SWITCHOVERS):
        active = made.settled()
        say(f"switchover {number + 1} of {SWITCHOVERS}")
        agent = made.nodes[active].agent  # refuses while the other is unwell, as after a stall
        made.until(lambda agent=agent: agent.ask("ha", "switchover", "main", "--force"), "ordered")
        made.until(lambda active=active: made.active() == OTHER[active], "the other runs it")
        last_ns = made.oracle.last_of(active)
        spent.append((made.oracle.first_after(last_ns, OTHER[active]) - last_ns) / 1e6)
    note = f"median {percentile(spent, 50):.0f} over {len(spent)}, with stop and start"
    yield Figure("ha.switchover_p99_ms", round(percentile(spent, 99), 1), "ms", "<= 200", note)


def disruptions(made: Site, say: Callable[[str], None]) -> Iterator[Figure]:
    """Take one network from all, then the active node's broker."""
    active = made.settled()
    say("one network down")
    began_ns = now_ns()
    made.network("mgmt", "down")
    time.sleep(FAULT_S)
    yield disruption("ha.one_network_cut_disruption_s", made, began_ns)
    made.network("mgmt", "up")
    assert made.settled() == active
    say("one broker killed")
    began_ns = now_ns()
    os.kill(made.nodes[active].told()["broker"]["pid"], signal.SIGKILL)
    time.sleep(FAULT_S)
    yield disruption("ha.one_broker_killed_disruption_s", made, began_ns)


def disruption(key: str, made: Site, began_ns: int) -> Figure:
    gap_s = made.oracle.gap_s(began_ns)
    note = f"corosync: 0.25 to 0.6; longest step between two lines {gap_s * 1000:.0f} ms"
    return Figure(key, round(max(0.0, gap_s - STEP_S), 3), "s", "<= 0", note)


def costs(made: Site, say: Callable[[str], None]) -> Iterator[Figure]:
    """Watch the agent of an idle standby."""
    pid = made.nodes[OTHER[made.settled()]].agent.pid
    time.sleep(FAULT_S)  # its first inventory is not what it costs
    say(f"five nodes, three paths, for {WATCHED_S} s")
    before, began = ticks(pid), time.monotonic()
    time.sleep(WATCHED_S)
    percent = 100 * (ticks(pid) - before) / (time.monotonic() - began)
    rss_mib = int(status(pid, "VmRSS")) / 1024
    note = "a standby; corosync 0.5 to 1.2 %, 73 to 96 MB; with pacemaker 193 MB"
    yield Figure("ha.agent_cpu_percent", round(percent, 2), "%", "<= 2", note)
    yield Figure("ha.agent_rss_mib", round(rss_mib, 1), "MiB", "<= 34", note)
