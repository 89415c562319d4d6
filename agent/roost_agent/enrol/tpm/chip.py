"""The TPM of this box: its maker's certificate, its attestation key, and what they answer.

The attestation key is a primary key of the endorsement hierarchy: the TPM makes the same one again
whenever it is asked, so nothing of it is kept. Source: TCG EK Credential Profile 2.5.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from roost_agent.enrol.tpm.command import Commands, Made
from roost_agent.enrol.tpm.link import TpmError, connect
from roost_agent.enrol.tpm.template import ATTESTATION, ENDORSEMENTS, key_of
from roost_protocol.tpm import COORDINATE_BYTES, attestation_area, node_key_area

_LONG_FORM: Final = 0x82  # of a length in DER: two bytes follow
_DER_HEADER_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Chip:
    """A TPM with both keys in it.

    Attributes:
        certificate: of the endorsement key, PEM.
        fingerprint: of that key (SHA-256 of SPKI, hexadecimal): what rules know the TPM by.
        attestation_key: SPKI, PEM.
    """

    certificate: str
    fingerprint: str
    attestation_key: str
    _commands: Commands
    _endorsement: int
    _attestation: int

    def activate(self, credential: bytes, seed: bytes) -> bytes:
        """Return the secret of a challenge for this TPM and its attestation key.

        Raises:
            TpmError: it is for others.
        """
        session = self._commands.start_policy()
        try:
            self._commands.have_endorsement(session)
            keys = (self._attestation, self._endorsement)
            return self._commands.activate(keys, session, credential, seed)
        except TpmError:
            with suppress(TpmError):
                self._commands.flush(session)
            raise

    def certify(self, key: EllipticCurvePrivateKey, question: bytes) -> tuple[bytes, bytes]:
        """Return the TPM's word that a key is loaded in it, and the signature on that (DER).

        Raises:
            TpmError: it cannot be loaded, or certified.
        """
        numbers = key.private_numbers()
        point = numbers.public_numbers
        private = numbers.private_value.to_bytes(COORDINATE_BYTES, "big")
        handle = self._commands.load_key(private, node_key_area(point.x, point.y))
        try:
            attestation, r, s = self._commands.certify(handle, self._attestation, question)
        finally:
            self._commands.flush(handle)
        return attestation, encode_dss_signature(r, s)


@contextmanager
def opened(file: str) -> Iterator[Chip]:
    """Give the TPM at a device or socket, with both keys in it.

    Raises:
        TpmError: it cannot be used; its text says what to do.
    """
    link = connect(file)
    commands, made = Commands(link), list[Made]()
    try:
        certificate, endorsement = _endorsed(commands, file)
        made.append(endorsement)
        attestation = commands.create_primary(ATTESTATION)
        made.append(attestation)
        key = certificate.public_key()
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        yield Chip(
            certificate.public_bytes(Encoding.PEM).decode(),
            sha256(spki).hexdigest(),
            _attestation_pem(attestation.area),
            commands,
            endorsement.handle,
            attestation.handle,
        )
    finally:
        for each in made:
            with suppress(TpmError):
                commands.flush(each.handle)
        link.close()


def _endorsed(commands: Commands, file: str) -> tuple[x509.Certificate, Made]:
    """Return a certificate that the maker left in the TPM, and its key, made again.

    Raises:
        TpmError: there is none that can be used.
    """
    faults = []
    for index, template in ENDORSEMENTS:
        raw = commands.read_index(index)
        if raw is None:
            continue
        try:
            certificate = x509.load_der_x509_certificate(_trimmed(raw))
            key = certificate.public_key()
        except (ValueError, UnsupportedAlgorithm) as err:
            faults.append(f"the one at 0x{index:08x} cannot be read: {err}")
            continue
        made = commands.create_primary(template)
        if key_of(made.area) == key:
            return certificate, made
        commands.flush(made.handle)
        faults.append(f"the one at 0x{index:08x} is for another key than the usual template makes")
    why = "; ".join(faults) or "its maker left none in it"
    raise TpmError(f"{file}: the TPM has no endorsement certificate that can be used: {why}")


def _trimmed(raw: bytes) -> bytes:
    """Return a certificate without what fills the rest of its index."""
    if len(raw) < _DER_HEADER_BYTES or raw[1] != _LONG_FORM:
        return raw
    return raw[: _DER_HEADER_BYTES + int.from_bytes(raw[2:_DER_HEADER_BYTES], "big")]


def _attestation_pem(area: bytes) -> str:
    key = key_of(area)
    if not isinstance(key, EllipticCurvePublicKey):
        raise TpmError("the TPM made another attestation key than it was asked for")
    numbers = key.public_numbers()
    if area != attestation_area(numbers.x, numbers.y):  # else its name is not what the centre knows
        raise TpmError("the TPM writes its attestation key in a way of its own")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
