"""An N+M group on three real nodes: two slots run, and the third node takes what a dead one had."""

import sys
import time
from itertools import pairwise

import pytest
from ha_netns import needs_netns
from ha_netns import site as made

pytestmark = [pytest.mark.netns, needs_netns, pytest.mark.timeout(300)]

WRITER = """
import os, sys, time
node = open("/proc/self/cgroup").read().split("0::")[1].split("/exclusive/")[0].split("/")[-1]
name = os.path.join(sys.argv[1], os.environ["HA_LEASE"])
out = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
while True:
    now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    os.write(out, f"{now} {node} {os.environ['HA_EPOCH']}\\n".encode())
    time.sleep(0.005)
"""
POOL = """
[[group]]
name = "pool"
model = "N+M"
hosts = ["c0", "c1", "w1"]
active = 2
standby = 1
[[service]]
name = "press"
group = "pool"
run = {{start=["{python}", "-S", "{program}", "{folder}"]}}
budget = {{start_s=5, stop_s=0.3}}
"""
SLOTS = ("pool-1", "pool-2")
FRESH_NS = 500_000_000


class Pool:
    """What the slots' services write, each into a file of its own."""

    def __init__(self, folder):
        self.folder = folder / "slots"
        self.folder.mkdir()
        program = folder / "writer.py"
        program.write_text(WRITER)
        self.text = POOL.format(python=sys.executable, program=program, folder=self.folder)

    def lines(self, slot):
        file = self.folder / slot
        rows = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [(int(ns), node, int(epoch)) for ns, node, epoch in rows]

    def placed(self):
        """Slot to the node that writes now."""
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        last = {slot: self.lines(slot)[-1:] for slot in SLOTS}
        return {slot: row[0][1] for slot, row in last.items() if row and now - row[0][0] < FRESH_NS}

    def turns(self, slot):
        """The nodes that ran it, each with its epoch, in their order."""
        return list(dict.fromkeys((node, epoch) for _, node, epoch in self.lines(slot)))

    def overlap_ns(self, slot):
        """For how long two turns of a slot ran at once."""
        turns = {}
        for ns, node, epoch in self.lines(slot):
            first, last = turns.get((node, epoch), (ns, ns))
            turns[node, epoch] = (min(first, ns), max(last, ns))
        return sum(max(0, a[1] - b[0]) for a, b in pairwise(sorted(turns.values())))


@pytest.fixture
def pool(tmp_path):
    return Pool(tmp_path)


@pytest.fixture
def site(tmp_path, pool):
    folder = tmp_path / "site"
    folder.mkdir()
    with made(folder) as site:
        for node in site.nodes.values():
            file = node.folder / "ha.toml"
            file.write_text(file.read_text().replace('witness = "node"\n', "") + pool.text)
        yield site.start()
        assert {slot: pool.overlap_ns(slot) for slot in SLOTS} == dict.fromkeys(SLOTS, 0)


def test_the_standby_takes_the_slot_of_a_node_that_lost_its_power_and_keeps_it(site, pool):
    site.until(lambda: len(pool.placed()) == len(SLOTS), "both slots run")
    first = pool.placed()
    assert len(set(first.values())) == len(SLOTS), "each on a node of its own"
    idle = next(name for name in site.nodes if name not in first.values())
    dead = first["pool-1"]
    site.nodes[dead].power_off()
    now = {"pool-1": idle, "pool-2": first["pool-2"]}
    site.until(lambda: pool.placed() == now, "the one that stood by has its slot")
    site.nodes[dead].start()

    def table():
        told = site.nodes[dead].status()
        return told and {each["lease"]: each.get("slot_of") for each in told["leases"]}

    site.until(lambda: table() and now.items() <= table().items(), "it knows the table")
    site.settled()
    site.until(lambda: pool.placed() == now, "both run on")
    sentences = [node.agent.ask("ha", "explain", "--last", "200") for node in site.nodes.values()]
    assert any(f"pool-1 to {idle}, pool-2 to {first['pool-2']}" in text for text in sentences)
    turns = {slot: [node for node, _ in pool.turns(slot)] for slot in SLOTS}
    assert turns == {"pool-1": [dead, idle], "pool-2": [first["pool-2"]]}, "nothing moved back"
