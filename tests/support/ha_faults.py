"""Faults of a node or of its networks: each a context, mended when it ends."""

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator
from typing import Any

from ha_plan import MQTT_PORT, NETWORKS, UDP_PORT, address
from waiting import wait_until

TABLE = "roost_fault"
# Sites, nodes and processes are those of ha_netns; it has no types to name.


@contextlib.contextmanager
def dropping(nodes: Iterable[Any], *rules: str, hook: str = "input") -> Iterator[None]:
    """Have the nodes' kernels drop what the rules match."""
    lines = (f"add rule inet {TABLE} way {rule} drop\n" for rule in rules)
    text = (
        f"add table inet {TABLE}\n"
        f"add chain inet {TABLE} way {{ type filter hook {hook} priority 0; }}\n" + "".join(lines)
    )
    with contextlib.ExitStack() as stack:
        for node in nodes:
            node.inside("nft", "-f", "-", text=text)
            stack.callback(node.inside, "nft", "delete", "table", "inet", TABLE)
        yield


def unheard(node: Any, peer: Any) -> contextlib.AbstractContextManager[None]:
    """Have a node hear nothing from one peer, who hears it."""
    return dropping([node], *(f"ip saddr {address(net, peer.index)}" for net in NETWORKS))


@contextlib.contextmanager
def apart(one: Any, other: Any) -> Iterator[None]:
    """Have two nodes not hear each other; everybody else hears both."""
    with unheard(one, other), unheard(other, one):
        yield


def losing(nodes: Iterable[Any], percent: int) -> contextlib.AbstractContextManager[None]:
    """Have every node lose so much of what comes in from the others, at random."""
    return dropping(nodes, f'iifname "e*" numgen random mod 100 < {percent}')


def nothing() -> contextlib.AbstractContextManager[None]:
    """No fault: what others are compared with."""
    return contextlib.nullcontext()


def deaf(*nodes: Any) -> contextlib.AbstractContextManager[None]:
    """Have nodes hear nothing at all; the others hear them."""
    return dropping(nodes, 'iifname "e*"')


def mute(*nodes: Any) -> contextlib.AbstractContextManager[None]:
    """Have nobody hear the nodes, which hear the others."""
    return dropping(nodes, 'oifname "e*"', hook="output")


def without_mqtt(nodes: Iterable[Any]) -> contextlib.AbstractContextManager[None]:
    """Let no broker be reached, from any node, its own included."""
    return dropping(nodes, f"tcp dport {MQTT_PORT}", f"tcp sport {MQTT_PORT}")


def without_udp(nodes: Iterable[Any]) -> contextlib.AbstractContextManager[None]:
    """Let no datagram arrive."""
    return dropping(nodes, f"udp dport {UDP_PORT}")


@contextlib.contextmanager
def unplugged(node: Any) -> Iterator[None]:
    """Pull all of a node's cables."""
    for network in NETWORKS:
        node.link(network, "down")
    try:
        yield
    finally:
        for network in NETWORKS:
            node.link(network, "up")


@contextlib.contextmanager
def stopped(*pids: int) -> Iterator[None]:
    """SIGSTOP processes; what was killed meanwhile is not continued."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def frozen(node: Any) -> Iterator[None]:
    """Freeze everything on a node, as a hypervisor does that still counts its time."""
    freezer = node.cgroups / "cgroup.freeze"
    freezer.write_text("1")
    events = node.cgroups / "cgroup.events"
    wait_until(lambda: "frozen 1" in events.read_text(), f"{node.name} is frozen")
    try:
        yield
    finally:
        freezer.write_text("0")
