"""Northbound, composed: every configured target with its cursor, and what the API shows of them.

A target that fails does so alone: its task is started again with back-off, and nobody waits for it.
Ingest never does: northbound reads what is committed, in its own time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from roost_central.alarms.flat import FlatAlarm
from roost_central.ca.own import OwnCertificate
from roost_central.errors import NotFoundError
from roost_central.fleet.view import FleetView
from roost_central.northbound import prometheus
from roost_central.northbound.alertmanager import AlertmanagerTarget
from roost_central.northbound.config import NOC_NAME, NorthboundConfig
from roost_central.northbound.core import LINE_RETRIES_S, retry_ms
from roost_central.northbound.feed import AlarmFeed, flatten
from roost_central.northbound.mqtt import NocFeed
from roost_central.northbound.noc_broker import NocBroker
from roost_central.northbound.snmp.engine import SnmpPort
from roost_central.northbound.snmp.target import SnmpTarget
from roost_central.northbound.snmp.tree import AlarmTree
from roost_central.northbound.target import Ledger, Target, TargetState, clear_forgotten
from roost_central.northbound.webhook import WebhookTarget
from roost_central.ports import Clock, Entropy
from roost_central.signer.client import Signer
from roost_central.storage import northbound as rows
from roost_central.storage.engine import Database
from roost_protocol.certificate import Holder, Kind

logger = logging.getLogger(__name__)

REVIEW_S: Final = 5.0
TREE_S: Final = 5.0  # the SNMP table is so old at most
BATCH: Final = 500
TEST_S_MAX: Final = 17.0  # longer than a webhook's answer may take, shorter than a console waits


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What northbound lives in.

    Attributes:
        folder: of the NOC's broker.
        signer: who gives its listener a certificate, kept below ``tls_folder``.
    """

    feed: AlarmFeed
    view: FleetView
    database: Database
    clock: Clock
    entropy: Entropy
    folder: Path
    signer: Signer | None = None
    tls_folder: Path | None = None

    def noc_certificate(self) -> OwnCertificate:
        """Return the files of the NOC's broker, which need not be there yet."""
        assert self.signer is not None  # noqa: S101 - a configuration with a fleet has both
        assert self.tls_folder is not None  # noqa: S101 - as above
        holder = Holder(Kind.SERVER, NOC_NAME)
        folder = self.tls_folder / NOC_NAME
        return OwnCertificate(folder, holder, self.signer, self.clock, self.database)


