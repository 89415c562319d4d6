"""A whole PKI of a fleet in a folder, and its signer: in this process, or as operators run it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from program import Program
from waiting import wait_until

from roost_central.ca import ceremony
from roost_central.ca.ceremony import Moment
from roost_central.ca.profiles import ISSUED_BY, Authority, Fresh, Issuer, leaf
from roost_central.ca.verify import Verifier
from roost_central.errors import SignerUnavailableError
from roost_central.ports import Clock, SystemClock, SystemEntropy
from roost_central.signer import keys
from roost_central.signer.bucket import Rate
from roost_central.signer.client import Signer
from roost_central.signer.core import Policy
from roost_central.signer.program import desk_of
from roost_central.signer.server import serving
from roost_protocol.certificate import Holder

DOMAIN = "edge.example"
PASSPHRASE = b"six words that nobody wrote down"
ENTROPY = SystemEntropy()


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key and its certificate, as files and as objects; ``chain`` has the issuer behind it."""

    key: EllipticCurvePrivateKey
    certificate: x509.Certificate
    key_file: Path
    chain_file: Path

    @property
    def der(self) -> bytes:
        """As TLS hands it over."""
        return self.certificate.public_bytes(Encoding.DER)


class Pki:
    """What ``roost ca init`` makes, below a folder."""

    def __init__(self, folder: Path, policy: Policy | None = None) -> None:
        self.folder = folder
        self.policy = policy or Policy(DOMAIN)
        self.domain = self.policy.domain
        ceremony.init(folder, self.policy, PASSPHRASE, self.moment())
        self.signer_dir = folder / ceremony.SIGNER
        self.offline = folder / ceremony.OFFLINE
        self.root_file = self.signer_dir / "root.pem"
        self.socket = folder / "signer.sock"

    def moment(self, now: datetime | None = None) -> Moment:
        """Return what a ceremony takes from outside."""
        return Moment(now or datetime.now(UTC), ENTROPY)

    def rotate(self, *kinds: str, now: datetime | None = None) -> list[str]:
        """Make successors beside what is there."""
        root = ceremony.unlock(self.offline, PASSPHRASE)
        return ceremony.rotate(self.signer_dir, root, kinds, self.moment(now))

    def ring(self, now: datetime | None = None) -> keys.KeyRing:
        """Return all keys of the signer."""
        return keys.load(self.signer_dir, self.domain, now or datetime.now(UTC))

    def issuer(self, authority: Authority) -> tuple[Issuer, str]:
        """Return the one that signs now, and its certificate's text."""
        found = self.ring().issuing[authority][-1]
        return found.issuer, found.pem

    def verifier(self, now: datetime | None = None) -> Verifier:
        """Return what believes this fleet's certificates."""
        issuing = self.ring(now).issuing
        return Verifier(
            self.domain,
            {each: [key.certificate for key in found] for each, found in issuing.items()},
        )

    def issue(self, holder: Holder, *, now: datetime | None = None, days: int = 90) -> Credentials:
        """Return a good certificate, signed without the signer."""
        key = generate_private_key(SECP256R1())
        by, issuer_pem = self.issuer(ISSUED_BY[holder.kind])
        fresh = Fresh.drawn(ENTROPY, now or datetime.now(UTC))
        certificate = leaf(holder, key.public_key(), by=by, fresh=fresh, days=days)
        return self.keep(f"{holder.kind}-{holder.name}", key, certificate, issuer_pem)

    def keep(
        self, name: str, key: EllipticCurvePrivateKey, certificate: x509.Certificate, more: str = ""
    ) -> Credentials:
        """Write a key and a certificate into files of their own."""
        folder = self.folder / "leaves" / f"{name}-{certificate.serial_number:x}"
        folder.mkdir(parents=True)
        key_file, chain_file = folder / "key.pem", folder / "cert.pem"
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        chain_file.write_text(certificate.public_bytes(Encoding.PEM).decode() + more)
        return Credentials(key, certificate, key_file, chain_file)

    @asynccontextmanager
    async def serving(self, clock: Clock | None = None) -> AsyncIterator[Signer]:
        """Run its signer on this loop; give a client of it."""
        with desk_of(self.signer_dir, clock or SystemClock(), ENTROPY) as (desk, allowed):
            async with serving(self.socket, desk, allowed):
                signer = Signer(self.socket)
                try:
                    yield signer
                finally:
                    await signer.close()


class SignerProcess(Program):
    """``roost-central signer``; ``start`` after ``kill`` goes on with the same folder."""

    def __init__(self, pki: Pki) -> None:
        super().__init__(pki.folder / "signer.log")
        self.pki = pki

    def start(self) -> None:
        """Run, and return once it answers."""
        self._launch(
            sys.executable, "-m", "roost_central", "signer",
            "--dir", self.pki.signer_dir, "--socket", self.pki.socket,
        )  # fmt: skip
        wait_until(self._answers, f"signer: {self.log.read_text()}")

    def _answers(self) -> bool:
        assert self.is_running(), self.log.read_text()

        async def ask() -> None:
            signer = Signer(self.pki.socket)
            await signer.info()
            await signer.close()

        try:
            asyncio.run(ask())
        except SignerUnavailableError:
            return False
        return True


def unlimited(domain: str = DOMAIN) -> Policy:
    """Return a policy for what measures or repeats a lot."""
    much = Rate(100_000, 100_000)
    return Policy(domain, nodes=much, services=much, lists=much, orders=much, configurations=much)


def request_of(key: EllipticCurvePrivateKey, subject: str = "") -> str:
    """Return a request for a certificate, in PEM; what its subject says is for nobody."""
    name = [x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)] if subject else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(name))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def new_key() -> EllipticCurvePrivateKey:
    """Return a key on P-256."""
    return generate_private_key(SECP256R1())
