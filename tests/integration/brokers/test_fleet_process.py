"""The broker's process with a real signer, database and Mosquitto: what a revocation does."""

import asyncio
import socket
import ssl
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace

import pytest
from ca import DOMAIN, Pki, unlimited
from loopback_ports import free_port
from mqtt_peer import NOT_AUTHORISED, Peer
from waiting import until

from roost_central.brokers import fleet as fleet_module
from roost_central.brokers.config import FleetBrokerConfig, own_tls
from roost_central.brokers.fleet import FleetBroker
from roost_central.brokers.mosquitto import mosquitto
from roost_central.ca.own import OwnCertificate
from roost_central.enrol.states import Event, State
from roost_central.ingest.config import BrokerAddress
from roost_central.ingest.mqtt import publish_as_guest
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.signer.client import Signer
from roost_central.storage import identities
from roost_central.storage.engine import Database
from roost_central.storage.identities import IdentityRecord
from roost_protocol.certificate import Holder, Kind
from roost_protocol.topics import NodeTopics

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

CLOCK, ENTROPY = SystemClock(), SystemEntropy()
EFFECTIVE_S = 10  # docs/security.md
ONE, TWO = "lab.n1", "lab.n2"


def identity(node, generation, certificate, *, box=1, state=State.ACTIVE):
    key = f"{node}{generation}".encode()
    return IdentityRecord(
        node=node, generation=generation, box=box, serial=f"{certificate.serial_number:x}",
        fingerprint=key, key_hash=key, state=state, not_after_ms=1 << 42, hardware="{}",
        sealing_key=b"", certificate="", issued_ms=0, changed_ms=0,
    )  # fmt: skip


class Fleet:
    """A running broker, its signer and database."""

    def __init__(self, pki, signing, database, port):
        self.pki, self.database, self.port = pki, database, port
        self._signing = signing

    async def restart_signer(self):
        await self._signing.aclose()
        await self._signing.enter_async_context(self.pki.serving())

    async def enrol(self, node, generation=1, *, box=1):
        """Give a node an identity; return the files of its certificate."""
        issued = self.pki.issue(Holder(Kind.NODE, node))
        async with self.database.write() as connection:
            await identities.save(
                connection, identity(node, generation, issued.certificate, box=box)
            )
        return issued.chain_file, issued.key_file

    async def happen(self, node, generation, event):
        async with self.database.write() as connection:
            row = await identities.find(connection, node, generation)
            await identities.happen(connection, row, event, now_ms=CLOCK.wall_ms(), reason="test")

    @contextmanager
    def peer(self, files, **said):
        with Peer(self.port, self.pki.root_file, files, **said) as peer:
            yield peer

    def connects(self, files):
        try:
            with self.peer(files):
                return True
        except (ConnectionError, ssl.SSLError):
            return False

    async def shut_out(self, files):
        """Wait until a certificate opens nothing any more."""
        await until(lambda: not self.connects(files), "it is shut out", seconds=EFFECTIVE_S)


@asynccontextmanager
async def running(folder):
    pki = Pki(folder / "pki", unlimited())
    database = await Database.open(f"sqlite+aiosqlite:///{folder}/x.db", clock=CLOCK)
    port, signer = free_port(), Signer(pki.socket)
    try:
        async with AsyncExitStack() as signing, asyncio.TaskGroup() as tasks:
            await signing.enter_async_context(pki.serving())
            own = OwnCertificate(
                folder / "tls" / "b1", Holder(Kind.SERVER, "b1"), signer, CLOCK, database
            )
            broker = FleetBroker(
                FleetBrokerConfig(host="127.0.0.1", port=port, connections_max=100),
                folder / "broker",
                certificate=own,
                signer=signer,
                database=database,
                clock=CLOCK,
                entropy=ENTROPY,
            )
            task = tasks.create_task(broker.run())
            fleet = Fleet(pki, signing, database, port)
            await until(lambda: accepts(port), "the broker answers")
            yield fleet
            task.cancel()
    finally:
        await signer.close()
        await database.close()


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
async def fleet(tmp_path):
    if mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    async with running(tmp_path) as fleet:
        yield fleet


async def test_a_revoked_node_is_out_within_ten_seconds_and_others_go_on(fleet):
    files, others = await fleet.enrol(ONE), await fleet.enrol(TWO)
    one, two = NodeTopics.of(ONE), NodeTopics.of(TWO)
    with fleet.peer(files) as peer, fleet.peer(others) as other:
        assert await asyncio.to_thread(peer.publish, one.beat) < 128
        await fleet.happen(ONE, 1, Event.REVOKE)
        await until(
            lambda: peer.publish(one.beat) == NOT_AUTHORISED, "it is mute", seconds=EFFECTIVE_S
        )
        await fleet.shut_out(files)
        assert await asyncio.to_thread(other.publish, two.beat) < 128
    assert await asyncio.to_thread(fleet.connects, others)


async def test_a_box_that_replaces_another_is_let_in_where_the_old_one_is_shut_out(fleet):
    old = await fleet.enrol(ONE)
    await fleet.happen(ONE, 1, Event.SUCCEED)
    new = await fleet.enrol(ONE, 2, box=2)
    await fleet.shut_out(old)
    with fleet.peer(new) as peer:
        assert await asyncio.to_thread(peer.publish, NodeTopics.of(ONE).beat) < 128


async def test_a_renewed_node_goes_on_and_may_come_with_either_certificate(fleet):
    old = await fleet.enrol(ONE)
    new = await fleet.enrol(ONE, 2)
    await fleet.happen(ONE, 1, Event.SUCCEED)
    await asyncio.sleep(2.5)  # two turns of the follower
    for files in (old, new):
        with fleet.peer(files) as peer:
            assert await asyncio.to_thread(peer.publish, NodeTopics.of(ONE).beat) < 128


async def test_ingest_is_let_in_by_its_own_certificate(fleet, tmp_path):
    holder = Holder(Kind.SERVICE, "ingest")
    signer = Signer(fleet.pki.socket)
    own = OwnCertificate(tmp_path / "tls" / "svc_ingest", holder, signer, CLOCK, fleet.database)
    await own.ensure()
    await signer.close()
    tls = own_tls(tmp_path / "tls", f"b1.svc.{DOMAIN}")
    address = BrokerAddress.parse("b1", f"mqtts://127.0.0.1:{fleet.port}", tls)
    await publish_as_guest(address, "roost/v1/canary/x", b"x")
    with pytest.raises(ssl.SSLCertVerificationError):
        await publish_as_guest(
            replace(address, tls=replace(tls, server_name=f"b2.svc.{DOMAIN}")), "x", b"x"
        )


async def test_with_a_new_issuer_its_nodes_are_let_in_too(tmp_path, monkeypatch):
    monkeypatch.setattr(fleet_module, "ISSUERS_S", 0.5)
    async with running(tmp_path) as fleet:
        await asyncio.sleep(2)  # the issuers of now are known
        fleet.pki.rotate("node")
        await fleet.restart_signer()
        files = await fleet.enrol(ONE)
        await until(lambda: fleet.connects(files), "a node of the new issuer comes in")
