"""Scenarios of local HA in which somebody says again what a node had said."""

import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ha_plan import MQTT_PORT, NETWORKS, Plan, address
from ha_stage import HOLD_S, Scenario, other, taken, takeover_s

from roost_agent.ha.keys import broker_password

REPLAYER = Path(__file__).parents[1] / "support/ha_replayer.py"


def replays(plan: Plan) -> list[Scenario]:
    """Return those in which frames are said again."""
    return [
        Scenario("22 the active node's frames replayed", _replay),
        Scenario("22 a dead node's frames replayed", _replay_dead, 1, takeover_s(plan)),
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
