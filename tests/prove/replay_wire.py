"""Every message between a centre and its nodes, captured at the broker and said again.

Beats, reports, ends, receipts and orders of two starts of an agent, the first of which ended
without a word. The agent is alive and idle while all of it is said in order, backwards and
shuffled: the database stays as it is, and the agent does no order twice. Then it is killed, and all
of it is said once more: it stays dark.
"""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from between import Between
from fleet_stage import Box
from mqtt_peer import Peer
from replay_state import differences, state
from scene import AgentProgram
from waiting import wait_until

from roost_agent.alarm_types import shipped

SITE, NODE = "wire", "wire.n1"
SETTLE_S = 4.0  # until what was said has had its effect: some beats, and a batch of the centre
KINDS = {"up/beat", "up/report", "up/gone", "down/receipt", "down/order"}
OPEN = {"pending", "ready", "taken"}
DONE = "refresh-inventory, by"
Said = tuple[str, bytes]


class Agent(AgentProgram):
    """``roost-agent run`` that says what it is asked to say, and nothing of the machine's own."""

    def __init__(self, box: Box, folder: Path) -> None:
        super().__init__(folder / "agent.log")
        self._config = folder / "agent.toml"
        off = [f'"{name}"' for name, each in shipped().items() if each.source == "agent"]
        self._config.write_text(
            f'state_dir = "{box.state_dir}"\n[beat]\ninterval_s = 1\n'
            f"[alarms]\noff = [{', '.join(off)}]\n"
        )

    def start(self) -> None:
        """Run."""
        words = (sys.executable, "-m", "roost_agent", "run", "--config", self._config)
        self._launch(*words, in_own_session=True)

    def say(self, *words: str) -> None:
        """Raise or clear an alarm, or tell an event."""
        command = (sys.executable, "-m", "roost_agent", "alarm", *words)
        subprocess.run((*command, "--config", str(self._config)), check=True, timeout=60)


def replayed(
    between: Between, folder: Path, dice: random.Random
) -> Iterator[tuple[str, int, list[str]]]:
    """Yield what was said again, how much of it, and what that changed."""
    stage = between.stage
    stage.add_site(SITE, "n1")
    box = Box(folder / "wire")
    joined = box.join(stage.url, token=stage.token(SITE))
    if joined.returncode:
        raise AssertionError(joined.stderr)
    agent = Agent(box, folder / "wire")
    with ExitStack() as stack:
        stack.callback(agent.kill)
        peer = stack.enter_context(Peer(between.behind.port, None))
        peer.subscribe("#")
        _live(between, agent)
        captured = _captured(peer)
        kinds = {"/".join(topic.split("/")[-2:]) for topic, _ in captured}
        if missing := KINDS - kinds:
            raise AssertionError(f"not captured: {missing}, only {kinds}")
        before, orders = _settled(between), agent.log.read_text().count(DONE)
        for how, again in (
            ("in order", captured),
            ("backwards", captured[::-1]),
            ("shuffled", dice.sample(captured, len(captured))),
        ):
            for topic, payload in again:
                peer.publish(topic, payload)
            faults = differences(before, _settled(between))
            if agent.log.read_text().count(DONE) != orders:
                faults.append("the agent did an order again")
            yield "messages", len(again), [f"{how}: {fault}" for fault in faults]
        agent.kill()
        yield "messages of a dead node", len(captured), _of_the_dead(between, peer, captured)


def _of_the_dead(between: Between, peer: Peer, captured: list[Said]) -> list[str]:
    """Say it all in the name of a node that is dark; return what that changed."""
    wait_until(lambda: _node(between)["presence"] == "unreachable", "it is dark")
    wait_until(lambda: between.stage.central.get(f"/api/v1/sites/{SITE}")["status"] == "unknown",
               "its site is dark")  # fmt: skip
    before, heard = _settled(between), _node(between)["heard"]
    for topic, payload in captured:
        peer.publish(topic, payload)
    faults = differences(before, _settled(between))
    after = _node(between)
    if (after["presence"], after["heard"]) != ("unreachable", heard):
        faults.append(f"a dead node is {after['presence']}, heard at {after['heard']}")
    return faults


def _live(between: Between, agent: Agent) -> None:
    """Have a node do and say what nodes do, in two starts."""
    agent.start()
    _heard(between)
    agent.say("raise", "750.801", "--entity", "app=pump", "--severity", "minor")
    _obeys(between)
    agent.kill()
    wait_until(lambda: _node(between)["presence"] != "online", "its end is heard")
    agent.start()
    _heard(between)
    agent.say("clear", "750.801", "--entity", "app=pump")
    agent.say("raise", "750.801", "--entity", "app=fan", "--severity", "major")
    agent.say("log", "a line")
    _obeys(between)


def _obeys(between: Between) -> None:
    body = {"verb": "refresh-inventory", "given": {"classes": "cpu"}, "life_s": 600}
    order = between.stage.central.post(f"/api/v1/nodes/{NODE}/orders", body)
    path = f"/api/v1/orders/{order['id']}"
    wait_until(lambda: between.stage.central.get(path)["state"] not in OPEN, "an order is done")


def _heard(between: Between) -> None:
    wait_until(lambda: _node(between)["presence"] == "online", "it is heard")


def _node(between: Between) -> dict[str, Any]:
    return dict(between.stage.central.get(f"/api/v1/nodes/{NODE}"))


def _captured(peer: Peer) -> list[Said]:
    """Return all that was said until now."""
    time.sleep(SETTLE_S)
    return [peer.next() for _ in range(peer.came.qsize())]


def _settled(between: Between) -> Any:
    time.sleep(SETTLE_S)
    return state(between.stage.central.data_dir)
