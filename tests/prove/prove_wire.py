"""Proof: real agents and a real centre with a hostile broker between them lose and believe nothing.

The broker has the fleet's own certificate, holds all that was said, and tampers with what it hands
out to the centre and to the agents alike (hostile_broker.py). Each agent's journal holds what it
had on disk. Then the broker turns honest again: all of the journals is in the centre's database,
once, under the node that said it; nothing else is; and an event tells of each node that somebody
spoke in its name.
"""

import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from between import Between
from fleet_stage import Box
from proof import Proof
from prove_hostile import hostile
from scene import AgentProgram
from talking_agent import TYPE
from waiting import wait_until

MESSAGES = 1_000_000
NODES = ("n1", "n2")
PER_S = 1_500  # lies to each reader
SETTLE_S = 120.0
SAY_S = 2.0
FORGED, GAP = "280.814", "280.804"


class Agent(AgentProgram):
    """An enrolled agent that says something fifty times a second."""

    def __init__(self, box: Box, folder: Path) -> None:
        super().__init__(folder / "agent.log")
        self.journal = folder / "journal"
        self._config = folder / "agent.toml"
        self._config.write_text(f'state_dir = "{box.state_dir}"\n[beat]\ninterval_s = 2\n')

    def start(self) -> None:
        """Run."""
        talking = Path(__file__).with_name("talking_agent.py")
        self._launch(sys.executable, talking, self._config, self.journal, in_own_session=True)

    def promised(self) -> set[str]:
        """Everything that was on its disk."""
        return set(self.journal.read_text().split()) if self.journal.exists() else set()


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Let the broker lie, then count."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    wanted = max(5_000, round(MESSAGES * share))
    with tempfile.TemporaryDirectory(prefix="roost-wire-") as text:
        scene = Scene(Path(text), dice)
        with ExitStack() as stack:
            scene.run(stack)
            done = scene.lied_to(say, wanted)
            wrong = scene.wrong(say)
    told = ", ".join(f"{count:,} {name}" for name, count in sorted(done.items()))
    note = f"agents and a centre with such a broker between them: {told}; nothing lost or believed"
    yield Proof("broker.wire", runs=done.total(), failures=len(wrong), seed=seed, note=note)


class Scene:
    """The fleet."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self._fleet = Between(folder, dice, forged=hostile, per_s=PER_S)
        self.stage, self.broker = self._fleet.stage, self._fleet.broker
        self.boxes = {f"edge.{name}": Box(folder / name) for name in NODES}
        self.agents = {node: Agent(box, box.state_dir.parent) for node, box in self.boxes.items()}

    def run(self, stack: ExitStack) -> None:
        """Run all but the fleet's own broker, until the context ends; let the boxes in."""
        self._fleet.run(stack)
        for agent in self.agents.values():
            stack.callback(agent.kill)
        self.stage.add_site("edge", *NODES)
        token = self.stage.token("edge", nodes_max=len(NODES))
        for box in self.boxes.values():
            joined = box.join(self.stage.url, token=token)
            if joined.returncode:
                raise AssertionError(joined.stderr)
        for agent in self.agents.values():
            agent.start()
        wait_until(lambda: len(self.effects()) == len(self.agents), "the agents are heard")

    def lied_to(self, say: Callable[[str], None], wanted: int) -> Counter[str]:
        """Return what the broker did; at the end it is honest, and what was promised is there."""
        self.broker.is_hostile = True
        while self.broker.messages < wanted:
            time.sleep(SAY_S)
            say(f"{self.broker.messages:,} of {wanted:,}")
        self.broker.is_hostile = False
        self.promised = {node: agent.promised() for node, agent in self.agents.items()}
        deadline = time.monotonic() + SETTLE_S
        while self.lost() and time.monotonic() < deadline:
            time.sleep(0.5)
        return self.broker.done

    def effects(self) -> dict[str, Counter[str]]:
        """How often each thing that was said took effect, by node."""
        found: dict[str, Counter[str]] = {}
        for node, text in self._events(TYPE):
            found.setdefault(node, Counter())[text] += 1
        return found

    def lost(self) -> list[str]:
        """What was promised and is neither there nor told to be gone."""
        there = self.effects()
        return [
            f"{node}: {len(missing)} lost, {min(missing)} the first"
            for node, promised in self.promised.items()
            if (missing := promised - there.get(node, Counter()).keys())
        ]

    def wrong(self, say: Callable[[str], None]) -> list[str]:
        """Everything that must not be."""
        found = self.lost()
        for node, texts in self.effects().items():
            said = self.agents[node].promised() if node in self.agents else set()
            found += [f"{node}: {text} was never said" for text in texts.keys() - said]
            found += [f"{node}: {text} took effect {n} times" for text, n in texts.items() if n > 1]
        gaps = list(self._events(GAP))
        found += [f"a gap of {node}: {text}" for node, text in gaps]
        told = {node for node, _ in self._events(FORGED)}
        found += [f"nothing tells that {node} was forged" for node in self.agents.keys() - told]
        for each in found[:20]:
            say(each)
        return found

    def _events(self, type_: str) -> list[tuple[str, str]]:
        with closing(sqlite3.connect(self.stage.central.data_dir / "roost.db", timeout=30)) as base:
            return base.execute("SELECT node, text FROM event WHERE type = ?", [type_]).fetchall()
