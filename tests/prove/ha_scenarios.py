"""The scenarios of local HA that real processes can play, by the plan of the site they need.

Numbers are the rows of the table in docs/ha.md. An act leaves the site whole, or the stage makes
it so. HOLD_S is longer than the promise: what a fault could bring about, it has by then.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import ha_faults as faults
from ha_plan import MQTT_PORT, NETWORKS, Plan, address
from ha_stage import OVER_S, Scenario, cold_start, other, silent, taken

from roost_agent.ha.keys import broker_password

HOLD_S = 2.2
LOSS_S = 6.0
BRIEF_S = 0.4  # shorter than the time from a renewal's answer to D1
DAY_S = 86_400
SOFT = Plan("fast")
REPLAYER = Path(__file__).parents[1] / "support/ha_replayer.py"


def plans() -> dict[str, tuple[Plan, list[Scenario]]]:
    """Return every stage: its plan and what is played there, in order."""
    hard = replace(SOFT, exclusive="hard")
    walls = replace(SOFT, has_own_wall=True)
    return {
        "crashes": (SOFT, [*_deaths(SOFT), *_agents(SOFT), *_guards(SOFT)]),
        "networks": (SOFT, [*_cuts(SOFT), *_brokers(), *_losses(), *_replays(SOFT)]),
        "disks": (SOFT, _disks(SOFT)),
        "watchdog": (hard, _watchdogs(hard)),
        "ladder": (replace(SOFT, ladder=("restart:1/60", "failover")), _ladder()),
        "stubborn": (replace(SOFT, is_stubborn=True), _orders(SOFT)),
        "clocks": (replace(SOFT, ahead_s=(("c0", DAY_S),)), _clocks(SOFT)),
        "pair": (replace(SOFT, names=("c0", "c1")), _pair()),
        "wall": (walls, _walls()),
        "lan": (replace(SOFT, has_lan=True), _lan(SOFT)),
    }


def _bound_s(plan: Plan) -> float:
    return plan.promise_s + OVER_S


# -- crashes ---------------------------------------------------------------------------------------


def _deaths(plan: Plan) -> list[Scenario]:
    bound_s = _bound_s(plan)
    return [
        Scenario("1 service killed", _kill_service, bound_s=1.0),
        Scenario("3 25 active node killed, it returns", _power_off, 1, bound_s),
        Scenario("6 standby killed", _power_off_standby),
        Scenario("23 cold start", _cold_start, None),
        Scenario("28 switchover", _switchover, 1, 1.0),
    ]


def _kill_service(site: Any, active: str) -> None:
    killed = site.oracle.pid
    os.kill(killed, signal.SIGKILL)
    site.until(lambda: site.active() == active and site.oracle.pid != killed, "it runs again")


def _power_off(site: Any, active: str) -> None:
    site.nodes[active].power_off()
    taken(site, active)
    site.nodes[active].start()
    time.sleep(1)  # it is back, and takes nothing


def _power_off_standby(site: Any, active: str) -> None:
    standby = site.nodes[other(active)]
    standby.power_off()
    time.sleep(HOLD_S)
    standby.start()


def _cold_start(site: Any, _active: str) -> None:
    cold_start(site)
    site.until(site.active, "the group runs")


def _switchover(site: Any, active: str) -> None:
    agent = site.nodes[active].agent
    is_done, text = agent.order("ha", "switchover", "main", "--force")  # whoever joined just now
    assert is_done, text
    taken(site, active)


def _agents(plan: Plan) -> list[Scenario]:
    bound_s = _bound_s(plan)
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


def _restart_agent(site: Any, active: str) -> None:
    agent = site.nodes[active].agent
    agent.kill()
    agent.start()
    time.sleep(HOLD_S)


def _guards(plan: Plan) -> list[Scenario]:
    return [
        Scenario("34 guard killed and started again", _restart_guard),
        Scenario("34 guard stopped", _stop_guard, 1, _bound_s(plan) + 1),  # lost after 1 s
    ]


def _restart_guard(site: Any, active: str) -> None:
    guard = site.nodes[active].guard
    guard.kill()
    guard.start()
    time.sleep(HOLD_S)


def _stop_guard(site: Any, active: str) -> None:
    with faults.stopped(site.nodes[active].guard.pid):
        taken(site, active)


# -- networks --------------------------------------------------------------------------------------


def _cuts(plan: Plan) -> list[Scenario]:
    bound_s = _bound_s(plan)
    return [
        Scenario("7 one network cut for all", _cut_network),
        Scenario("7 one cable of the active node", _cut_cable),
        Scenario("11 16 c0 and c1 apart, w1 hears both", _apart),
        Scenario("12 active node isolated", _isolate, 1, bound_s),
        Scenario("15 active deaf to its peer", _deaf_to_peer),
        Scenario("15 active deaf to all", _deaf, 1, bound_s),
        Scenario("15 active mute", _mute, 1, bound_s),
    ]


def _cut_network(site: Any, _active: str) -> None:
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


def _brokers() -> list[Scenario]:
    return [
        Scenario("8 a broker killed", _kill_broker),
        Scenario("8 a broker stopped", _stop_broker),
        Scenario("9 all brokers stopped", _stop_brokers),
        Scenario("9 UDP only", _udp_only),
        Scenario("9 TCP only", _tcp_only),
        Scenario("10 nothing passes", _nothing, None),
    ]


def _broker(site: Any, name: str) -> int:
    told = site.until(lambda: (site.nodes[name].status() or {}).get("broker"), "a broker runs")
    return int(told["pid"])


def _kill_broker(site: Any, active: str) -> None:
    os.kill(_broker(site, active), signal.SIGKILL)
    time.sleep(HOLD_S)


def _stop_broker(site: Any, active: str) -> None:
    with faults.stopped(_broker(site, active)):
        time.sleep(HOLD_S)


def _stop_brokers(site: Any, _active: str) -> None:
    with faults.stopped(_broker(site, "c0"), _broker(site, "c1")):
        time.sleep(HOLD_S)


def _udp_only(site: Any, _active: str) -> None:
    with faults.without_mqtt(site.nodes.values()):
        time.sleep(HOLD_S)


def _tcp_only(site: Any, _active: str) -> None:
    with faults.without_udp(site.nodes.values()):
        time.sleep(HOLD_S)


def _nothing(site: Any, active: str) -> None:
    with faults.deaf(*site.nodes.values()):
        silent(site, active)
    site.until(site.active, "the group runs again")


def _losses() -> list[Scenario]:
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


def _replays(plan: Plan) -> list[Scenario]:
    return [
        Scenario("22 the active node's frames replayed", _replay),
        Scenario("22 a dead node's frames replayed", _replay_dead, 1, _bound_s(plan)),
    ]


def _replay(site: Any, active: str) -> None:
    with replaying(site, active):
        time.sleep(HOLD_S)


def _replay_dead(site: Any, active: str) -> None:
    with replaying(site, active):
        site.nodes[active].power_off()
        taken(site, active)
        site.nodes[active].start()
        time.sleep(1)


@contextmanager
def replaying(site: Any, victim: str, seconds: float = 1.5) -> Iterator[None]:
    """Have what a node said of late said again by somebody who may log in as it."""
    broker = other(victim)
    pairs = {
        frozenset(names.split(":")): bytes.fromhex(key)
        for names, key in tomllib.loads(site.keys)["pairs"].items()
    }
    logins = {
        role: [f"lab.{name}", broker_password(pairs[frozenset({name, broker})], broker)]
        for role, name in (("reader", "w1"), ("writer", victim))
    }
    host = address(NETWORKS[1], site.nodes[broker].index)
    asked = {"host": host, "port": MQTT_PORT, "seconds": seconds, **logins}
    space = f"--net=/run/netns/{site.nodes['w1'].space}"
    process = subprocess.Popen(
        ("nsenter", space, sys.executable, str(REPLAYER)),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.close()
        recorded = process.stdout.readline().strip()
        assert recorded not in {"", "0"}, "nothing was recorded"
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


# -- disks -----------------------------------------------------------------------------------------


def _disks(plan: Plan) -> list[Scenario]:
    return [
        Scenario("27 the witness's disk read-only", _read_only, 1, 1.0),
        Scenario("27 the witness's disk read-only, active node killed", _read_only_dead, None),
        Scenario("31 a voter's disk put back", _put_back),
    ]


def _read_only(site: Any, active: str) -> None:
    witness = site.nodes["w1"]
    witness.set_disk("ro")
    try:
        _switchover(site, active)  # a new epoch: two others are enough
        site.until(lambda: "400.807" in witness.alarms(), "the witness says that it abstains")
    finally:
        witness.set_disk("rw")
    time.sleep(1)
    assert site.active() == other(active), "it stays"


def _read_only_dead(site: Any, active: str) -> None:
    """Without the witness's vote there is no majority: nobody runs, then the one that may."""
    witness = site.nodes["w1"]
    witness.set_disk("ro")
    try:
        site.nodes[active].power_off()
        time.sleep(HOLD_S * 2)
        assert site.active() is None, "one vote of three is no majority"
    finally:
        witness.set_disk("rw")
    site.nodes[active].start()
    site.until(site.active, "the group runs again")


