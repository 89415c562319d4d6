"""A maker of boxes: its authority, and factory certificates (IDevID) with what may be odd."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # IEEE 802.1AR: it does not end
MADE = datetime(2020, 1, 1, tzinfo=UTC)


def ec_key():
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def name(common, serial=""):
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if serial:
        parts.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial))
    return x509.Name(parts)


@dataclass
class Maker:
    """An authority; ``below`` makes one that it issued."""

    common: str = "Acme Root"
    key: ec.EllipticCurvePrivateKey = field(default_factory=ec_key)
    above: "Maker | None" = None
    depth: int | None = None
    ends: datetime = NEVER
    uses: x509.ExtendedKeyUsage | None = None

    def __post_init__(self):
        issuer = self.above or self
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = (
            self._builder(name(self.common), self.key.public_key(), issuer, self.ends)
            .add_extension(x509.BasicConstraints(ca=True, path_length=self.depth), critical=True)
            .add_extension(usage, critical=True)
        )
        if self.uses is not None:
            builder = builder.add_extension(self.uses, critical=False)
        self.certificate = builder.sign(issuer.key, SHA256())

    def below(self, common="Acme Line 7", **more):
        return Maker(common, above=self, **more)

    def write(self, file: Path) -> Path:
        file.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return file

    def revoking(self, *chains, next_update=NEVER, by=None, extensions=()):
        """Return a list of the revoked boxes of these chains, PEM; ``by`` signs instead."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(name(self.common))
            .last_update(MADE)
            .next_update(next_update)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        for chain in chains:
            number = x509.load_pem_x509_certificates(chain.encode())[0].serial_number
            entry = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(MADE)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign((by or self).key, SHA256()).public_bytes(Encoding.PEM)

    def box(  # noqa: PLR0913 - what may be odd
        self, serial="AC-7001", *, key=None, extensions=(), ends=NEVER, made=MADE, subject=None
    ):
        """Return a box's key and its chain, PEM, the authority itself left out."""
        key = key or ec_key()
        builder = self._builder(
            subject or name("box", serial), key.public_key(), self, ends, made=made
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        chain = [builder.sign(self.key, SHA256())]
        issuer = self
        while issuer.above is not None:
            chain.append(issuer.certificate)
            issuer = issuer.above
        return key, "".join(each.public_bytes(Encoding.PEM).decode() for each in chain)

    def _builder(self, subject, public_key, issuer, ends, *, made=MADE):
        ski = x509.SubjectKeyIdentifier.from_public_key(public_key)
        aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name(issuer.common))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(made)
            .not_valid_after(ends)
            .add_extension(ski, critical=False)
            .add_extension(aki, critical=False)
        )


def pem(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
