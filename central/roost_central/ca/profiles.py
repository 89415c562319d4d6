"""What each kind of certificate holds, written by us alone.

The subject and the extensions of a request are never looked at: only its public key is. Issuing
CAs carry name constraints, so that one cannot speak for what is another's. A form of name that a
constraint does not mention would be unconstrained, hence the empty permissions for addresses,
URIs and mailboxes (RFC 5280, 4.2.1.10).

Leaves to others: who may have which certificate (signer/core.py), keys on disk (signer/keys.py),
and belief (verify.py).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_network
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey as PrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey as PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from roost_central.ca.names import stamp
from roost_central.ports import Entropy
from roost_protocol.certificate import DAYS_MAX, Holder, Kind, check_domain, write
from roost_protocol.errors import ProtocolError

SERIAL_BYTES: Final = (
    16  # random: it names the certificate in CRLs and logs, and nobody foresees it
)
BACKDATED: Final = timedelta(minutes=5)  # a peer's clock may be a little behind ours
ROOT_DAYS: Final = 3_653  # ten years
SIGNS_DAYS: Final = 366  # how long an issuing CA is used; its successor stands beside it before
ISSUING_DAYS: Final = SIGNS_DAYS + DAYS_MAX + 30  # what it signed last ends before it does
ALWAYS: Final = (
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),  # RFC 5280, 4.1.2.5: "no well-defined end"
)

CLIENT: Final = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER: Final = ExtendedKeyUsageOID.SERVER_AUTH
_NOWHERE: Final = "none.invalid"  # RFC 6761, 6.4: never anybody's
_EVERYWHERE: Final = (ip_network("0.0.0.0/0"), ip_network("::/0"))
_NO_AUTHORITY: Final = x509.BasicConstraints(ca=False, path_length=None)
_AS_CLIENT: Final = x509.ExtendedKeyUsage([CLIENT])
_AS_SERVER: Final = x509.ExtendedKeyUsage([SERVER])
_USAGES: Final = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip

Extension = tuple[x509.ExtensionType, bool]  # and whether it is critical
Term = tuple[int, datetime, datetime]  # serial, first and last second


class Authority(StrEnum):
    """Who issues."""

    NODE = "node"
    SERVER = "server"
    LAN = "lan"


@dataclass(frozen=True, slots=True)
class Scope:
    """What an authority may issue for: zones below the fleet's domain, and uses."""

    zones: tuple[str, ...]
    usages: tuple[ObjectIdentifier, ...]


SCOPES: Final = {
    Authority.NODE: Scope((Kind.NODE.zone,), (CLIENT,)),
    Authority.SERVER: Scope((Kind.SERVER.zone,), (SERVER, CLIENT)),
    Authority.LAN: Scope((Kind.LAN.zone, Kind.BROKER.zone), (CLIENT, SERVER)),
}
ISSUED_BY: Final = {
    Kind.NODE: Authority.NODE,
    Kind.SERVER: Authority.SERVER,
    Kind.SERVICE: Authority.SERVER,
    Kind.LAN: Authority.LAN,
    Kind.BROKER: Authority.LAN,
}


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs.

    Attributes:
        subject: its name.
        key: its public half stands in its certificate.
        domain: of the fleet.
        ends: its own last second: what it signs does not outlive it.
        key_id: of its key, as it stands in what it signs.
    """

    subject: x509.Name
    key: PrivateKey
    domain: str
    ends: datetime
    key_id: x509.AuthorityKeyIdentifier = field(init=False)

    def __post_init__(self) -> None:
        key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        object.__setattr__(self, "key_id", key_id)


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a signature takes from outside: a random number, and the time in UTC."""

    serial: int
    now: datetime

    @classmethod
    def drawn(cls, entropy: Entropy, now: datetime) -> Self:
        """Return what one signature takes; no serial is 0 (RFC 5280, 4.1.2.2)."""
        return cls(int.from_bytes(entropy.token(SERIAL_BYTES), "big") or 1, now)


def issuer_of(certificate: x509.Certificate, key: PrivateKey, domain: str) -> Issuer:
    """Return who signs with a certificate's key."""
    return Issuer(certificate.subject, key, domain, certificate.not_valid_after_utc)


def root(key: PrivateKey, domain: str, fresh: Fresh) -> x509.Certificate:
    """Return the self-signed root of a fleet.

    Raises:
        ProtocolError: the domain cannot be a fleet's.
    """
    validity = (fresh.now - BACKDATED, fresh.now + timedelta(days=ROOT_DAYS))
    by = Issuer(_name("root CA", domain), key, domain, validity[1])
    return _sign(by, by.subject, key.public_key(), (fresh.serial, *validity), _authority(1))


