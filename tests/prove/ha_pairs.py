"""Scenarios of local HA on a site of two nodes, where a takeover needs a proof or a word."""

import time
from typing import Any

import ha_faults as faults
from ha_deaths import power_off_standby, switchover
from ha_stage import HOLD_S, LOOK_S, Scenario, other, taken


def pairs() -> list[Scenario]:
    """Return those of a pair of which either waits for the other."""
    return [
        Scenario("14 pair, full cut", _cut_pair),
        Scenario("6 pair, standby killed", power_off_standby),
        Scenario("5 pair, active node killed, then an operator's word", _operator, 1),
        Scenario("24 pair, cold start without the peer", _alone, None),
        Scenario("28 pair, switchover", switchover, 1, 1.0),
    ]


def lonely_pairs() -> list[Scenario]:
    """Return those of a pair whose last holder starts alone."""
    return [
        Scenario("24 pair, cold start of the last holder alone", _last_holder, None),
        Scenario("24 pair, cold start without the last holder", _alone, None),
    ]


def _last_holder(site: Any, active: str) -> None:
    for node in site.nodes.values():
        node.power_off()
    site.nodes[active].start()
    site.until(lambda: site.active() == active, "the last holder starts without the other")
    site.nodes[other(active)].start()
    time.sleep(HOLD_S)
    assert site.active() == active, "it keeps it when the other is back"


def _cut_pair(site: Any, active: str) -> None:
    with faults.unplugged(site.nodes[other(active)]):
        time.sleep(HOLD_S)
        assert site.active() == active, "the incumbent goes on"


def _operator(site: Any, active: str) -> None:
    standby = site.nodes[other(active)]
    site.nodes[active].power_off()
    site.until(lambda: _state(standby, active) == "lost", f"{active} is lost", step_s=LOOK_S)
    time.sleep(HOLD_S)
    assert site.active() is None, "nobody takes over without proof"
    assert "400.804" in standby.alarms(), "the standby says that it lacks proof"
    order = ("ha", "takeover", "main")
    assert standby.agent.ask(*order) is None, "not without a word"
    is_done, text = standby.agent.order(*order, "--confirm-peer-off")
    assert is_done, text
    taken(site, active)
    site.nodes[active].start()
    time.sleep(1)


def _state(node: Any, peer: str) -> str:
    """Return what a node takes another for; empty while its agent does not answer."""
    members = (node.status() or {"members": []})["members"]
    return "".join(each["state"] for each in members if each["node"] == peer)


def _alone(site: Any, active: str) -> None:
    """Start one of two: of a pair that waits either, else the one that did not have it last."""
    first = other(active) if site.plan.starts_alone else active
    for node in site.nodes.values():
        node.power_off()
    site.nodes[first].start()
    site.nodes[first].told()
    time.sleep(HOLD_S)
    assert site.active() is None, "one of two does not start it alone"
    site.nodes[other(first)].start()
    site.until(site.active, "the group runs once both are there")
