"""``tls.reconnect_10k_s``: 10,000 mTLS nodes back after the fleet's broker was killed.

The broker is ``roost-central broker``, with its lists and rules; signer and centre are processes
too. Each node has a certificate and a report key of its own. Back is a node when a report that it
made after the kill has its receipt: what the centre has committed is no matter of luck. In the end
every node is fresh at the centre, each event is there once, and the alarms that were raised
meanwhile are counted. The nodes share the cores with what they are measured against.
"""

import asyncio
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import uvloop
from ca import DOMAIN, new_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from figure import QUICK, Figure
from fleet_stage import FleetStage
from tls_fleet import Place, TlsNode, context, run
from waiting import wait_until

from roost_central.ca.profiles import Authority, Fresh, leaf
from roost_central.enrol.states import State
from roost_central.ingest_key import ingest_keys
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.storage import tables
from roost_central.storage.engine import Database
from roost_central.storage.identities import IdentityRecord
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import insert_rows
from roost_protocol.certificate import Kind, node_holder
from roost_protocol.seal import report_key
from roost_protocol.topics import split_node_id

NODES = 500 if QUICK else 10_000
A_SITE = 10
SPREAD_S = NODES / 100  # of the first connections
GIVEN_UP_S = 600.0
FILES_SPARE = 1_000


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Kill the broker under them once all are there."""
    _, files_max = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))
    if files_max < NODES + FILES_SPARE:
        raise AssertionError(f"{files_max} open files are too few for {NODES} sessions")
    with tempfile.TemporaryDirectory(prefix="roost-reconnect-") as text:
        stage = FleetStage(Path(text), connections_max=NODES + FILES_SPARE)
        with stage.running():
            trial = Trial(stage, say)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(run(trial.nodes, SPREAD_S, trial.is_over))
            yield trial.figure()


class Trial:
    """The fleet, and where it stands."""

    def __init__(self, stage: FleetStage, say: Callable[[str], None]) -> None:
        self._stage, self._say = stage, say
        self._killed_s = 0.0
        self._began_s = time.monotonic()
        self._raised = 0
        self.nodes = self._made()
        self._began_s = time.monotonic()

    def is_over(self) -> bool:
        """Look; kill the broker once all have been heard."""
        back = sum(node.receipted_s > self._killed_s for node in self.nodes)
        self._say(f"{back:,} of {NODES:,} {'back' if self._killed_s else 'there'}")
        if time.monotonic() - max(self._killed_s, self._began_s) > GIVEN_UP_S:
            raise AssertionError(f"{NODES - back:,} nodes are not there")
        if back < NODES:
            return False
        if self._killed_s:
            return True
        self._raised = self._transitions()
        self._say("the broker is killed")
        self._stage.broker.kill()
        self._killed_s = time.monotonic()
        self._stage.broker.start()
        return False

    def figure(self) -> Figure:
        """Return what came of it."""
        took_s = max(node.receipted_s for node in self.nodes) - self._killed_s
        wait_until(self._all_fresh, "every node is online", seconds=60)
        with closing(sqlite3.connect(self._stage.central.data_dir / "roost.db")) as base:
            [(events, once)] = base.execute(
                "SELECT count(*), count(DISTINCT node || text) FROM event WHERE type = '100.101'"
            ).fetchall()
        if (events, once) != (2 * NODES, 2 * NODES):
            raise AssertionError(f"{events} events of {2 * NODES}, {events - once} of them twice")
        alarms = self._transitions() - self._raised
        window_s = max(node.window_s for node in self.nodes)
        shorter = f"{NODES:,} nodes; " if QUICK else ""
        return Figure(
            "tls.reconnect_10k_s", round(took_s, 1), "s", "<= 120",
            f"{shorter}a window of {window_s:.0f} s; 0 lost; {alarms} alarms raised",
        )  # fmt: skip

    def _all_fresh(self) -> bool:
        return bool(self._stage.central.get("/api/v1/status")["nodes"]["online"] == NODES)

    def _transitions(self) -> int:
        """Return how many alarms were raised so far, by the centre or a node."""
        with closing(sqlite3.connect(self._stage.central.data_dir / "roost.db")) as base:
            [(count,)] = base.execute(
                "SELECT count(*) FROM alarm_event WHERE event = 'raise'"
            ).fetchall()
        return int(count)

    def _made(self) -> list[TlsNode]:
        """Register sites, give every node an identity, and return the nodes."""
        stage = self._stage
        names = [f"n{number}" for number in range(A_SITE)]
        sites = [f"edge-{number:04}" for number in range(NODES // A_SITE)]
        for site in sites:
            stage.add_site(site, *names)
        place = Place(stage.broker.port, f"b1.svc.{DOMAIN}", stage.pki.root_file)
        [key, *_] = ingest_keys(stage.central.data_dir, SystemEntropy())
        by, issuer = stage.pki.issuer(Authority.NODE)
        nodes, identities = [], []
        now_ms = SystemClock().wall_ms()
        for number, id_ in enumerate(f"{site}.{name}" for site in sites for name in names):
            pair, holder = new_key(), node_holder(Kind.NODE, *split_node_id(id_))
            fresh = Fresh(number + 1, datetime.now(UTC))
            certificate = leaf(holder, pair.public_key(), by=by, fresh=fresh, days=1)
            files = stage.pki.keep(id_, pair, certificate, issuer)
            spki = files.key.public_key().public_bytes(
                Encoding.DER, PublicFormat.SubjectPublicKeyInfo
            )
            identities.append(
                IdentityRecord(
                    node=id_,
                    generation=1,
                    box=1,
                    serial=f"{files.certificate.serial_number:x}",
                    fingerprint=sha256(files.der).digest(),
                    key_hash=sha256(spki).digest(),
                    state=State.ISSUED,
                    not_after_ms=1 << 50,
                    hardware="{}",
                    sealing_key=b"",
                    certificate="",
                    issued_ms=now_ms,  # one that was never heard for a week is ended
                    changed_ms=now_ms,
                    revision=number + 1,
                )
            )
            nodes.append(TlsNode(place, id_, context(place, files), report_key(key, id_, 1)))
            if number % 1_000 == 999:
                self._say(f"{number + 1:,} certificates")
        asyncio.run(_keep(stage.central.data_dir / "roost.db", identities))
        return nodes


async def _keep(path: Path, identities: list[IdentityRecord]) -> None:
    database = await Database.open(f"sqlite+aiosqlite:///{path}", clock=SystemClock())
    try:
        async with database.write() as connection:
            await insert_rows(connection, tables.identity, [row_of(each) for each in identities])
    finally:
        await database.close()
