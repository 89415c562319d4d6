"""Certificates that are wrong in one way each, and who notices.

Each case is presented by a client as a node's certificate. ``tls`` is whether OpenSSL lets it in,
given the fleet's root and its lists of revoked certificates: where that is true and ``ours`` names
a fault, our verifier alone notices it, and the signer alone keeps such from being made.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from ca import DOMAIN, Credentials, Pki, new_key
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from roost_central.ca import profiles
from roost_central.ca.profiles import CLIENT, SERVER, Authority, Issuer
from roost_protocol.certificate import Holder, Kind

NODE = "edge.n1"
DNS_NAME = f"{NODE}.nodes.{DOMAIN}"
NOW = datetime.now(UTC)
OURS = ObjectIdentifier("1.3.6.1.4.1.55555.1")  # no profile has it

UNKNOWN = x509.UnrecognizedExtension(OURS, b"\x05\x00")


@dataclass(frozen=True, slots=True)
class Form:
    """What a certificate holds; the default is what a node's should."""

    subject: tuple[str, ...] = (NODE,)
    names: tuple[x509.GeneralName, ...] = (x509.DNSName(DNS_NAME),)
    usages: tuple[ObjectIdentifier, ...] = (CLIENT,)
    is_ca: bool = False
    key_usage: x509.KeyUsage | None = profiles.LEAF_USAGE
    begins: timedelta = timedelta(minutes=-5)
    ends: timedelta = timedelta(days=90)
    more: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    key: Callable[[], Any] = new_key


@dataclass(frozen=True, slots=True)
class Case:
    """One certificate.

    Attributes:
        ours: the code of our verifier's refusal; empty: it is believed.
        tls: whether OpenSSL lets it in.
        make: from the keys of a fleet.
        is_nameless: Mosquitto, which names a client by its CN, refuses it for having none.
    """

    name: str
    ours: str
    tls: bool
    make: Callable[[Pki], Credentials]
    is_nameless: bool = False


def forged(pki: Pki, form: Form, by: Issuer | None = None, chain: str | None = None) -> Credentials:
    """Return a certificate of any form, signed by the fleet's node CA or by another."""
    node_ca, pem = pki.issuer(Authority.NODE)
    by = by or node_ca
    key = form.key()
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, each) for each in form.subject]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(by.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + form.begins)
        .not_valid_after(NOW + form.ends)
        .add_extension(x509.BasicConstraints(form.is_ca, None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False
        )
    )
    if form.names:
        builder = builder.add_extension(x509.SubjectAlternativeName(form.names), critical=False)
    if form.usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(form.usages), critical=False)
    if form.key_usage is not None:
        builder = builder.add_extension(form.key_usage, critical=True)
    for extension, is_critical in form.more:
        builder = builder.add_extension(extension, critical=is_critical)
    certificate = builder.sign(by.key, SHA256())
    return pki.keep("forged", key, certificate, pem if chain is None else chain)


def _with(**changes: Any) -> Callable[[Pki], Credentials]:
    return lambda pki: forged(pki, replace(Form(), **changes))


def _named(*names: x509.GeneralName) -> Callable[[Pki], Credentials]:
    return _with(names=names)


def _also(*names: x509.GeneralName) -> Callable[[Pki], Credentials]:
    return _with(names=(x509.DNSName(DNS_NAME), *names))


def _as(holder: Holder) -> Callable[[Pki], Credentials]:
    return lambda pki: pki.issue(holder)


def _self_signed(pki: Pki) -> Credentials:
    key = new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NODE)])
    by = Issuer(name, key, DOMAIN, NOW)
    return forged(pki, Form(key=lambda: key), by, chain="")


def _of_another_root(pki: Pki) -> Credentials:
    """As of a public CA, or of another fleet with our names."""
    other = Pki(pki.folder / "others" / f"{x509.random_serial_number():x}")
    by, chain = other.issuer(Authority.NODE)
    return forged(pki, Form(), by, chain + other.root_file.read_text())


def _by_a_namesake(pki: Pki) -> Credentials:
    real, chain = pki.issuer(Authority.NODE)
    return forged(pki, Form(), replace(real, key=new_key()), chain)


def _by_a_node(pki: Pki) -> Credentials:
    node = pki.issue(Holder(Kind.NODE, "edge.n2"))
    by = Issuer(node.certificate.subject, node.key, DOMAIN, NOW)
    return forged(pki, Form(), by, node.chain_file.read_text())


def _by_the_server_ca(pki: Pki) -> Credentials:
    by, chain = pki.issuer(Authority.SERVER)
    return forged(pki, Form(), by, chain)


