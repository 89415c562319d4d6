"""Proof: a node whose clock is ten years off, either way, comes back and stays who it is.

Signer, centre, Mosquitto and the agent are the product's own. The clock is the agent's alone, and
its children's (wall_clock.py): it is set while the node is connected, while its broker is gone, and
before the agent starts, and put right again after each. Each time the node is heard, an order of
the centre is done there, an alarm tells of the clock and ends with it, and nobody renewed what had
not ended: by such a clock every certificate has, the one that was just given among them. Each run
has a node of its own, for an alarm that comes and goes twice is held back as flapping.

What a site's own HA does meanwhile is played in ha.scenarios.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fleet_stage import Box, FleetStage
from proof import Proof
from scene import AgentProgram
from waiting import wait_until
from wall_clock import TEN_YEARS_S, WHY_NONE, WallClock

SITE, RUNS_MAX = "far", 6
CLOCK = "100.805"
OPEN = {"pending", "ready", "taken"}
SECONDS = 240.0  # the alarm looks at two minutes of receipts


class Agent(AgentProgram):
    """``roost-agent run`` by a clock of its own."""

    def __init__(self, box: Box, folder: Path) -> None:
        super().__init__(folder / "agent.log")
        self.clock = WallClock(folder / "wall")
        self._config = folder / "agent.toml"
        self._config.write_text(f'state_dir = "{box.state_dir}"\n[beat]\ninterval_s = 1\n')

    def start(self) -> None:
        """Run."""
        words = (sys.executable, "-m", "roost_agent", "run", "--config", self._config)
        self._launch(*words, env=os.environ | self.clock.environ, in_own_session=True)


class Scene:
    """A centre and a new node of it."""

    def __init__(self, stage: FleetStage, folder: Path) -> None:
        self.stage = stage
        box = Box(folder)
        self.agent = Agent(box, folder)
        joined = box.join(stage.url, token=stage.token(SITE))
        if joined.returncode:
            raise AssertionError(joined.stderr)
        self.node = str(json.loads((box.identity / "identity.json").read_text())["node"])

    @property
    def name(self) -> str:
        """Of the node, in the fleet."""
        return f"{SITE}.{self.node}"

    def begin(self) -> None:
        """Hear the node."""
        self.agent.start()
        self.until(lambda: self.stage.states(self.name) == {1: "active"}, "its key is heard")

    def steps(self, ahead_s: int) -> None:
        """Nothing but the clock changes."""
        self.agent.clock.set(ahead_s)

    def is_cut_off(self, ahead_s: int) -> None:
        """The broker goes, and comes back to another clock."""
        self.stage.broker.kill()
        self.until(lambda: self._node()["presence"] != "online", "it is not heard")
        self.agent.clock.set(ahead_s)
        self.stage.broker.start()

    def starts(self, ahead_s: int) -> None:
        """The agent starts by this clock."""
        self.agent.kill()
        self.agent.clock.set(ahead_s)
        self.agent.start()

    def holds(self, *, is_off: bool) -> None:
        """Wait until the node does what it is told, and is as it was."""
        self.until(lambda: self._node()["presence"] == "online", "it is heard")
        self._obeys()
        self.until(lambda: (CLOCK in self._alarms()) is is_off, f"{CLOCK}: {is_off}")
        if (states := self.stage.states(self.name)) != {1: "active"}:
            raise AssertionError(f"its identity: {states}")

    def until(self, look: Callable[[], object], what: str) -> None:
        """Wait; what does not come is told with the agent's log."""
        try:
            wait_until(look, what, seconds=SECONDS)
        except AssertionError as err:
            log = self.agent.log.read_text()[-1_500:]
            raise AssertionError(f"{err}; {log}") from None

    def _obeys(self) -> None:
        body = {"verb": "refresh-inventory", "given": {"classes": "cpu"}, "life_s": 600}
        order = self.stage.central.post(f"/api/v1/nodes/{self.name}/orders", body)
        found: dict[str, Any] = {}

        def is_over() -> bool:
            found.update(self.stage.central.get(f"/api/v1/orders/{order['id']}"))
            return found["state"] not in OPEN

        self.until(is_over, "an order is done")
        if found["state"] != "done":
            raise AssertionError(f"an order: {found['state']}, {found['text']}")

    def _node(self) -> dict[str, Any]:
        return dict(self.stage.central.get(f"/api/v1/nodes/{self.name}"))

    def _alarms(self) -> set[str]:
        rows = self.stage.central.get(f"/api/v1/alarms?filter=node={self.name}")["items"]
        return {row["type"] for row in rows}


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Set the clock in each way at each time; a share leaves out ways."""
    if WHY_NONE:
        say(f"skipped: {WHY_NONE}")
        yield Proof("clock.node", 0, 0, seed, f"skipped: {WHY_NONE}")
        return
    ways = [
        (way, ahead_s)
        for way in (Scene.is_cut_off, Scene.starts, Scene.steps)
        for ahead_s in (TEN_YEARS_S, -TEN_YEARS_S)
    ][: max(2, round(RUNS_MAX * share))]
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="roost-clock-") as text:
        stage = FleetStage(Path(text))
        with stage.running():
            stage.add_site(SITE, *(f"n{number}" for number in range(RUNS_MAX)))
            for number, (way, ahead_s) in enumerate(ways):
                why = _played(Scene(stage, Path(text) / f"box{number}"), way, ahead_s)
                what = f"{way.__name__} {ahead_s:+d} s"
                say(f"{what}: {why or 'held'}")
                wrong += [f"{what}: {why}"] if why else []
    note = "a node's clock set ten years off: heard, obeying, alarmed, not renewed, and well after"
    yield Proof("clock.node", len(ways), len(wrong), seed, "; ".join([note, *wrong[:1]])[:400])


def _played(scene: Scene, way: Callable[[Scene, int], None], ahead_s: int) -> str:
    """Set the clock, look, put it right and look; return what was wrong."""
    try:
        scene.begin()
        way(scene, ahead_s)
        scene.holds(is_off=True)
        scene.agent.clock.set(0)
        scene.holds(is_off=False)
    except AssertionError as err:
        return str(err)
    finally:
        scene.agent.kill()
        scene.agent.clock.close()
    return ""
