"""A captured neighbour, a captured node and a thief of an old key say how updates ended."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from roost_central.alarms.catalogue_file import shipped
from roost_central.enrol.states import State
from roost_central.ingest.inbox import Message
from roost_central.ingest.items import ItemWriter
from roost_central.ports import SystemClock
from roost_central.storage import identities
from roost_central.storage.engine import Database
from roost_central.storage.identities import IdentityRecord
from roost_protocol.codec import encode, pack
from roost_protocol.envelope import Item, ItemKind
from roost_protocol.install_receipt import DOMAIN, InstallReceipt, SignedInstall, hash_of
from roost_protocol.update import JobReport, SiteState

NOW = datetime(2026, 11, 29, tzinfo=UTC)
BASE = InstallReceipt(
    v=1, node="lab.n1", job="a" * 32, attempt=1, outcome="succeeded", boot_id="b" * 32,
    counter=100, component="app/web", digest="0a" * 32,
)  # fmt: skip


def certificate(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=1))
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def record(node, key, *, generation=1, box=1, state=State.ACTIVE):
    return IdentityRecord(
        node=node, generation=generation, box=box, serial=f"{node}{generation}",
        fingerprint=f"{node}{generation}".encode(), key_hash=f"k{node}{generation}".encode(),
        state=state, not_after_ms=90, hardware="{}", sealing_key=b"s",
        certificate=certificate(key), issued_ms=1, changed_ms=1,
    )  # fmt: skip


def signed(key, before=None, **more):
    said = {} if before is None else {"counter": 101, "before": hash_of(before)}
    body = encode(msgspec.structs.replace(BASE, **(said | more)))
    return SignedInstall(body, key.sign(DOMAIN + body, ECDSA(SHA256())))


class Centre:
    """One transaction of ingest."""

    def __init__(self, connection):
        self.writer = ItemWriter(connection, catalogue=shipped(), now_ms=5)
        self._seq = 0

    async def hear(self, install, node="lab.n1", **more):
        """Take a report in; return the code of its refusal, None: it counts."""
        self._seq += 1
        said = {"job": "a" * 32, "attempt": 1, "seq": self._seq, "state": SiteState.COMMITTED}
        body, compressed = pack(JobReport(v=1, install=install, **(said | more)))
        refused = len(self.writer.effects.refused)
        message = Message("b", node, "lab", "report", b"", 5)
        await self.writer.write(
            message, Item(self._seq, ItemKind.UPDATE, 5, body, compressed=compressed)
        )
        return self.writer.effects.refused[-1] if len(self.writer.effects.refused) > refused else ""

    def known(self, node="lab.n1"):
        return self.writer.effects.updates[node].report


@pytest.fixture
def keys():
    return {name: generate_private_key(SECP256R1()) for name in ("n1", "n2", "old", "lost")}


@pytest.fixture
async def centre(tmp_path, keys):
    url = f"sqlite+aiosqlite:///{tmp_path}/roost.db"
    database = await Database.open(url, clock=SystemClock())
    async with database.write() as connection:
        for each in (
            record("lab.n1", keys["lost"], state=State.REVOKED),
            record("lab.n1", keys["old"], generation=2, box=2, state=State.REPLACED),
            record("lab.n1", keys["n1"], generation=3, box=2),
            record("lab.n2", keys["n2"]),
        ):
            await identities.save(connection, each)
        yield Centre(connection)
    await database.close()


async def test_a_chain_of_receipts_counts_and_stays_known_when_nothing_is_said_of_it(centre, keys):
    assert await centre.hear(None) == ""
    first = signed(keys["old"])  # of before its renewal: on its way for a while
    assert await centre.hear(first) == ""
    assert await centre.hear(None, job="c" * 32) == ""
    assert (centre.known().job, centre.known().install) == ("c" * 32, first)
    second = signed(keys["n1"], first)
    for _ in range(2):  # the same again is no news
        assert await centre.hear(second) == ""
    assert centre.known().install == second


async def test_old_receipt_changes_nothing(centre, keys):
    first = signed(keys["n1"])
    second = signed(keys["n1"], first)
    await centre.hear(first)
    await centre.hear(second)
    for old in (first, signed(keys["n1"], digest="ff" * 32)):
        assert await centre.hear(old, state=SiteState.ROLLED_BACK, failure="boot") == "receipt"
    assert (centre.known().state, centre.known().install) == (SiteState.COMMITTED, second)
    told = [each.params["reason"] for each in centre.writer.alarms]
    assert all("it is an old one" in each for each in told)
    assert len(told) == 2


@pytest.mark.parametrize("who", ["n2", "lost"])
async def test_a_receipt_by_another_key_changes_nothing(centre, keys, who):
    first = signed(keys["n1"])
    await centre.hear(first)
    forged = signed(keys[who], first, digest="ff" * 32)
    assert await centre.hear(forged) == "receipt"
    good = signed(keys["n1"], first)
    spoilt = SignedInstall(good.body, b"\0" + good.signature)
    assert await centre.hear(spoilt) == "receipt"
    assert centre.known().install == first
    assert "not by a key of lab.n1's box" in centre.writer.alarms[0].params["reason"]


async def test_a_captured_neighbour_passes_for_nobody_else(centre, keys):
    theirs = signed(keys["n1"])
    assert await centre.hear(theirs, node="lab.n2") == "receipt"  # what it has overheard
    assert await centre.hear(signed(keys["n2"], node="lab.n1"), node="lab.n2") == "receipt"
    assert await centre.hear(signed(keys["n2"], node="lab.n2"), node="lab.n1") == "receipt"
    assert centre.writer.effects.updates == {}
    assert await centre.hear(signed(keys["n2"], node="lab.n2"), node="lab.n2") == ""
