"""``api.list_10k_nodes_ms``: one page of the list of 10,000 nodes, while the fleet beats.

A client on loopback that keeps its connection asks for pages of 100 nodes, one after the other:
the first, one from the middle by its cursor, one of a filter that names a region of the fleet, and
one in the order of a value, for which every node is looked at. The figure is the p99 over all of
them; the peer is an answer without a list on the same connection.
"""

import statistics
import time
from collections.abc import Callable, Iterator

from central import Central, load
from figure import QUICK, Figure, percentile
from mosquitto import Mosquitto
from stream import Sender

NODES = 10_000
INTERVAL_S = 30  # of the beats
MEET_PER_S = 5_000
ROUNDS = 100 if QUICK else 500
WARM = 10
FILTERED = "/nodes?filter=node:edge-01*%20presence%3Donline"
SORTED = "/nodes?sort=-heard"


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Ask for each kind of page in turn."""
    with Mosquitto() as broker, Central(broker.port) as central:
        sender = Sender(broker.port, NODES)
        sender.send(MEET_PER_S, NODES / MEET_PER_S)
        with sender.running(NODES // INTERVAL_S, 600):
            kinds = {
                "first page": "/nodes",
                "middle page": f"/nodes?cursor={middle(central)}",
                "filtered": FILTERED,
                "sorted": SORTED,
            }
            took = {name: [] for name in (*kinds, "status")}
            for number in range(WARM + ROUNDS):
                for name, path in (*kinds.items(), ("status", "/status")):
                    spent_ms = ask(central, path)
                    if number >= WARM:
                        took[name].append(spent_ms)
    bare = percentile(took.pop("status"), 99)
    parts = [
        f"{name} {statistics.median(each):.1f} / {percentile(each, 99):.1f}"
        for name, each in took.items()
    ]
    note = (
        f"100 of {NODES:,} nodes, p50 / p99 ms: {', '.join(parts)}; no list: {bare:.1f}; {load()}"
    )
    say(note)
    every = [value for each in took.values() for value in each]
    yield Figure("api.list_10k_nodes_ms", round(percentile(every, 99), 1), "ms", "<= 10", note)


def middle(central: Central) -> str:
    """Return the cursor of a page in the middle of the list."""
    page = central.get("/nodes?limit=1000")
    for _ in range(NODES // 2_000):
        page = central.get(f"/nodes?limit=1000&cursor={page['next']}")
    return str(page["next"])


def ask(central: Central, path: str) -> float:
    """Return how long an answer took to be here, in ms."""
    began = time.perf_counter()
    central.fetch("GET", path)
    return (time.perf_counter() - began) * 1000
