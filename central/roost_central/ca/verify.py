"""Believes a peer's certificate, or says why not: stricter than TLS libraries are.

OpenSSL accepts a second name of a form that no constraint mentions (registeredID, otherName), a CN
that is not the name, and an issuing CA of one kind where another is meant (all measured). So this
looks at the whole of a certificate: it is what profiles.py writes, or it is refused.

Invariants:
- the identity is the one dNSName; the CN must repeat it;
- no extension is skipped: an unknown one, critical or not, is refused;
- nothing but the signature is looked at before the signature holds;
- it needs no network, no clock of its own and no state but what it was made with.

Leaves to others: whether the peer has the key (TLS, or a signature), and whether its generation
still counts (the database).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtensionOID, NameOID

from roost_central.ca.profiles import CLIENT, ISSUED_BY, LEAF_USAGE, SERVER, Authority
from roost_central.ca.request import KEY_RULE, p256
from roost_protocol.certificate import Holder, Kind, Names, read
from roost_protocol.errors import ProtocolError

CERTIFICATE_BYTES_MAX: Final = 4_096  # ours have about 500


@dataclass(frozen=True, slots=True)
class Peer:
    """A certificate that is believed.

    Attributes:
        holder: whom it speaks for.
        serial: hexadecimal.
        fingerprint: SHA-256 of its DER, hexadecimal. It finds a certificate and must not revoke
            one: who holds it can vary the signature's bytes (with s, n - s is valid too).
    """

    holder: Holder
    serial: str
    fingerprint: str
    not_before: datetime
    not_after: datetime


class Verifier:
    """Knows the issuers of a fleet.

    Args:
        domain: of the fleet.
        issuers: the certificates of each authority that are live; the caller believes them.
    """

    def __init__(self, domain: str, issuers: dict[Authority, Iterable[x509.Certificate]]) -> None:
        self._domain = domain
        self._issuers = {authority: list(each) for authority, each in issuers.items()}

    def peer(
        self,
        der: bytes,
        kind: Kind,
        now: datetime,
        *,
        revoked: Collection[str] = (),
        is_dated: bool = True,
    ) -> Peer:
        """Return whom a certificate speaks for.

        Args:
            der: as TLS hands it over.
            kind: what it is presented as.
            now: UTC.
            revoked: serials, hexadecimal.
            is_dated: false where an expired one is asked for by other rules.

        Raises:
            ProtocolError: ``certificate`` (it cannot be read), ``issuer``, ``not-yet-valid``,
                ``expired``, ``revoked``, ``key``, ``extension``, ``usage``, ``san``, ``cn``,
                ``name``, ``oversize`` or ``box``.
        """
        certificate = _read(der)
        issuer = self._issuer(certificate, ISSUED_BY[kind])
        if is_dated:
            _check_dates(issuer, now)
            _check_dates(certificate, now)
        serial = f"{certificate.serial_number:x}"
        if serial in revoked:
            raise ProtocolError("revoked", field="serial", got=serial)
        _check_key(certificate)
        holder = read(_names(certificate, kind), kind, self._domain)
        return Peer(
            holder,
            serial,
            certificate.fingerprint(SHA256()).hex(),
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )

    def _issuer(self, certificate: x509.Certificate, authority: Authority) -> x509.Certificate:
        for issuer in self._issuers.get(authority, []):
            try:
                certificate.verify_directly_issued_by(issuer)
            except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
                continue
            return issuer
        raise ProtocolError(
            "issuer",
            field="issuer",
            bound=f"a live {authority} CA of {self._domain}",
        )


def _read(der: bytes) -> x509.Certificate:
    if len(der) > CERTIFICATE_BYTES_MAX:
        raise ProtocolError("certificate", got=len(der), bound=f"{CERTIFICATE_BYTES_MAX} bytes")
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm) as err:
        raise ProtocolError("certificate", detail=str(err)[:120]) from err


def _check_dates(certificate: x509.Certificate, now: datetime) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begins:
        raise ProtocolError(
            "not-yet-valid", field="notBefore", bound=f"{begins:%Y-%m-%dT%H:%M:%SZ}",
            detail="is this machine's clock right?",
        )  # fmt: skip
    if now > ends:
        raise ProtocolError("expired", field="notAfter", bound=f"{ends:%Y-%m-%dT%H:%M:%SZ}")


def _check_key(certificate: x509.Certificate) -> None:
    try:
        p256(certificate.public_key())
    except (ValueError, UnsupportedAlgorithm) as err:
        raise ProtocolError("key", field="public key", bound=KEY_RULE) from err


def _names(certificate: x509.Certificate, kind: Kind) -> Names:
    """Return the two names of a certificate that holds what its profile says and no more.

    Raises:
        ProtocolError: ``extension``, ``usage``, ``san`` or ``cn``.
    """
    try:
        found = {extension.oid: extension.value for extension in certificate.extensions}
    except (ValueError, x509.DuplicateExtension) as err:
        raise ProtocolError("extension", detail=str(err)[:120]) from err
    if strange := found.keys() - _KNOWN:
        texts = ", ".join(sorted(oid.dotted_string for oid in strange))
        raise ProtocolError("extension", got=texts, bound="those of its profile")
    _check_usage(found, kind)
    return Names(_common_name(certificate), _dns_name(found))


def _check_usage(found: Mapping[x509.ObjectIdentifier, x509.ExtensionType], kind: Kind) -> None:
    extended = found.get(ExtensionOID.EXTENDED_KEY_USAGE)
    wanted = SERVER if kind.is_server else CLIENT
    if not isinstance(extended, x509.ExtendedKeyUsage) or list(extended) != [wanted]:
        raise ProtocolError("usage", field="extendedKeyUsage", bound=f"that of a {kind}, alone")
    basic = found.get(ExtensionOID.BASIC_CONSTRAINTS)
    if not isinstance(basic, x509.BasicConstraints) or basic.ca:
        raise ProtocolError("usage", field="basicConstraints", bound="CA:FALSE")
    usage = found.get(ExtensionOID.KEY_USAGE)
    if usage != LEAF_USAGE:
        raise ProtocolError("usage", field="keyUsage", bound="digitalSignature alone")


_KNOWN: Final = frozenset(
    {
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    }
)


def _dns_name(found: Mapping[x509.ObjectIdentifier, x509.ExtensionType]) -> str:
    names = found.get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    each = list(names) if isinstance(names, x509.SubjectAlternativeName) else []
    if len(each) != 1 or not isinstance(each[0], x509.DNSName):
        forms = ", ".join(type(name).__name__ for name in each) or "none"
        raise ProtocolError("san", field="subjectAltName", got=forms, bound="one dNSName")
    return each[0].value


def _common_name(certificate: x509.Certificate) -> str:
    found = list(certificate.subject)
    if len(found) != 1 or found[0].oid != NameOID.COMMON_NAME:
        subject = certificate.subject.rfc4514_string()
        raise ProtocolError("cn", field="subject", got=subject, bound="one CN")
    return str(found[0].value)