def _key_usage(*granted: str) -> x509.KeyUsage:
    return x509.KeyUsage(
        **{
            f"{name}": name in granted
            for name in (
                "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
                "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
            )
        }
    )  # fmt: skip


def _dns(text: str) -> x509.DNSName:
    return x509.DNSName(text)


CASES = [
    Case("good", "", True, _as(Holder(Kind.NODE, NODE))),
    Case("good, hand-made", "", True, _with()),
    # time
    Case("expired", "expired", False, _with(begins=timedelta(-9), ends=timedelta(-1))),
    Case("not yet valid", "not-yet-valid", False, _with(begins=timedelta(1))),
    # whom it names
    Case("CN of another site", "cn", True, _with(subject=("other.n1",))),
    Case("dNSName of another site", "cn", True, _named(_dns(f"other.n1.nodes.{DOMAIN}"))),
    Case("CN of a service", "cn", True, _with(subject=("svc_ingest",))),
    Case("no CN", "cn", True, _with(subject=()), is_nameless=True),
    Case("two CNs", "cn", True, _with(subject=(NODE, "svc_ingest"))),
    Case("another fleet", "san", False, _named(_dns(f"{NODE}.nodes.other.example"))),
    Case("a server of the centre", "san", False, _named(_dns(f"enrol.svc.{DOMAIN}"))),
    Case("a LAN name", "san", False, _named(_dns(f"{NODE}.lan.{DOMAIN}"))),
    Case("wildcard", "name", True, _named(_dns(f"*.nodes.{DOMAIN}"))),
    Case("capitals", "name", True, _named(_dns(DNS_NAME.replace("edge.n1", "Edge.n1")))),
    Case("a label too many", "name", True, _named(_dns(f"x.{DNS_NAME}"))),
    # forms of names
    Case("no name, dotted CN", "san", False, _named()),
    Case("URI alone", "san", False, _named(x509.UniformResourceIdentifier("roost://edge/n1"))),
    Case("URI as well", "san", False, _also(x509.UniformResourceIdentifier("roost://edge/n1"))),
    Case("mailbox as well", "san", False, _also(x509.RFC822Name("n1@edge.example"))),
    Case("IPv4 as well", "san", False, _also(x509.IPAddress(ip_address("192.0.2.1")))),
    Case("IPv6 as well", "san", False, _also(x509.IPAddress(ip_address("2001:db8::1")))),
    Case("DNS of another as well", "san", False, _also(_dns("enrol.svc.edge.example"))),
    Case("a second node as well", "san", True, _also(_dns(f"edge.n2.nodes.{DOMAIN}"))),
    Case("registeredID as well", "san", True, _also(x509.RegisteredID(OURS))),
    Case("otherName as well", "san", True, _also(x509.OtherName(OURS, b"\x0c\x01x"))),
    # uses
    Case("use of a server", "usage", False, _with(usages=(SERVER,))),
    Case("both uses", "usage", True, _with(usages=(CLIENT, SERVER))),
    Case("no extended use", "usage", True, _with(usages=())),
    Case("no key usage", "usage", True, _with(key_usage=None)),
    Case("may issue", "usage", False, _with(is_ca=True, key_usage=_key_usage("key_cert_sign"))),
    Case("signs lists", "usage", True,
         _with(key_usage=_key_usage("digital_signature", "crl_sign"))),
    # extensions
    Case("unknown extension", "extension", True, _with(more=((UNKNOWN, False),))),
    Case("unknown critical extension", "extension", False, _with(more=((UNKNOWN, True),))),
    # who signed
    Case("self-signed", "issuer", False, _self_signed),
    Case("public CA", "issuer", False, _of_another_root),
    Case("another key, our issuer's name", "issuer", False, _by_a_namesake),
    Case("signed by a node", "issuer", False, _by_a_node),
    Case("signed by the server CA", "issuer", False, _by_the_server_ca),
    Case("a server's", "issuer", False, _as(Holder(Kind.SERVER, "enrol"))),
    Case("a service's", "issuer", True, _as(Holder(Kind.SERVICE, "ingest"))),
    Case("a LAN client's", "issuer", False, _as(Holder(Kind.LAN, NODE, 1))),
    # keys
    Case("key on P-384", "key", True, _with(key=lambda: ec.generate_private_key(ec.SECP384R1()))),
]  # fmt: skip


def pem_of(credentials: Credentials) -> str:
    """Return the certificate alone."""
    return credentials.certificate.public_bytes(Encoding.PEM).decode()
