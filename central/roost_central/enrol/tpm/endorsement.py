"""Endorsement certificates: a maker's word that a key is in a TPM of its own and never leaves it.

Invariants: the certificate is an end entity's and for an endorsement key, by its uses (TCG EK
Credential Profile 2.5 section 3.2); the key is of a template that every TPM has, so it is known how
it deciphers: RSA of 2048 bits (L-1) or P-256 (L-2), both with SHA-256 and AES of 128 bits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.verification import Criticality, ExtensionPolicy

from roost_central.enrol.chain import Authorities, check_extensions, fingerprint, told_as_chain
from roost_central.enrol.revoked_boxes import RevokedBoxes

RSA_BITS: Final = 2048
ENDORSEMENT: Final = x509.ObjectIdentifier("2.23.133.8.1")  # tcg-kp-EKCertificate

# Some makers' authorities are for endorsement only, which the Web's rules for clients refuse
_ISSUERS: Final = ExtensionPolicy.webpki_defaults_ca().may_be_present(
    x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None
)

EndorsementKey = EllipticCurvePublicKey | RSAPublicKey


@dataclass(frozen=True, slots=True)
class Endorsed:
    """What an endorsement certificate says.

    Attributes:
        maker: whose authority it is, by its name in the configuration.
        fingerprint: of the endorsement key (SHA-256 of SPKI, hexadecimal): one TPM is one box.
    """

    maker: str
    fingerprint: str
    key: EndorsementKey

    def __str__(self) -> str:
        return f"{self.maker} vouches for the TPM {self.fingerprint}"

    @property
    def serial(self) -> str:
        """The number that rules know the TPM by."""
        return self.fingerprint

    @property
    def claim(self) -> str:
        """What stands for the TPM among the claims that boxes used."""
        return f"tpm:{self.fingerprint[:32]}"


class TpmMakers:
    """Whose endorsement certificates are believed."""

    def __init__(
        self,
        authorities: Iterable[tuple[str, Sequence[x509.Certificate]]] = (),
        revoked: Mapping[str, RevokedBoxes] = MappingProxyType({}),
    ) -> None:
        self._authorities = Authorities(
            authorities, revoked, table="[[enrol.tpm_maker]]", issuers=_ISSUERS
        )

    def check(self, chain: str, now_ms: int) -> Endorsed:
        """Return what a chain (PEM, the TPM's certificate first) says.

        Raises:
            ProtocolError: ``chain``, with what is wrong and who can mend it.
        """
        maker, leaf = self._authorities.vouching(chain, now_ms)
        with told_as_chain():
            _check_uses(leaf)
            key = _known(leaf.public_key())
        return Endorsed(maker, fingerprint(key), key)


def _known(key: object) -> EndorsementKey:
    """Return a key of a template that we know.

    Raises:
        ValueError: it is of another.
    """
    if isinstance(key, RSAPublicKey) and key.key_size == RSA_BITS:
        return key
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    raise ValueError(f"its key is neither of RSA with {RSA_BITS} bits nor on P-256")


def _check_uses(leaf: x509.Certificate) -> None:
    """Refuse a certificate of another key than an endorsement key.

    Raises:
        ValueError: so it is.
    """
    check_extensions(leaf)
    for extension in leaf.extensions:
        match extension.value:
            case x509.KeyUsage(key_encipherment=False, key_agreement=False):
                raise ValueError("its key deciphers nothing, as an endorsement key does")
            case x509.ExtendedKeyUsage() as uses if ENDORSEMENT not in set(uses):
                raise ValueError("its key is for something else than to endorse a TPM")