class Northbound:
    """All targets of this process."""

    def __init__(self, config: NorthboundConfig, around: Surroundings) -> None:
        self.states: list[TargetState] = []
        self.is_ready = False  # the cursors are read
        self._config = config
        self._around = around
        self._delays = prometheus.Delays()
        self._tree = AlarmTree()
        self._broker: NocBroker | None = None
        self._port: SnmpPort | None = None
        self._targets: dict[str, Target] = {}
        self._make()
        self._ledger = Ledger(around.database, self.states)

    async def run(self) -> None:
        """Serve every target until cancelled.

        Raises:
            StorageUnavailableError: the cursors cannot be read.
        """
        await self._ledger.load()
        self.is_ready = True
        clear_forgotten(self._around.feed, self.states)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._ledger.run(), name="northbound.ledger")
            tasks.create_task(self._kept("observe", self._observe), name="northbound.observe")
            tasks.create_task(self._review(), name="northbound.review")
            if self._broker is not None:
                tasks.create_task(self._kept("broker", self._run_broker), name="northbound.broker")
            if self._port is not None:
                tasks.create_task(self._kept("snmp", self._run_snmp), name="northbound.snmp")
            for name, target in self._targets.items():
                if not isinstance(target, SnmpTarget):
                    tasks.create_task(self._kept(name, target.run), name=f"northbound.{name}")

    async def test(self, name: str) -> str:
        """Send a test message; returns what went wrong, empty where nothing did.

        A test that fails counts as a failed attempt.

        Raises:
            NotFoundError: there is no such target.
        """
        target = self._targets.get(name)
        if target is None:
            raise NotFoundError("not-found", field="target", got=name)
        try:
            async with asyncio.timeout(TEST_S_MAX):
                error = await target.test()
        except TimeoutError:
            error = "no answer in time"
        if error:
            target.state.failed(error)
        return error

    async def letters(self, limit: int) -> list[rows.Letter]:
        """Return dead letters, newest first."""
        async with self._around.database.read() as connection:
            return await rows.letters(connection, limit)

    def metrics(self) -> str:
        """Return Prometheus' page."""
        around = self._around
        return prometheus.metrics(
            around.feed,
            around.view,
            self.states,
            self._delays,
            with_sites=self._config.site_metrics,
        )

    def discovery(self, port: int) -> list[prometheus.TargetGroup]:
        """Return the targets of Prometheus' HTTP service discovery."""
        return prometheus.discovery(self._around.view, port)

    def _make(self) -> None:
        config, around = self._config, self._around
        clock, entropy = around.clock, around.entropy
        if config.mqtt is not None:
            own = around.noc_certificate() if config.mqtt.domain else None
            self._broker = NocBroker(config.mqtt, around.folder, clock, entropy, own)
            state = self._state("mqtt", "mqtt", config.mqtt.url)
            self._targets["mqtt"] = NocFeed(
                config.mqtt,
                self._broker.password,
                state,
                view=around.view,
                database=around.database,
                clock=clock,
                entropy=entropy,
                root=None if own is None else own.root,
            )
        for hook in config.webhook:
            state = self._state(hook.name, "webhook", _public(hook.url))
            self._targets[hook.name] = WebhookTarget(hook, state, clock=clock, entropy=entropy)
        for each in config.alertmanager:
            state = self._state(each.name, "alertmanager", _public(each.url))
            self._targets[each.name] = AlertmanagerTarget(each, state, clock=clock, entropy=entropy)
        if config.snmp or config.snmp_agent is not None:
            self._port = SnmpPort(
                around.database, clock, entropy, tree=self._tree, agent=config.snmp_agent
            )
            for receiver in config.snmp:
                address = f"udp://{receiver.host}:{receiver.port}"
                state = self._state(receiver.name, f"snmp-v{receiver.who.version}", address)
                self._targets[receiver.name] = SnmpTarget(
                    receiver, state, self._port, clock=clock, entropy=entropy
                )

    def _state(self, name: str, kind: str, address: str) -> TargetState:
        state = TargetState(name, kind, address, self._around.feed, self._around.clock)
        state.take_over(self._around.feed.open_alarms())
        self.states.append(state)
        return state

    async def _kept(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run a part for ever: what it cannot do is logged, told of its target, tried again."""
        failures = 0
        while True:
            try:
                await run()
            except Exception as err:
                failures += 1
                logger.exception("northbound %s failed and is started again", name)
                for state in self.states:
                    if state.name == name or state.kind.startswith(name):
                        state.failed(str(err))
            dice = self._around.entropy.uniform(0, 1)
            await asyncio.sleep(retry_ms(LINE_RETRIES_S, max(1, failures), dice) / 1000)

    async def _run_broker(self) -> None:
        if self._broker is not None:
            await self._broker.run()

    async def _run_snmp(self) -> None:
        """Serve all SNMP with one engine: its boots count for all of it."""
        if self._port is None:
            return
        await self._port.open()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._refresh_tree(), name="northbound.snmp.tree")
                for name, target in self._targets.items():
                    if isinstance(target, SnmpTarget):
                        tasks.create_task(target.run(), name=f"northbound.{name}")
        finally:
            self._port.close()

    async def _refresh_tree(self) -> None:
        """Keep the SNMP table as new as TREE_S, where it is served."""
        feed, seen = self._around.feed, -1
        while self._config.snmp_agent is not None:
            if feed.last_seq != seen:
                seen = feed.last_seq
                alarms = [feed.flat(row, "change", seen) for row in feed.open_alarms()]
                self._tree.refresh(alarms, feed.flat_summary())
            await asyncio.sleep(TREE_S)

    async def _observe(self) -> None:
        """Follow all transitions once: for the delays of the metrics and the event table."""
        feed = self._around.feed
        at = max(0, feed.last_seq - BATCH)
        begun = feed.last_seq
        while True:
            await feed.wait(at)
            changes = await feed.transitions(at, BATCH)
            for change in changes:
                flat = flatten(feed, change)
                if not isinstance(flat, FlatAlarm):
                    continue
                self._tree.happened(flat)
                if change.seq > begun and flat.event in {"raise", "clear"} and not flat.late:
                    self._delays.observe(self._around.clock.wall_ms() / 1000 - flat.ts)
            at = changes[-1].seq if changes else feed.last_seq

    async def _review(self) -> None:
        """Notice targets that have been failing for a minute."""
        while True:
            await asyncio.sleep(REVIEW_S)
            for state in self.states:
                state.review()


def _public(url: str) -> str:
    """Return an address without its path and query: some receivers put their secret there."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
