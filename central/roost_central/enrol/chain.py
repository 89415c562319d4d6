"""Certificates that a maker put into a box: whose authority vouches for them.

Leaves to factory.py and tpm/endorsement.py what such a certificate must say. Invariants: the chain
ends at an authority that the configuration names, and at no other; times count as in any
certificate, of which 9999-12-31 never comes (IEEE 802.1AR-2018 section 8.7).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import (
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from roost_central.enrol.revoked_boxes import RevokedBoxes
from roost_protocol.errors import ProtocolError

CHAIN_MAX: Final = 4  # certificates that a box sends: its own, and issuers below the authority
FILE_BYTES_MAX: Final = 256 << 10
FIELD: Final = "proof.chain"
_READ: Final = {  # critical extensions that are looked at, here or by the verifier
    x509.BasicConstraints.oid,
    x509.KeyUsage.oid,
    x509.ExtendedKeyUsage.oid,
    x509.SubjectAlternativeName.oid,
}


class Authorities:
    """Authorities of makers, by name.

    Args:
        authorities: of each maker.
        revoked: what a maker revoked, by the maker's name.
        table: where the configuration has them, for who has to write it.
        issuers: what certificates of authorities must have; by default as the Web wants them.
    """

    def __init__(
        self,
        authorities: Iterable[tuple[str, Sequence[x509.Certificate]]],
        revoked: Mapping[str, RevokedBoxes],
        *,
        table: str,
        issuers: ExtensionPolicy | None = None,
    ) -> None:
        self._stores = [(name, Store(list(roots))) for name, roots in authorities]
        self._revoked = revoked
        self._table = table
        self._issuers = issuers or ExtensionPolicy.webpki_defaults_ca()

    def vouching(self, chain: str, now_ms: int) -> tuple[str, x509.Certificate]:
        """Return the maker that vouches for a chain (PEM), and the box's own certificate in it.

        Raises:
            ProtocolError: ``chain``, with what is wrong and who can mend it.
        """
        leaf, *issuers = _read(chain)
        at = datetime.fromtimestamp(now_ms / 1000, UTC)
        reasons = []
        for name, store in self._stores:
            try:
                path = self._verified(leaf, issuers, store, at)
                if name in self._revoked:
                    self._revoked[name].check(path, at)
            except VerificationError as err:
                reasons.append(f"{name}: {err}")
            except ValueError as err:
                raise ProtocolError("chain", field=FIELD, detail=str(err)) from err
            else:
                return name, leaf
        told = "; ".join(reasons)[:400] or f"this centre trusts no maker: write {self._table}"
        raise ProtocolError("chain", field=FIELD, detail=f"no maker vouches for it ({told})")

    def _verified(
        self,
        leaf: x509.Certificate,
        issuers: list[x509.Certificate],
        store: Store,
        at: datetime,
    ) -> list[x509.Certificate]:
        """Return the path to an authority, checked (RFC 5280, 6); the leaf's uses are others'."""
        policies = PolicyBuilder().extension_policies(
            ca_policy=self._issuers, ee_policy=ExtensionPolicy.permit_all()
        )
        policy = policies.store(store).time(at).max_chain_depth(CHAIN_MAX)
        return policy.build_client_verifier().verify(leaf, issuers).chain


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


def check_extensions(leaf: x509.Certificate) -> None:
    """Refuse an authority's certificate, and one with a critical extension that nobody reads.

    Raises:
        ValueError: so it is.
    """
    for extension in leaf.extensions:
        if isinstance(extension.value, x509.BasicConstraints) and extension.value.ca:
            raise ValueError("an authority's certificate says who no box is")
        if extension.critical and extension.oid not in _READ:
            raise ValueError(f"a critical extension {extension.oid.dotted_string}")


@contextmanager
def told_as_chain() -> Iterator[None]:
    """Tell what a certificate of a box says wrong, or in a form that cannot be read.

    Raises:
        ProtocolError: ``chain``, with what it is.
    """
    try:
        yield
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as err:
        raise ProtocolError("chain", field=FIELD, detail=str(err)) from err


def fingerprint(key: EllipticCurvePublicKey | RSAPublicKey) -> str:
    """Return SHA-256 of a public key (SPKI), hexadecimal."""
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _read(chain: str) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(chain.encode())
    except (ValueError, UnsupportedAlgorithm) as err:
        raise ProtocolError("chain", field=FIELD, bound="certificates in PEM") from err
    if len(found) > CHAIN_MAX:
        raise ProtocolError("chain", field=FIELD, got=len(found), bound=CHAIN_MAX)
    return found
