"""One node that has something to say, two brokers, one centre: real processes that can be killed.

Two paths, because what is sent again over the other one may come twice.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from broker import Broker
from central_process import CentralProcess
from program import Program
from talking_agent import TYPE

HERE = Path(__file__).parent
BROKERS = 2
SETTLE_S = 120.0  # until all that was promised has arrived: the agent's back-off, and receipts


class AgentProgram(Program):
    """An agent, which has children; each start is a new process on the same state."""

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it without a word, and its probe child with it."""
        if self._process is not None:
            os.killpg(self._process.pid, number)
        super().kill(number)


class TalkingAgent(AgentProgram):
    """The agent of talking_agent.py."""

    def __init__(self, folder: Path, *brokers: str) -> None:
        super().__init__(folder / "agent.log")
        self.journal = folder / "journal"
        self.state_dir = folder / "state"
        self._config = folder / "agent.toml"
        self._config.write_text(
            f'site = "lab"\nnode = "n1"\nstate_dir = "{self.state_dir}"\n[beat]\ninterval_s = 2\n'
            + "".join(
                f'[[path]]\nname = "wan{n}"\nkind = "wan"\nbroker = "{url}"\n'
                for n, url in enumerate(brokers, 1)
            )
        )

    def start(self) -> None:
        """Start it."""
        argv = [sys.executable, HERE / "talking_agent.py", self._config, self.journal]
        self._launch(*argv, in_own_session=True)

    def faults(self) -> list[str] | None:
        """What the agent says is wrong with it; None where it does not answer."""
        done = subprocess.run(
            [sys.executable, "-m", "roost_agent", "status", "--json", "--config", self._config],
            capture_output=True,
            check=False,
            timeout=60,
        )
        answer: dict[str, Any] = json.loads(done.stdout or b"{}")
        return answer.get("faults")

    def promised(self) -> list[str]:
        """Everything that was on its disk."""
        return self.journal.read_text().split() if self.journal.exists() else []


@contextmanager
def repeaters(brokers: list[Broker], seed: int) -> Iterator[None]:
    """Have some of what is said on each broker said twice, until the end of the context."""
    with ExitStack() as stack:
        for broker in brokers:
            argv = [sys.executable, HERE / "repeater.py", str(broker.port), str(seed)]
            process = stack.enter_context(
                subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
            stack.callback(process.kill)
        yield


class Scene:
    """All of them, on a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.brokers = [Broker(folder) for _ in range(BROKERS)]
        urls = [broker.url for broker in self.brokers]
        self.central = CentralProcess(folder, *urls)
        self.agent = TalkingAgent(folder, *urls)
        self._database = self.central.data_dir / "roost.db"
        self.actors = {"agent": [self.agent], "broker": self.brokers, "central": [self.central]}

    def start(self) -> None:
        """Start all; the brokers first, as they stand between the others."""
        for actor in (*self.brokers, self.central, self.agent):
            actor.start()

    def stop(self) -> None:
        """End what runs."""
        for actor in (self.agent, self.central, *self.brokers):
            actor.kill()

    def effects(self) -> Counter[str]:
        """How often each thing said took effect."""
        if not self._database.exists():
            return Counter()
        with closing(sqlite3.connect(self._database, timeout=10)) as db:
            try:
                rows = db.execute("SELECT text FROM event WHERE type = ?", (TYPE,)).fetchall()
            except sqlite3.OperationalError:
                return Counter()  # killed before its first migration ended
        return Counter(text for (text,) in rows)

    def missing(self) -> set[str]:
        """What was promised until now and does not arrive within its time."""
        promised = set(self.agent.promised())
        deadline = time.monotonic() + SETTLE_S
        while (left := promised - self.effects().keys()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return left

    def doubled(self) -> list[str]:
        """What took effect more than once."""
        return [text for text, times in self.effects().items() if times > 1]
