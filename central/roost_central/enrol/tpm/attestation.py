"""Reads what a TPM says of itself: TPMS_ATTEST, of a key that was certified. Pure.

Source: TCG TPM 2.0 Library, part 2 section 10.12.
"""

import struct
from dataclasses import dataclass
from typing import Final

from roost_protocol.errors import ProtocolError
from roost_protocol.tpm import ATTEST_CERTIFY, GENERATED

FIELD: Final = "attestation"
_CLOCK_BYTES: Final = 17  # clock, resetCount, restartCount, safe
_FIRMWARE_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Certified:
    """A key that is loaded in a TPM.

    Attributes:
        question: what the TPM was asked for (extraData).
        name: of the key.
    """

    question: bytes
    name: bytes


def read_certified(raw: bytes) -> Certified:
    """Return what a TPM says of a key.

    Raises:
        ProtocolError: ``attestation``: no TPM says such a thing of a key.
    """
    try:
        magic, kind = struct.unpack_from(">IH", raw)
        _signer, at = _sized(raw, 6)
        question, at = _sized(raw, at)
        name, at = _sized(raw, at + _CLOCK_BYTES + _FIRMWARE_BYTES)
        _qualified, at = _sized(raw, at)
    except struct.error as err:
        raise ProtocolError("attestation", field=FIELD, bound="a whole TPMS_ATTEST") from err
    if (magic, kind) != (GENERATED, ATTEST_CERTIFY) or at != len(raw):
        raise ProtocolError("attestation", field=FIELD, bound="a TPM's word on one key")
    return Certified(question, name)


def _sized(raw: bytes, at: int) -> tuple[bytes, int]:
    """Return a TPM2B structure's content, and where the next one begins."""
    (length,) = struct.unpack_from(">H", raw, at)
    (content,) = struct.unpack_from(f"{length}s", raw, at + 2)
    return content, at + 2 + length