def _put_back(site: Any, _active: str) -> None:
    witness = site.nodes["w1"]
    kept = witness.folder / "kept"
    witness.agent.kill()
    shutil.copytree(witness.folder / "state", kept, ignore=shutil.ignore_patterns("*.sock"))
    for _ in range(2):
        witness.agent.start()
        witness.told()
        time.sleep(1)  # its peers heard of this start
        witness.agent.kill()
    for name in ("ha", "incarnation"):
        _copy(kept / name, witness.folder / "state" / name)
    witness.agent.start()
    site.until(lambda: "400.807" in witness.alarms(), "it says that its disk is older")
    shutil.rmtree(kept)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


# -- plans of their own ----------------------------------------------------------------------------


def _watchdogs(plan: Plan) -> list[Scenario]:
    bound_s = _bound_s(plan)
    return [
        Scenario("3 active node killed, hard", _power_off, 1, bound_s),
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


def _ladder() -> list[Scenario]:
    return [Scenario("2 service killed twice in a minute", _kill_twice, 1, 3.0)]


def _kill_twice(site: Any, active: str) -> None:
    _kill_service(site, active)
    os.kill(site.oracle.pid, signal.SIGKILL)
    taken(site, active)


def _orders(plan: Plan) -> list[Scenario]:
    return [
        Scenario("29 switchover of what ignores SIGTERM", _switchover, 1, plan.promise_s),
        Scenario("29 18 agent stopped, what runs ignores SIGTERM", _stop_agent, 1, _bound_s(plan)),
    ]


def _clocks(plan: Plan) -> list[Scenario]:
    bound_s = _bound_s(plan)
    return [
        Scenario("3 killed, a boot clock a day ahead", _power_off, 1, bound_s),
        Scenario("28 switchover, a boot clock a day ahead", _switchover, 1, 1.0),
    ]


def _walls() -> list[Scenario]:
    return [Scenario("26 wall clock jumps a day and back", _jump)]


def _jump(site: Any, active: str) -> None:
    for ahead in (DAY_S, -DAY_S, 0):
        for node in site.nodes.values():
            node.wall.write_text(str(ahead))
        time.sleep(HOLD_S / 2)
    assert site.active() == active


def _lan(plan: Plan) -> list[Scenario]:
    return [
        Scenario("3 active node killed, TLS", _power_off, 1, _bound_s(plan)),
        Scenario("7 one network cut for all, TLS", _cut_network),
        Scenario("8 a broker killed, TLS", _kill_broker),
        Scenario("9 all brokers stopped, TLS", _stop_brokers),
        Scenario("9 TCP only, TLS", _tcp_only),
    ]


def _pair() -> list[Scenario]:
    return [
        Scenario("14 pair, full cut", _cut_pair),
        Scenario("6 pair, standby killed", _power_off_standby),
        Scenario("5 pair, active node killed, then an operator's word", _operator, 1),
        Scenario("24 pair, cold start without the peer", _alone, None),
        Scenario("28 pair, switchover", _switchover, 1, 1.0),
    ]


def _cut_pair(site: Any, active: str) -> None:
    with faults.unplugged(site.nodes[other(active)]):
        time.sleep(HOLD_S)
        assert site.active() == active, "the incumbent goes on"


def _operator(site: Any, active: str) -> None:
    standby = site.nodes[other(active)]
    site.nodes[active].power_off()
    site.until(lambda: "400.804" in standby.alarms(), "the standby says that it lacks proof")
    assert site.active() is None, "nobody takes over without proof"
    order = ("ha", "takeover", "main")
    assert standby.agent.ask(*order) is None, "not without a word"
    is_done, text = standby.agent.order(*order, "--confirm-peer-off")
    assert is_done, text
    taken(site, active)
    site.nodes[active].start()
    time.sleep(1)


def _alone(site: Any, active: str) -> None:
    for node in site.nodes.values():
        node.power_off()
    site.nodes[active].start()
    site.nodes[active].told()
    time.sleep(HOLD_S)
    assert site.active() is None, "one of two does not start it alone"
    site.nodes[other(active)].start()
    site.until(site.active, "the group runs once both are there")
