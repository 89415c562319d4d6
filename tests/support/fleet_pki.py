"""The certificates of a fleet, made by the library alone and not by the code under test."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DOMAIN = "edge.example"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


class Authority:
    """A key that issues, itself issued by another, or by itself."""

    def __init__(self, name, issuer=None):
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.issuer = issuer or self
        self.revoked = {}
        builder = self._builder(self.name, self.key, self.issuer)
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
        self.certificate = builder.sign(self.issuer.key, SHA256())

    @property
    def pem(self):
        return self.certificate.public_bytes(Encoding.PEM)

    def _builder(self, subject, key, issuer, *, begins=NOW - DAY, ends=NOW + DAY):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
        )

    def issue(self, common_name, dns_name, usage, *, ends=NOW + DAY):
        """Return key and certificate, PEM, the latter with this authority behind it."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        builder = self._builder(subject, key, self, begins=NOW - 2 * DAY, ends=ends)
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(dns_name)]), critical=False
        ).add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        certificate = builder.sign(self.key, SHA256())
        key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key_pem, certificate.public_bytes(Encoding.PEM) + self.pem, certificate

    def crl(self):
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(NOW - DAY)
            .next_update(datetime(9999, 12, 31, tzinfo=UTC))
        )
        for serial in self.revoked:
            row = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW)
            builder = builder.add_revoked_certificate(row.build())
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM)


class Pki:
    """A fleet's root, its two issuing authorities, and files of whoever is asked for."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.root = Authority("root")
        self.nodes = Authority("node CA", self.root)
        self.servers = Authority("server CA", self.root)
        (folder / "root.pem").write_bytes(self.root.pem)
        self.certificates = {}
        self.write_crl()

    def write_crl(self):
        (self.folder / "crl.pem").write_bytes(self.nodes.crl() + self.servers.crl())

    def node(self, node, *, by=None, ends=NOW + DAY):
        usage = ExtendedKeyUsageOID.CLIENT_AUTH
        issued = (by or self.nodes).issue(node, f"{node}.nodes.{DOMAIN}", usage, ends=ends)
        return self._keep(node, *issued)

    def service(self, name):
        usage = ExtendedKeyUsageOID.CLIENT_AUTH
        issued = self.servers.issue(f"svc_{name}", f"svc_{name}.svc.{DOMAIN}", usage)
        return self._keep(f"svc_{name}", *issued)

    def server(self, name):
        usage = ExtendedKeyUsageOID.SERVER_AUTH
        return self._keep(name, *self.servers.issue(name, f"{name}.svc.{DOMAIN}", usage))

    def revoke(self, name):
        self.nodes.revoked[self.certificates[name].serial_number] = True
        self.write_crl()

    def _keep(self, name, key, chain, certificate):
        (self.folder / f"{name}.key").write_bytes(key)
        (self.folder / f"{name}.pem").write_bytes(chain)
        self.certificates[name] = certificate
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"
