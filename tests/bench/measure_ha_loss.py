"""Local HA of the default profile: a lost node, and takeovers that loss alone brings about.

``ha.failover_default_p99_s``: as ``ha.failover_fast_p99_s``, with the profile that sites are given.
``ha.false_failovers_per_h_*``: three nodes, every one of which loses so many percent of all that
comes in, at random; whoever becomes active anew did so falsely. ``_0``, ``_10`` and ``_20`` have
MQTT paths alone, ``_30`` has UDP too. keepalived beside it loses the same.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import ha_faults as faults
from figure import QUICK, Figure, percentile
from ha_netns import WHY_NO_SITE, Site
from ha_oracle import now_ns
from ha_plan import Plan
from measure_ha import begun, failed_over

FAILOVERS = 2 if QUICK else 10
WATCHED_S = 10 if QUICK else 60
HOUR_S = 3_600


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Kill a node again and again, then lose frames."""
    if WHY_NO_SITE:
        say(f"not measured: {WHY_NO_SITE}")
        return
    with begun(Plan()) as made:
        yield failovers(made, say)
        yield losses(made, 30, say)
    with begun(Plan(has_udp=False)) as made:
        for percent in (0, 10, 20):
            yield losses(made, percent, say)


def failovers(made: Site, say: Callable[[str], None]) -> Figure:
    """Lose the active node again and again."""
    spent = failed_over(made, FAILOVERS, say)
    note = f"pacemaker 6.64; median {percentile(spent, 50):.2f} over {len(spent)}"
    return Figure("ha.failover_default_p99_s", round(percentile(spent, 99), 2), "s", "<= 9", note)


def losses(made: Site, percent: int, say: Callable[[str], None]) -> Figure:
    """Have every node lose so much, and count who becomes active anew."""
    made.settled()
    before, began_ns = len(made.epochs()), now_ns()
    say(f"{percent} % lost on every link, for {WATCHED_S} s")
    with faults.losing(made.nodes.values(), percent) if percent else faults.nothing():
        time.sleep(WATCHED_S)
    found = len(made.epochs()) - before
    paths = "MQTT and UDP" if made.plan.has_udp else "MQTT alone"
    return Figure(
        f"ha.false_failovers_per_h_{percent}",
        round(found * HOUR_S / WATCHED_S),
        "1/h",
        "<= 0",
        f"keepalived, 50 ms: 240 at 20 %; {found} in {WATCHED_S} s, {paths}; "
        f"longest time without an active {made.oracle.gap_s(began_ns):.2f} s",
    )
