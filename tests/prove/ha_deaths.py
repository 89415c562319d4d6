"""Scenarios of local HA in which a node, an agent, a guard or a service dies or is stopped."""

import os
import signal
import time
from typing import Any

import ha_faults as faults
from ha_plan import Plan
from ha_stage import BRIEF_S, HOLD_S, Scenario, cold_start, other, taken, takeover_s


def deaths(plan: Plan) -> list[Scenario]:
    """Return those of a plain site: power lost, a service killed, a switchover."""
    bound_s = takeover_s(plan)
    return [
        Scenario("1 service killed", _kill_service, bound_s=1.0),
        Scenario("3 25 active node killed, it returns", power_off, 1, bound_s),
        Scenario("6 standby killed", power_off_standby),
        Scenario("23 cold start", _cold_start, None),
        Scenario("28 switchover", switchover, 1, 1.0),
    ]


def _kill_service(site: Any, active: str) -> None:
    killed = site.oracle.pid
    os.kill(killed, signal.SIGKILL)
    site.until(lambda: site.active() == active and site.oracle.pid != killed, "it runs again")


def power_off(site: Any, active: str) -> None:
    """Take the power from the active node; the other takes over, and keeps it."""
    site.nodes[active].power_off()
    taken(site, active)
    site.nodes[active].start()
    time.sleep(1)  # it is back, and takes nothing


def power_off_standby(site: Any, active: str) -> None:
    """Take the power from the standby for longer than the promise."""
    standby = site.nodes[other(active)]
    standby.power_off()
    time.sleep(HOLD_S)
    standby.start()


def _cold_start(site: Any, _active: str) -> None:
    cold_start(site)
    site.until(site.active, "the group runs")


def switchover(site: Any, active: str) -> None:
    """Order the group to the other node."""
    agent = site.nodes[active].agent
    is_done, text = agent.order("ha", "switchover", "main", "--force")  # whoever joined just now
    assert is_done, text
    taken(site, active)


def agents(plan: Plan) -> list[Scenario]:
    """Return those in which an agent is stopped or killed."""
    bound_s = takeover_s(plan)
    return [
        Scenario("17 agent stopped briefly", _stop_briefly),
        Scenario("18 agent stopped past the lease", _stop_agent, 1, bound_s),
        Scenario("18 agent killed", _kill_agent, 1, bound_s),
        Scenario("18 agent killed and started again", _restart_agent),
    ]


def _stop_briefly(site: Any, active: str) -> None:
    with faults.stopped(site.nodes[active].agent.pid):
        time.sleep(BRIEF_S)
    time.sleep(HOLD_S)


def _stop_agent(site: Any, active: str) -> None:
    with faults.stopped(site.nodes[active].agent.pid):
        taken(site, active)
    time.sleep(1)


def _kill_agent(site: Any, active: str) -> None:
    site.nodes[active].agent.kill()
    taken(site, active)
    site.nodes[active].agent.start()


def _restart_agent(site: Any, active: str) -> str | None:
    """Start it again at once: an agent that is back within half a lease stops nothing (I17)."""
    node, half_s = site.nodes[active], site.plan.timing.lease_ms / 2_000
    killed_s = time.monotonic()
    node.agent.kill()
    node.agent.start()
    node.told()
    away_s = time.monotonic() - killed_s
    time.sleep(HOLD_S)
    return f"it was back after {away_s:.2f} s only" if away_s > half_s else None


def guards(plan: Plan) -> list[Scenario]:
    """Return those in which a guard is."""
    return [
        Scenario("34 guard killed and started again", _restart_guard),
        Scenario("34 guard stopped", _stop_guard, 1, takeover_s(plan) + 1),  # lost after 1 s
    ]


def _restart_guard(site: Any, active: str) -> None:
    guard = site.nodes[active].guard
    guard.kill()
    guard.start()
    time.sleep(HOLD_S)


def _stop_guard(site: Any, active: str) -> None:
    with faults.stopped(site.nodes[active].guard.pid):
        taken(site, active)


def watchdogs(plan: Plan) -> list[Scenario]:
    """Return those of a site whose watchdogs bite."""
    bound_s = takeover_s(plan)
    return [
        Scenario("3 active node killed, hard", power_off, 1, bound_s),
        Scenario("19 active node frozen", _freeze, 1, bound_s),
        Scenario("19 agent and guard stopped", _stop_both, 1, bound_s),
        Scenario("19 agent and guard killed", _kill_both, 1, bound_s),
        Scenario("34 guard killed and started again, hard", _restart_guard),
    ]


def _freeze(site: Any, active: str) -> None:
    with faults.frozen(site.nodes[active]):
        _bitten(site, active)
    site.nodes[active].start()


def _bitten(site: Any, active: str) -> None:
    node = site.nodes[active]
    before = node.watchdog.bites
    taken(site, active)
    assert node.watchdog.bites == before + 1, "the watchdog reset the node"
    node.power_off()


def _stop_both(site: Any, active: str) -> None:
    node = site.nodes[active]
    with faults.stopped(node.agent.pid, node.guard.pid):
        _bitten(site, active)
    node.start()


def _kill_both(site: Any, active: str) -> None:
    node = site.nodes[active]
    node.guard.kill()
    node.agent.kill()
    _bitten(site, active)
    node.start()


def ladders() -> list[Scenario]:
    """Return those in which a service fails until its ladder moves it."""
    name = "2 service killed twice in a minute"
    return [Scenario(name, _kill_twice, 1, 3.0, is_fresh=True)]


def _kill_twice(site: Any, active: str) -> None:
    _kill_service(site, active)
    os.kill(site.oracle.pid, signal.SIGKILL)
    taken(site, active)


def orders(plan: Plan) -> list[Scenario]:
    """Return those of a service that ignores SIGTERM."""
    bound_s = takeover_s(plan)
    return [
        Scenario("29 switchover of what ignores SIGTERM", switchover, 1, plan.promise_s),
        Scenario("29 18 agent stopped, what runs ignores SIGTERM", _stop_agent, 1, bound_s),
    ]


def clocks(plan: Plan) -> list[Scenario]:
    """Return those of a site one of whose nodes' boot clocks is ahead."""
    bound_s = takeover_s(plan)
    return [
        Scenario("3 killed, a boot clock a day ahead", power_off, 1, bound_s),
        Scenario("28 switchover, a boot clock a day ahead", switchover, 1, 1.0),
    ]
