"""Scenarios of local HA in which the network is cut, loses frames, or is without its brokers."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import ha_faults as faults
from ha_plan import Plan
from ha_stage import BRIEF_S, HOLD_S, Scenario, other, silent, taken, takeover_s

LOSS_S = 6.0


def cuts(plan: Plan) -> list[Scenario]:
    """Return those in which links are cut."""
    bound_s = takeover_s(plan)
    return [
        Scenario("7 one network cut for all", cut_network),
        Scenario("7 one cable of the active node", _cut_cable),
        Scenario("11 16 c0 and c1 apart, w1 hears both", _apart),
        Scenario("12 active node isolated", _isolate, 1, bound_s),
        Scenario("15 active deaf to its peer", _deaf_to_peer),
        Scenario("15 active deaf to all", _deaf, 1, bound_s),
        Scenario("15 active mute", _mute, 1, bound_s),
    ]


def cut_network(site: Any, _active: str) -> None:
    """Cut a network for all for longer than the promise."""
    site.network("mgmt", "down")
    time.sleep(HOLD_S)
    site.network("mgmt", "up")


def _cut_cable(site: Any, active: str) -> None:
    site.nodes[active].link("mgmt", "down")
    time.sleep(BRIEF_S)  # longer, and the better connected node is given the group
    site.nodes[active].link("mgmt", "up")
    time.sleep(HOLD_S)


def _apart(site: Any, _active: str) -> None:
    with faults.apart(site.nodes["c0"], site.nodes["c1"]):
        time.sleep(HOLD_S)


def _isolate(site: Any, active: str) -> None:
    with faults.unplugged(site.nodes[active]):
        taken(site, active)
    time.sleep(1)


def _deaf_to_peer(site: Any, active: str) -> None:
    with faults.unheard(site.nodes[active], site.nodes[other(active)]):
        time.sleep(HOLD_S)


def _deaf(site: Any, active: str) -> None:
    with faults.deaf(site.nodes[active]):
        taken(site, active)


def _mute(site: Any, active: str) -> None:
    with faults.mute(site.nodes[active]):
        taken(site, active)


def brokers() -> list[Scenario]:
    """Return those in which brokers, or one way to send, are gone."""
    return [
        Scenario("8 a broker killed", kill_broker),
        Scenario("8 a broker stopped", _stop_broker),
        Scenario("9 all brokers stopped", stop_brokers),
        Scenario("9 UDP only", _udp_only),
        Scenario("9 TCP only", tcp_only),
        Scenario("10 nothing passes", _nothing, None),
    ]


def _broker(site: Any, name: str) -> int:
    told = site.until(lambda: (site.nodes[name].status() or {}).get("broker"), "a broker runs")
    return int(told["pid"])


def kill_broker(site: Any, active: str) -> None:
    """Kill the active node's broker."""
    os.kill(_broker(site, active), signal.SIGKILL)
    time.sleep(HOLD_S)


def _stop_broker(site: Any, active: str) -> None:
    with faults.stopped(_broker(site, active)):
        time.sleep(HOLD_S)


def stop_brokers(site: Any, _active: str) -> None:
    """Stop all brokers for longer than the promise."""
    with faults.stopped(_broker(site, "c0"), _broker(site, "c1")):
        time.sleep(HOLD_S)


def _udp_only(site: Any, _active: str) -> None:
    with faults.without_mqtt(site.nodes.values()):
        time.sleep(HOLD_S)


def tcp_only(site: Any, _active: str) -> None:
    """Let no datagram pass for longer than the promise."""
    with faults.without_udp(site.nodes.values()):
        time.sleep(HOLD_S)


def _nothing(site: Any, active: str) -> None:
    with faults.deaf(*site.nodes.values()):
        silent(site, active)
    site.until(site.active, "the group runs again")


def losses() -> list[Scenario]:
    """Return those in which frames are lost."""
    return [
        Scenario("20 10 % lost on every link", _losing(10)),
        Scenario("20 20 % lost on every link", _losing(20)),
        Scenario("21 30 % lost on every link", _losing(30), None),
    ]


def _losing(percent: int) -> Callable[[Any, str], None]:
    def act(site: Any, _active: str) -> None:
        with faults.losing(site.nodes.values(), percent):
            time.sleep(LOSS_S)

    return act
