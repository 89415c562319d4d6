"""A whole API over a real database and a small fleet, without sockets to brokers."""

import json
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp import ClientSession, DummyCookieJar

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from migrated import database_url

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.api.listener import listening
from roost_central.api.routes import ROUTES
from roost_central.api.secret import digest, ensure_admin, new_token
from roost_central.api.server import application
from roost_central.app import compose
from roost_central.boards.keeper import BoardKeeper
from roost_central.boards.vault import Vault
from roost_central.enrol.config import EnrolConfig
from roost_central.enrol.service import Enrolment
from roost_central.fleet.view import FleetView, PathRow
from roost_central.northbound.config import NorthboundConfig, WebhookConfig
from roost_central.northbound.service import Northbound, Surroundings
from roost_central.signer.client import Signer
from roost_central.storage import accounts, tokens
from roost_central.storage.accounts import AccountRecord
from roost_central.storage.engine import Database
from roost_central.storage.tokens import TokenRecord
from roost_protocol.topics import shard_of

NOW_MS = 1_793_500_000_000


@dataclass
class SetClock:
    """Stands still until it is moved."""

    now_ms: int = NOW_MS

    def wall_ms(self) -> int:
        return self.now_ms

    def mono_ms(self) -> int:
        return self.now_ms - NOW_MS + 1_000_000

    def boot_ms(self) -> int:
        return self.mono_ms()


class SeededEntropy:
    def __init__(self) -> None:
        self._random = random.Random(7)  # noqa: S311  the same run each time

    def token(self, size: int) -> bytes:
        return self._random.randbytes(size)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)


@dataclass
class IngestFigures:
    beats: int = 0
    reports: int = 0
    items: int = 0
    receipts: int = 0
    queue: int = 0
    dead_letters: int = 0
    quiet: bool = False
    refused: dict = field(default_factory=dict)
    brokers: list = field(default_factory=list)


def add_site(view, site, *, labels=None, nodes=1, heard_ms=NOW_MS - 5_000):
    row = view.add_site(site, shard_of(site))
    row.labels = labels or {}
    row.status = "ok"
    for n in range(1, nodes + 1):
        node = view.add_node(f"{site}.n{n}", site, f"n{n}")
        node.presence = "online"
        node.heard_ms = heard_ms
        node.via = "wan1"
        node.agent = "0.1.0"
        node.paths = {"wan1": PathRow("wan1", "wan", state="up", heard_ms=heard_ms)}
    view.touch_site(site)
    return row


# A target that is served by nobody here: the API shows it, and a test of it fails in words.
NORTHBOUND = NorthboundConfig(
    webhook=(
        WebhookConfig("noc1", "https://noc.example/hook?token=hidden", Path("/nowhere/secret")),
    )
)


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def view():
    view = FleetView()
    add_site(view, "alpha", labels={"region": "r01", "carrier": "carA"}, nodes=2)
    add_site(view, "beta", labels={"region": "r02", "carrier": "carB"})
    add_site(view, "gamma", labels={"region": "r02", "tier": "gold"}, heard_ms=None)
    view.sites["beta"].status = "down"
    view.nodes["gamma.n1"].presence = "unknown"
    return view


@pytest.fixture
async def central(tmp_path, clock, view):
    """The composed API with its admin token, served on a free port of the loopback."""
    database = await Database.open(database_url(tmp_path), clock=clock)
    entropy = SeededEntropy()
    async with database.write() as connection:
        token = await ensure_admin(
            connection, tmp_path / "admin.token", entropy, now_ms=clock.wall_ms()
        )
    figures = IngestFigures()
    book = AlarmBook(shipped(), view, database, clock)
    around = Surroundings(book, view, database, clock, entropy, tmp_path / "noc")
    api = compose(
        database,
        view,
        clock,
        entropy,
        ingest=figures,
        book=book,
        northbound=Northbound(NORTHBOUND, around),
        is_secure=False,
        boards=BoardKeeper(database, view, Vault.of(tmp_path, entropy), clock, entropy),
        enrolment=Enrolment(
            EnrolConfig(),
            database,
            view,
            clock,
            entropy,
            book=book,
            signer=Signer(tmp_path / "no-signer"),
            ingest_key=bytes(32),
            tls_folder=tmp_path / "tls",
        ),
    )
    async with (
        listening(application(api, ROUTES), "127.0.0.1", 0) as port,
        ClientSession(f"http://127.0.0.1:{port}", cookie_jar=DummyCookieJar()) as client,
    ):
        yield SimpleNamespace(
            api=api,
            client=client,
            port=port,
            token=token,
            bearer={"Authorization": f"Bearer {token}"},
            figures=figures,
            database=database,
        )
    await database.close()


@pytest.fixture
def get(central):
    """GET with the token; return (status, document)."""

    async def get(path, **params):
        answer = await central.client.get(path, params=params, headers=central.bearer)
        return answer.status, await answer.json(content_type=None)

    return get


@pytest.fixture
def grow(view):
    """Add a site with nodes to the fleet."""

    def grow(site, **what):
        return add_site(view, site, **what)

    return grow


@pytest.fixture
def post(central):
    """POST JSON with the token; return (status, document)."""

    async def post(path, body):
        answer = await central.client.post(path, json=body, headers=central.bearer)
        return answer.status, await answer.json(content_type=None)

    return post


@pytest.fixture
def delete(central):
    """DELETE with the token; return the status."""

    async def delete(path):
        answer = await central.client.delete(path, headers=central.bearer)
        return answer.status

    return delete


@pytest.fixture
def person(central):
    """Make an account with grants and a token of it; return its bearer header."""

    async def person(name, *grants, token=None):
        secret = new_token(central.api.entropy)
        account = AccountRecord(name, grants, created_ms=0)
        async with central.database.write() as connection:
            await accounts.save(connection, account)
            record = TokenRecord(digest(secret), name, name, 0, token)
            await tokens.add(connection, record)
        return {"Authorization": f"Bearer {secret}"}

    return person


@pytest.fixture
def ask(central):
    """Ask as somebody; return (status, document)."""

    async def ask(who, method, path, body=None, **headers):
        request = central.client.request(method, path, json=body, headers=who | headers)
        async with request as answer:
            text = await answer.read()
            return answer.status, json.loads(text) if text else None

    return ask
