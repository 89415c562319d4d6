"""The desired document of one node, as it is encoded, numbered and compared.

The digest is of the settings alone: two generations of the same settings are the same to a node.
"""

import hashlib
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from roost_protocol.codec import Decoder, encode
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import NODE_ID_CHARS_MAX, ORDER_BODY_BYTES_MAX
from roost_protocol.profile.check import Fault, Tree, faults
from roost_protocol.profile.rules import together

DOCUMENT_BYTES_MAX: Final = ORDER_BODY_BYTES_MAX
DIGEST_BYTES: Final = 32  # whoever delivers a document must not find another one that fits
MARK_BYTES: Final = 8  # of a digest in each beat: enough to see that two differ


class Desired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one node should be.

    Attributes:
        v: of the document's form.
        node: whose it is.
        generation: +1 for this node each time that its settings are others.
        sections: settings by section, all within the schema.
    """

    node: Annotated[str, Meta(min_length=3, max_length=NODE_ID_CHARS_MAX)]
    generation: Annotated[int, Meta(ge=1, le=2**53)]
    sections: dict[str, dict[str, Any]]
    v: int = 1


_decoder: Final[Decoder[Desired]] = Decoder(Desired, limit=DOCUMENT_BYTES_MAX)
_settings: Final[Decoder[dict[str, dict[str, Any]]]] = Decoder(
    dict[str, dict[str, Any]], limit=DOCUMENT_BYTES_MAX
)


def settings_digest(sections: Tree) -> bytes:
    """Return the digest of settings in their canonical encoding: BLAKE2b, DIGEST_BYTES long."""
    return hashlib.blake2b(encode(sections), digest_size=DIGEST_BYTES).digest()


def decode_desired(payload: bytes) -> Desired:
    """Return the document in ``payload``, refused whole where one setting is.

    Raises:
        ProtocolError: as ``Decoder.decode``; else the code, path and bound of the first fault.
    """
    document = _decoder.decode(payload)
    found = faults(document.sections) or together(document.sections)
    if found:
        raise _refusal(found[0])
    return document


def decode_settings(payload: bytes) -> Tree:
    """Return the settings in ``payload``: what an order ``configure`` brings as its body.

    Raises:
        ProtocolError: as ``decode_desired``; ``canonical``: the digest of the bytes would not be
            that of the settings.
    """
    sections = _settings.decode(payload)
    if encode(sections) != payload:
        raise ProtocolError("canonical", detail="not the one way to write these settings")
    found = faults(sections) or together(sections)
    if found:
        raise _refusal(found[0])
    return sections


def encode_settings(sections: Tree) -> bytes:
    """Return the bytes of settings, whose digest is ``settings_digest``.

    Raises:
        ProtocolError: ``oversize``.
    """
    return _bounded(encode(sections))


def encode_desired(document: Desired) -> bytes:
    """Return a document's bytes.

    Raises:
        ProtocolError: ``oversize``.
    """
    return _bounded(encode(document))


def _bounded(payload: bytes) -> bytes:
    if len(payload) > DOCUMENT_BYTES_MAX:
        raise ProtocolError("oversize", bound=DOCUMENT_BYTES_MAX, got=len(payload))
    return payload


def _refusal(fault: Fault) -> ProtocolError:
    return ProtocolError(fault.code, field=fault.where, bound=fault.bound, got=fault.got or None)
