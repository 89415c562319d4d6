"""Nodes with applications that raise alarms, a broker, a centre: real processes that are killed.

What a node holds is read from its own database, what the centre shows from the centre's: neither
is asked for its opinion. A flapping alarm that the centre still shows though its node has let it
go (``held_ms``) is not the node's any more, as in the digest of a beat.
"""

import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import msgspec
from broker import Broker
from central_process import CentralProcess
from scene import AgentProgram
from waiting import wait_until

from roost_agent.alarms.local_client import APP_ALARM, AlarmClient
from roost_agent.alarms.row import load
from roost_central.alarms.row import AlarmRow

NODES = ("alpha.n1", "alpha.n2", "beta.n1")
BEAT_S = 2
BEATS_MAX = 2  # after which the sets are equal
SETTLE_S = 180.0  # until everything said has its receipt: back-off of agents, on a busy machine

Held = tuple[str, str, str, int]  # node, type, entity as the node says it, severity


_alarm = msgspec.msgpack.Decoder(AlarmRow).decode


class AlarmingAgent(AgentProgram):
    """The product's agent, and an application on it that raises alarms by the local API."""

    def __init__(self, folder: Path, node: str, broker: str) -> None:
        super().__init__(folder / f"{node}.log")
        self.node = node
        self.state_dir = folder / node
        self.raised: dict[str, bool] = {}  # what the agent answered for, by entity
        self._app = AlarmClient(str(self.state_dir / "alarm.sock"))
        self._config = folder / f"{node}.toml"
        site, _, name = node.partition(".")
        self._config.write_text(
            f'site = "{site}"\nnode = "{name}"\nstate_dir = "{self.state_dir}"\n'
            f"[beat]\ninterval_s = {BEAT_S}\n"
            f'[[path]]\nname = "wan1"\nkind = "wan"\nbroker = "{broker}"\n'
        )

    def start(self) -> None:
        """Start it."""
        argv = [sys.executable, "-m", "roost_agent", "run", "--config", self._config]
        self._launch(*argv, in_own_session=True)

    def say(self, entity: str, severity: str | None, *, seconds: float = 0.0) -> bool:
        """Raise an alarm, or clear it (None); return whether the agent took it.

        Where it did not answer in time nobody knows: nothing is promised of it until it is said
        again. With ``seconds`` it is tried for so long.
        """
        ends = time.monotonic() + seconds
        while True:
            self.raised.pop(entity, None)
            if severity is None:
                done = self._app.clear_alarm(APP_ALARM, entity)
            else:
                done = self._app.raise_alarm(APP_ALARM, entity, severity, f"{entity} is wrong")
            if done:
                self.raised[entity] = severity is not None
            if done or time.monotonic() >= ends:
                return done
            time.sleep(0.05)

    def forget(self) -> None:
        """Begin with nothing that is to be tried again: an agent that was killed is another."""
        self._app.close()
        self._app = AlarmClient(self._app.path)

    def held(self) -> set[Held]:
        """What it holds, flapping ones too."""
        rows = [load(body) for (body,) in self._select("SELECT row FROM alarm")]
        return {(self.node, row.type, row.entity, int(row.severity)) for row in rows}

    def last(self) -> tuple[bytes, int]:
        """Stream and number of the last thing it said of alarms."""
        found = self._select("SELECT stream, last FROM lane WHERE name = 'alarm'")
        return found[0] if found else (b"", 0)

    def _select(self, query: str) -> list[tuple]:
        return select(self.state_dir / "outbox.db", query)


class AlarmScene:
    """All of them, on a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.broker = Broker(folder)
        self.central = CentralProcess(folder, self.broker.url)
        self.agents = [AlarmingAgent(folder, node, self.broker.url) for node in NODES]
        self.database = self.central.data_dir / "roost.db"
        self.actors = {
            "agent": self.agents,
            "broker": [self.broker],
            "central": [self.central],
        }

    def start(self) -> None:
        """Start all, and return once each node was heard."""
        for actor in (self.broker, self.central, *self.agents):
            actor.start()
        self.central.ready()
        wait_until(self._all_heard, f"beats: {self.central.log}", seconds=SETTLE_S)

    def stop(self) -> None:
        """End what runs."""
        for agent in self.agents:
            agent.forget()
        for actor in (*self.agents, self.central, self.broker):
            actor.kill()

    def shown(self) -> set[Held]:
        """What the centre shows as active of the nodes' alarms."""
        bodies = select(self.database, "SELECT body FROM alarm")
        rows = [_alarm(body) for (body,) in bodies]
        return {
            (row.reporter, row.type, row.said, int(row.severity))
            for row in rows
            if row.reporter and row.state == "active" and row.held_ms is None
        }

    def held(self) -> set[Held]:
        """What the nodes hold."""
        return set().union(*(agent.held() for agent in self.agents))

    def steps(self) -> Counter[tuple[str, str]]:
        """How often each raise and clear of an application's alarm took effect."""
        query = f"SELECT event, body FROM alarm_event WHERE type = '{APP_ALARM}'"  # noqa: S608
        rows = [(event, _alarm(body)) for event, body in select(self.database, query)]
        return Counter((event, row.entity) for event, row in rows if event in {"raise", "clear"})

    def settle(self) -> int:
        """Wait until everything said is committed; return after how many beats the sets are equal.

        More than BEATS_MAX are not waited for.
        """
        wait_until(self._all_committed, f"receipts: {self.central.log}", seconds=SETTLE_S)
        last, beats = self._heard(), Counter[str]()
        while self.shown() != self.held():
            now = self._heard()
            beats.update(node for node, heard in now.items() if heard != last.get(node))
            last = now
            if min(beats[node] for node in NODES) > BEATS_MAX:
                break
            time.sleep(0.1)
        return max(beats.values(), default=0)

    def differences(self) -> list[str]:
        """What the two sides say differently, what was promised and is not so."""
        shown, held = self.shown(), self.held()
        found = [f"only the node has {each}" for each in sorted(held - shown)]
        found += [f"only the centre has {each}" for each in sorted(shown - held)]
        for agent in self.agents:
            stand = {entity for _, type_, entity, _ in agent.held() if type_ == APP_ALARM}
            for entity, is_raised in agent.raised.items():
                if is_raised and entity not in stand:
                    found.append(f"{agent.node} lost {entity}")
        return found

    def _heard(self) -> dict[str, str]:
        items = self.central.get("/api/v1/nodes?limit=100")["items"]
        return {item["node"]: item["heard"] for item in items}

    def _all_heard(self) -> bool:
        return all(self._heard().get(node) for node in NODES)

    def _all_committed(self) -> bool:
        """Whether the centre has all that is in the nodes' alarm lanes, of nodes that it hears."""
        query = "SELECT node, stream, seq FROM mark"
        marks = {(node, stream): seq for node, stream, seq in select(self.database, query)}
        return all(
            marks.get((agent.node, stream), 0) == last
            for agent in self.agents
            for stream, last in [agent.last()]
        )


def select(file: Path, query: str) -> list[tuple]:
    """Read a database of somebody else; nothing where it is not there yet."""
    if not file.exists():
        return []
    with closing(sqlite3.connect(file, timeout=10)) as db:
        try:
            return db.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []  # killed before its first migration ended
