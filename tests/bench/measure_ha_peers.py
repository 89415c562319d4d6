"""Peers of local HA on this machine: keepalived and corosync, broken as a site is.

Same namespaces, bridges and faults as in the parts ``ha`` and ``ha_loss``; what each decided is
read from its own script or log. Neither is told to be safe here: two masters of keepalived's are
two actives, and corosync's membership starts and stops nothing by itself. Pacemaker is not
measured: without a live systemd and a fence it is not what is run.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import ha_faults as faults
from figure import QUICK, Figure, percentile
from ha_netns import WHY_NO_SITE
from ha_oracle import now_ns
from ha_peers import Corosync, Keepalived, Machines, machines, missing
from waiting import wait_until

KILLS = 2 if QUICK else 8
FAULT_S = 5 if QUICK else 10
WATCHED_S = 10 if QUICK else 60
SETTLE_S = 2.0  # between two faults
LOSS = 20
TOKENS_MS = (3_000, 1_000)  # corosync's default, and tuned as its guides do
SLOW_S, FAST_S = 1.0, 0.05  # keepalived's default, and the fastest that is used
HOUR_S = 3_600

Say = Callable[[str], None]


def measure(say: Say) -> Iterator[Figure]:
    """Break keepalived, then corosync."""
    if WHY_NO_SITE:
        say(f"not measured: {WHY_NO_SITE}")
        return
    for program, measured in (("keepalived", of_keepalived), ("corosync", of_corosync)):
        if why := missing(program):
            say(f"not measured: {why}")
        else:
            yield from measured(say)


def of_keepalived(say: Say) -> Iterator[Figure]:
    """Kill the master, lose packets, cut its network."""
    for advert_s, word in ((SLOW_S, "default"), (FAST_S, "fast")):
        with nodes(2) as made:
            peer = Keepalived(made, advert_s)
            for node in made.nodes:
                peer.start(node)
            wait_until(peer.master, "there is a master")
            yield keepalived_kills(peer, word, advert_s, say)
            if advert_s == FAST_S:
                yield keepalived_losses(peer, say)
            else:
                yield keepalived_cut(made, peer, say)


def keepalived_kills(peer: Keepalived, word: str, advert_s: float, say: Say) -> Figure:
    """Kill everything on the master; until the other is one."""
    spent = []
    for number in range(KILLS):
        say(f"keepalived {advert_s} s: failover {number + 1} of {KILLS}")
        master = wait_until(peer.master, "there is one master")
        time.sleep(SETTLE_S)
        killed_ns = now_ns()
        master.power_off()
        (became_ns, _), *_ = wait_until(lambda ns=killed_ns: peer.masters(ns), "a new master")
        spent.append((became_ns - killed_ns) / 1e9)
        peer.start(master)
    note = f"advert_int {advert_s} s; median {percentile(spent, 50):.2f} over {len(spent)}"
    return Figure(
        f"ha.keepalived_failover_{word}_s", round(percentile(spent, 99), 2), "s", "", note
    )


def keepalived_losses(peer: Keepalived, say: Say) -> Figure:
    """Have both nodes lose so much, and count who becomes master."""
    say(f"keepalived: {LOSS} % lost for {WATCHED_S} s")
    time.sleep(SETTLE_S)
    began_ns = now_ns()
    with faults.losing(peer.nodes, LOSS):
        time.sleep(WATCHED_S)
    found = peer.masters(began_ns)
    dual_s = peer.dual_s(began_ns, now_ns())
    note = f"advert_int {FAST_S} s; {len(found)} in {WATCHED_S} s, two masters for {dual_s:.2f} s"
    per_h = len(found) * HOUR_S / WATCHED_S
    return Figure(f"ha.keepalived_false_failovers_per_h_{LOSS}", round(per_h), "1/h", "", note)


def keepalived_cut(made: Machines, peer: Keepalived, say: Say) -> Figure:
    """Cut the network that it speaks on; the other one stands."""
    say("keepalived: its network cut")
    wait_until(peer.master, "there is one master")
    time.sleep(SETTLE_S)
    began_ns = now_ns()
    made.network("mgmt", "down")
    time.sleep(FAULT_S)
    made.network("mgmt", "up")
    wait_until(peer.master, "there is one master again")
    dual_s = peer.dual_s(began_ns, now_ns())
    note = f"advert_int {SLOW_S} s; of two networks the one it speaks on, cut for {FAULT_S} s"
    return Figure("ha.keepalived_one_network_cut_dual_s", round(dual_s, 2), "s", "", note)


def of_corosync(say: Say) -> Iterator[Figure]:
    """Kill a node, cut one of two links."""
    for token_ms, word in zip(TOKENS_MS, ("default", "tuned"), strict=True):
        with nodes(3) as made:
            peer = Corosync(made, token_ms)
            peer.start(made.nodes)
            yield corosync_kills(peer, word, token_ms, say)
            yield corosync_cuts(made, peer, word, token_ms, say)


def corosync_kills(peer: Corosync, word: str, token_ms: int, say: Say) -> Figure:
    """Kill everything on one node; until another forms a membership without it."""
    spent = []
    killed, witness = peer.nodes[0], peer.nodes[1]
    for number in range(KILLS // 2):
        say(f"corosync {token_ms} ms: failover {number + 1} of {KILLS // 2}")
        time.sleep(SETTLE_S)
        since_s = time.time()
        killed.power_off()
        at_s, *_ = wait_until(lambda s=since_s: peer.lost(witness, s), "it is noticed")
        spent.append(at_s - since_s)
        peer.start([killed])
    note = f"token {token_ms} ms, membership alone; median {percentile(spent, 50):.2f}"
    return Figure(f"ha.corosync_failover_{word}_s", round(percentile(spent, 99), 2), "s", "", note)


def corosync_cuts(made: Machines, peer: Corosync, word: str, token_ms: int, say: Say) -> Figure:
    """Cut each network in turn; members that were lost though they lived."""
    lost = 0
    for network in ("mgmt", "cluster"):
        say(f"corosync {token_ms} ms: {network} cut")
        time.sleep(SETTLE_S)
        since_s = time.time()
        made.network(network, "down")
        time.sleep(FAULT_S)
        made.network(network, "up")
        wait_until(peer.is_whole, "all are members again")
        lost += len(peer.lost(peer.nodes[1], since_s)) + len(peer.lost(peer.nodes[2], since_s))
    note = f"token {token_ms} ms, two passive links; one cut after the other, {FAULT_S} s each"
    return Figure(f"ha.corosync_one_network_cut_losses_{word}", lost, "", "", note)


@contextmanager
def nodes(number: int) -> Iterator[Machines]:
    """So many nodes in a folder of their own."""
    with (
        tempfile.TemporaryDirectory(prefix="roost-bench-") as folder,
        machines(Path(folder), number) as made,
    ):
        yield made
