"""A desk and a queue on a real database and a real signer, without a network."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from boxes import DeskBox
from ca import Pki, unlimited

from roost_central.access.chain import Act
from roost_central.access.signatures import Place, SignatureCheck, told
from roost_central.enrol.claim_desk import ClaimDesk, NewClaim, token_text
from roost_central.enrol.desk import Desk
from roost_central.enrol.fleet import ask_fleet
from roost_central.enrol.issue import Issuer
from roost_central.enrol.queue import Queue
from roost_central.fleet.view import FleetView
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.storage import audit, nodes, sites
from roost_central.storage.engine import Database
from roost_protocol.enrol import Broker
from roost_protocol.topics import shard_of


class TurnedClock(SystemClock):
    """The wall clock, put forward."""

    ahead_ms = 0

    def wall_ms(self):
        return super().wall_ms() + self.ahead_ms


@dataclass
class Office:
    """What a test works with."""

    database: Database
    view: FleetView
    clock: TurnedClock
    signer: object
    desk: Desk
    queue: Queue
    claims: ClaimDesk
    noted: list

    async def note(self, connection, action, about, detail):
        self.noted.append((action, about))
        await audit.add(connection, Act(1, "jd", "admin", action, about, detail))

    async def token(self, site="lab", **more):
        wanted = NewClaim(site, **{"auto_approve": True, **more})
        [(claim, secret)] = await self.claims.make([wanted], "jd", self.note)
        return token_text(claim, secret, self.desk.fleet.pin)

    async def add_site(self, site, *names):
        async with self.database.write() as connection:
            await sites.save(
                connection, [sites.SiteRecord(site, shard_of(site), {}, None, None, 1, 0)]
            )
            await nodes.save(
                connection, [nodes.NodeRecord(f"{site}.{n}", site, n, 0) for n in names]
            )
        self.view.add_site(site, shard_of(site))
        for name in names:
            self.view.add_node(f"{site}.{name}", site, name)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"), unlimited())


@pytest.fixture
async def office(pki, tmp_path):
    clock, entropy, view = TurnedClock(), SystemEntropy(), FleetView()
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/roost.db", clock=clock)
    async with pki.serving() as signer:
        brokers = [Broker("b1", "mqtts://broker.example:8883")]
        fleet = await ask_fleet(signer, brokers, b"i" * 32)
        issuer = Issuer(database, signer, clock, fleet)
        desk = Desk(database, view, clock, entropy, fleet=fleet, issuer=issuer, nonce_key=b"k" * 32)
        queue = Queue(database, view, clock)
        claims = ClaimDesk(database, view, clock, entropy)
        office = Office(database, view, clock, signer, desk, queue, claims, [])
        await office.add_site("lab", "n1", "n2", "n3")
        begin = await signer.info()
        yield office
        await check_signatures(office, Place(begin.signatures, begin.log_head))
    await database.close()


async def check_signatures(office, begin):
    """Whatever a test did, each signature it made has its row in the audit log."""
    check = SignatureCheck(begin)
    while lines := (await office.signer.rows(check.at.n)).lines:
        for line in lines:
            check.see(line)
    async with office.database.read() as connection:
        for row in await audit.after(connection, 0, audit.PAGE_MAX):
            check.hear(replace(row.act, at_ms=0))  # a test turns the desk's clock, not the signer's
    assert [told(row) for row in check.missing] == []


@pytest.fixture
def box():
    return DeskBox()
