"""The centre's own certificates: made, kept, renewed at half life, whole at every moment."""

import ssl

import pytest
from ca import Pki, unlimited
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from roost_central.ca.own import OwnCertificate
from roost_central.errors import SignerError, SignerUnavailableError
from roost_central.ports import SystemClock
from roost_central.signer.client import Signer
from roost_central.storage.engine import Database
from roost_protocol.certificate import Holder, Kind

DAY_MS = 86_400_000


class Clock(SystemClock):
    """The machine's, moved."""

    def __init__(self):
        self.days = 0

    def wall_ms(self):
        return super().wall_ms() + self.days * DAY_MS


@pytest.fixture
def clock():
    return Clock()


ENROL = Holder(Kind.SERVER, "enrol")


@pytest.fixture
async def own(tmp_path, clock):
    """Make one, beside a database of its own."""
    url = f"sqlite+aiosqlite:///{tmp_path}/roost.db"
    database = await Database.open(url, clock=clock)

    def own(folder, signer, clock, holder=ENROL):
        return OwnCertificate(folder / "tls" / "enrol", holder, signer, clock, database)

    yield own
    await database.close()


def belong_together(files):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)
    context.load_verify_locations(files.root)
    return True


async def test_it_is_made_once_and_kept(own_pki, tmp_path, clock, own):
    async with own_pki.serving(clock) as signer:
        files = own(tmp_path, signer, clock)
        assert await files.ensure()
        assert belong_together(files)
        first = files.cert.read_bytes()
        assert not await files.ensure()
        assert files.cert.read_bytes() == first
    assert files.key.stat().st_mode & 0o777 == 0o600
    name = x509.load_pem_x509_certificate(first).subject.rfc4514_string()
    assert name == "CN=enrol"


async def test_it_is_renewed_with_a_new_key_at_half_life(own_pki, tmp_path, clock, own):
    async with own_pki.serving(clock) as signer:
        files = own(tmp_path, signer, clock)
        await files.ensure()
        key = files.key.read_bytes()
        clock.days = 44
        assert not await files.ensure()
        clock.days = 46
        assert await files.ensure()
        assert files.key.read_bytes() != key
        assert belong_together(files)
        clock.days = 92
        assert await files.ensure()
    kept = [path.name for path in (tmp_path / "tls").iterdir() if path.is_dir()]
    assert len(kept) == 3  # two sets, and the link to the newer


async def test_a_client_of_the_centre_has_one_too(own_pki, tmp_path, clock, own):
    async with own_pki.serving(clock) as signer:
        files = own(tmp_path, signer, clock, Holder(Kind.SERVICE, "ingest"))
        await files.ensure()
    certificate = x509.load_pem_x509_certificate(files.cert.read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=svc_ingest"


async def test_without_a_signer_the_one_of_before_goes_on_while_it_is_valid(
    own_pki, tmp_path, clock, own
):
    async with own_pki.serving(clock) as signer:
        await own(tmp_path, signer, clock).ensure()
    files = own(tmp_path, Signer(own_pki.socket), clock)
    assert not await files.ensure()
    clock.days = 60
    assert not await files.ensure()
    clock.days = 91
    with pytest.raises(SignerUnavailableError):
        await files.ensure()


async def test_without_a_signer_there_is_no_first_one(own_pki, tmp_path, clock, own):
    with pytest.raises(SignerUnavailableError, match="roost-signer"):
        await own(tmp_path, Signer(own_pki.socket), clock).ensure()
    assert not (tmp_path / "tls").exists()


async def test_a_new_fleet_replaces_it(own_pki, tmp_path, clock, own):
    async with own_pki.serving(clock) as signer:
        files = own(tmp_path, signer, clock)
        await files.ensure()
    other = Pki(tmp_path / "other", unlimited())
    async with other.serving(clock) as signer:
        assert await own(tmp_path, signer, clock).ensure()
    assert files.root.read_text() == other.root_file.read_text()


@pytest.mark.parametrize("lost", ["key.pem", "cert.pem", "root.pem"])
async def test_a_lost_or_torn_file_is_made_anew(own_pki, tmp_path, clock, lost, own):
    async with own_pki.serving(clock) as signer:
        files = own(tmp_path, signer, clock)
        await files.ensure()
        (tmp_path / "tls/enrol" / lost).unlink()
        clock.days = 1
        assert await files.ensure()
    assert belong_together(files)


class Other(Signer):
    """Gives another certificate than was asked for, once it is told which."""

    gives = ""

    async def issue_server(self, csr_pem, *, name):
        if self.gives == "another name":
            return await super().issue_server(csr_pem, name="b1")
        if self.gives == "another kind":
            return await self.issue_service(csr_pem, name=name)
        if self.gives == "another key":
            csr_pem = csr_of(generate_private_key(SECP256R1()))
        return await super().issue_server(csr_pem, name=name)


def csr_of(key):
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return request.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize("gives", ["another name", "another kind", "another key"])
async def test_what_nodes_would_not_believe_takes_the_place_of_nothing(
    own_pki, tmp_path, clock, own, gives
):
    async with own_pki.serving(clock):
        signer = Other(own_pki.socket)
        files = own(tmp_path, signer, clock)
        await files.ensure()
        first = files.cert.read_bytes()
        signer.gives, clock.days = gives, 46
        assert not await files.ensure()
        assert files.cert.read_bytes() == first
        clock.days = 92
        with pytest.raises(SignerError, match="it gave"):
            await files.ensure()
        await signer.close()
    assert belong_together(files)
