"""Factory certificates (IDevID, IEEE 802.1AR): what a maker put into a box vouches for its key.

Leaves to rules.py where such a box belongs. Invariants: the chain ends at an authority that the
configuration names, and at no other; the certificate is an end entity's, for signatures, and names
a serial number; times count as in any certificate, of which 9999-12-31 never comes
(IEEE 802.1AR-2018 section 8.7); who has the chain only has nothing: its key signs the request.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import (
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from roost_protocol.errors import ProtocolError

CHAIN_MAX: Final = 4  # certificates that a box sends: its own, and issuers below the authority
FILE_BYTES_MAX: Final = 256 << 10
SERIAL_CHARS_MAX: Final = 128
FIELD: Final = "proof.chain"
_USES: Final = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
_READ: Final = {  # critical extensions that are looked at, here or by the verifier
    x509.BasicConstraints.oid,
    x509.KeyUsage.oid,
    x509.ExtendedKeyUsage.oid,
    x509.SubjectAlternativeName.oid,
}


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a factory certificate says of its box.

    Attributes:
        maker: whose authority it is, by its name in the configuration.
        serial: the box's number (serialNumber of the subject).
        fingerprint: of the factory key (SHA-256 of SPKI, hexadecimal): one key is one box.
    """

    maker: str
    serial: str
    fingerprint: str
    key: EllipticCurvePublicKey | RSAPublicKey

    def __str__(self) -> str:
        return f"{self.maker} vouches for {self.serial}"

    def check(self, signature: bytes, message: bytes) -> None:
        """Refuse what the factory key did not sign.

        Raises:
            ProtocolError: ``signature``.
        """
        try:
            if isinstance(self.key, RSAPublicKey):
                self.key.verify(signature, message, PKCS1v15(), SHA256())
            else:
                self.key.verify(signature, message, ECDSA(SHA256()))
        except InvalidSignature as err:
            detail = "the factory key did not sign this"
            raise ProtocolError("signature", field="proof.signature", detail=detail) from err


class Makers:
    """Authorities of makers, by name."""

    def __init__(self, authorities: Iterable[tuple[str, Sequence[x509.Certificate]]] = ()) -> None:
        self._stores = [(name, Store(list(roots))) for name, roots in authorities]

    def check(self, chain: str, now_ms: int) -> Vouched:
        """Return what a chain (PEM, the box's certificate first) says.

        Raises:
            ProtocolError: ``chain``, with what is wrong and who can mend it.
        """
        leaf, *issuers = _read(chain)
        at = datetime.fromtimestamp(now_ms / 1000, UTC)
        reasons = []
        for name, store in self._stores:
            try:
                _verify(leaf, issuers, store, at)
            except VerificationError as err:
                reasons.append(f"{name}: {err}")
            else:
                return _vouched(name, leaf)
        told = "; ".join(reasons)[:400] or "this centre trusts no maker: write [[enrol.maker]]"
        raise ProtocolError("chain", field=FIELD, detail=f"no maker vouches for it ({told})")


def read_authorities(file: Path) -> list[x509.Certificate]:
    """Return the certificates of a maker's file.

    Raises:
        ValueError: there are none, or they make no sense.
        OSError: it cannot be read.
    """
    with file.open("rb") as stream:
        raw = stream.read(FILE_BYTES_MAX + 1)
    if len(raw) > FILE_BYTES_MAX:
        raise ValueError(f"longer than {FILE_BYTES_MAX} bytes")
    found = x509.load_pem_x509_certificates(raw)
    for each in found:
        constraints = each.extensions.get_extension_for_class(x509.BasicConstraints).value
        if not constraints.ca:
            raise ValueError(f"{each.subject.rfc4514_string()} is no authority")
    return found


def _read(chain: str) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(chain.encode())
    except (ValueError, UnsupportedAlgorithm) as err:
        raise ProtocolError("chain", field=FIELD, bound="certificates in PEM") from err
    if len(found) > CHAIN_MAX:
        raise ProtocolError("chain", field=FIELD, got=len(found), bound=CHAIN_MAX)
    return found


def _verify(
    leaf: x509.Certificate, issuers: list[x509.Certificate], store: Store, at: datetime
) -> None:
    """Build and check the path to an authority (RFC 5280 section 6); the leaf's uses are ours."""
    policy = (
        PolicyBuilder()
        .store(store)
        .time(at)
        .max_chain_depth(CHAIN_MAX)
        .extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all()
        )
    )
    policy.build_client_verifier().verify(leaf, issuers)


def _vouched(maker: str, leaf: x509.Certificate) -> Vouched:
    try:
        _check_uses(leaf)
        key = leaf.public_key()
        named = leaf.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as err:
        raise ProtocolError("chain", field=FIELD, detail=str(err)) from err
    if not isinstance(key, EllipticCurvePublicKey | RSAPublicKey):
        raise ProtocolError("chain", field=FIELD, bound="an EC or an RSA key")
    if len(named) != 1 or not 1 <= len(str(named[0].value)) <= SERIAL_CHARS_MAX:
        bound = "one serialNumber in the subject (IEEE 802.1AR section 8.6)"
        raise ProtocolError("chain", field=FIELD, bound=bound)
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Vouched(maker, str(named[0].value), sha256(spki).hexdigest(), key)


def _check_uses(leaf: x509.Certificate) -> None:
    """Refuse a certificate that is for something else than to say who a box is.

    Raises:
        ValueError: so it is.
    """
    for extension in leaf.extensions:
        match extension.value:
            case x509.BasicConstraints(ca=True):
                raise ValueError("an authority's certificate says who no box is")
            case x509.KeyUsage(digital_signature=False):
                raise ValueError("its key is not for signatures")
            case x509.ExtendedKeyUsage() as uses if not _USES & set(uses):
                raise ValueError("its key is for something else than to say who a client is")
        if extension.critical and extension.oid not in _READ:
            raise ValueError(f"a critical extension {extension.oid.dotted_string}")
