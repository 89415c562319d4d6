"""Factory certificates (IDevID, IEEE 802.1AR): what a maker put into a box vouches for its key.

Leaves to rules.py where such a box belongs, to chain.py whose authority counts. Invariants: the
certificate is an end entity's, for signatures, and names a serial number; who has the chain only
has nothing: its key signs the request.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from roost_central.enrol.chain import (
    FIELD,
    Authorities,
    check_extensions,
    fingerprint,
    told_as_chain,
)
from roost_central.enrol.revoked_boxes import RevokedBoxes
from roost_protocol.errors import ProtocolError

SERIAL_CHARS_MAX: Final = 128
_USES: Final = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}


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

    @property
    def claim(self) -> str:
        """What stands for the factory key among the claims that boxes used."""
        return f"factory:{self.fingerprint[:32]}"

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
    """Whose factory certificates are believed."""

    def __init__(
        self,
        authorities: Iterable[tuple[str, Sequence[x509.Certificate]]] = (),
        revoked: Mapping[str, RevokedBoxes] = MappingProxyType({}),
    ) -> None:
        self._authorities = Authorities(authorities, revoked, table="[[enrol.maker]]")

    def check(self, chain: str, now_ms: int) -> Vouched:
        """Return what a chain (PEM, the box's certificate first) says.

        Raises:
            ProtocolError: ``chain``, with what is wrong and who can mend it.
        """
        return _vouched(*self._authorities.vouching(chain, now_ms))


def _vouched(maker: str, leaf: x509.Certificate) -> Vouched:
    with told_as_chain():
        _check_uses(leaf)
        key = leaf.public_key()
        named = leaf.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    if not isinstance(key, EllipticCurvePublicKey | RSAPublicKey):
        raise ProtocolError("chain", field=FIELD, bound="an EC or an RSA key")
    if len(named) != 1 or not 1 <= len(str(named[0].value)) <= SERIAL_CHARS_MAX:
        bound = "one serialNumber in the subject (IEEE 802.1AR section 8.6)"
        raise ProtocolError("chain", field=FIELD, bound=bound)
    return Vouched(maker, str(named[0].value), fingerprint(key), key)


def _check_uses(leaf: x509.Certificate) -> None:
    """Refuse a certificate that is for something else than to say who a box is.

    Raises:
        ValueError: so it is.
    """
    check_extensions(leaf)
    for extension in leaf.extensions:
        match extension.value:
            case x509.KeyUsage(digital_signature=False):
                raise ValueError("its key is not for signatures")
            case x509.ExtendedKeyUsage() as uses if not _USES & set(uses):
                raise ValueError("its key is for something else than to say who a client is")
