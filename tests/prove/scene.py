"""One node that has something to say, one broker, one centre: real processes that can be killed."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from broker import Broker
from central_process import CentralProcess
from talking_agent import TYPE

HERE = Path(__file__).parent
SETTLE_S = 120.0  # until all that was promised has arrived: the agent's back-off, and receipts


class TalkingAgent:
    """The agent of talking_agent.py; each start is a new process on the same state."""

    def __init__(self, folder: Path, *brokers: str) -> None:
        self.journal = folder / "journal"
        self.log = folder / "agent.log"
        self.state_dir = folder / "state"
        self._config = folder / "agent.toml"
        self._process: subprocess.Popen[bytes] | None = None
        self._config.write_text(
            f'site = "lab"\nnode = "n1"\nstate_dir = "{self.state_dir}"\n[beat]\ninterval_s = 2\n'
            + "".join(
                f'[[path]]\nname = "wan{n}"\nkind = "wan"\nbroker = "{url}"\n'
                for n, url in enumerate(brokers, 1)
            )
        )

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, HERE / "talking_agent.py", self._config, self.journal],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # its probe child must go with it
            )

    def kill(self) -> None:
        """End it without a word."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

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


class Scene:
    """All three, on a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.broker = Broker(folder)
        self.central = CentralProcess(folder, self.broker.url)
        self.agent = TalkingAgent(folder, self.broker.url)
        self._database = self.central.data_dir / "roost.db"
        self.actors = {"agent": self.agent, "broker": self.broker, "central": self.central}

    def start(self) -> None:
        """Start all three; the broker first, as it stands between them."""
        for actor in (self.broker, self.central, self.agent):
            actor.start()

    def stop(self) -> None:
        """End what runs."""
        for actor in self.actors.values():
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