def issuing(
    authority: Authority, public_key: PublicKey, *, by: Issuer, fresh: Fresh
) -> x509.Certificate:
    """Return the certificate of a node CA or a server CA.

    Args:
        authority: which of the two.
        public_key: its own.
        by: the fleet's root.
        fresh: the moment also tells it from its successors: a CRL is found by its issuer's name.
    """
    subject = _name(f"{authority} CA {stamp(fresh.now)}", by.domain)
    ends = min(fresh.now + timedelta(days=ISSUING_DAYS), by.ends)
    term = (fresh.serial, fresh.now - BACKDATED, ends)
    return _sign(by, subject, public_key, term, _authority(0) + _constraints(authority, by.domain))


def lan(key: PrivateKey, domain: str, fresh: Fresh) -> x509.Certificate:
    """Return the self-signed certificate of the LAN CA, which never ends.

    It does not stand under the root: else a site's broker could pose as the centre.
    """
    subject = _name(f"{Authority.LAN} CA {stamp(fresh.now)}", domain)
    by = Issuer(subject, key, domain, ALWAYS[1])
    extensions = _authority(0) + _constraints(Authority.LAN, domain)
    return _sign(by, subject, key.public_key(), (fresh.serial, *ALWAYS), extensions)


def leaf(
    holder: Holder, public_key: PublicKey, *, by: Issuer, fresh: Fresh, days: int
) -> x509.Certificate:
    """Return a holder's certificate; on a LAN membership decides how long it counts, not days.

    Raises:
        ProtocolError: there can be no such holder, or ``rotate``: it would outlive its issuer.
    """
    names = write(holder, by.domain)
    validity = (fresh.now - BACKDATED, fresh.now + timedelta(days=days))
    if holder.kind.has_box:
        validity = ALWAYS
    if validity[1] > by.ends:
        raise ProtocolError(
            "rotate", field=by.subject.rfc4514_string(), got=f"{days} days",
            bound=f"{by.ends:%Y-%m-%d}, when it ends itself: `roost ca rotate`",
        )  # fmt: skip
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names.common_name)])
    extensions: list[Extension] = [
        (_NO_AUTHORITY, True),
        (LEAF_USAGE, True),
        (_AS_SERVER if holder.kind.is_server else _AS_CLIENT, False),
        (x509.SubjectAlternativeName([x509.DNSName(names.dns_name)]), False),
    ]
    return _sign(by, subject, public_key, (fresh.serial, *validity), extensions)


def permitted_zones(certificate: x509.Certificate) -> set[str]:
    """Return the DNS names below which an issuing CA may name; empty: it has no such bound."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound:
        return set()
    permitted = found.value.permitted_subtrees or []
    return {name.value for name in permitted if isinstance(name, x509.DNSName)}


def _sign(
    by: Issuer,
    subject: x509.Name,
    public_key: PublicKey,
    term: Term,
    extensions: list[Extension],
) -> x509.Certificate:
    serial, first, last = term
    builder = (
        x509.CertificateBuilder()
        .issuer_name(by.subject)
        .subject_name(subject)
        .public_key(public_key)
        .serial_number(serial)
        .not_valid_before(first)
        .not_valid_after(last)
    )
    own = x509.SubjectKeyIdentifier.from_public_key(public_key)
    for extension, is_critical in [*extensions, (own, False), (by.key_id, False)]:
        builder = builder.add_extension(extension, critical=is_critical)
    return builder.sign(by.key, SHA256())


def _authority(path_length: int) -> list[Extension]:
    return [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (_usage("key_cert_sign", "crl_sign"), True),
    ]


def _constraints(authority: Authority, domain: str) -> list[Extension]:
    scope = SCOPES[authority]
    permitted: list[x509.GeneralName] = [x509.DNSName(f"{zone}.{domain}") for zone in scope.zones]
    permitted += [x509.UniformResourceIdentifier(_NOWHERE), x509.RFC822Name(_NOWHERE)]
    excluded = [x509.IPAddress(network) for network in _EVERYWHERE]
    return [
        (x509.NameConstraints(permitted, excluded), True),
        (x509.ExtendedKeyUsage(scope.usages), False),
    ]


def _name(common_name: str, domain: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, check_domain(domain)),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*granted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in granted for usage in _USAGES})


LEAF_USAGE: Final = _usage("digital_signature")
