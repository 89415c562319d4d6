"""One row of the record of signatures, and how it is linked to the one before. Pure.

A line is the SHA-256 of the hash of the line before and of this row, a space, and the row as JSON.
"""

from hashlib import sha256
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

_HASH_CHARS: Final = 64
BEGIN: Final = "0" * _HASH_CHARS  # what the first line follows
BEGUN: Final = "begin"  # the verb of the first row behind a record that was put aside


class BrokenRecordError(ValueError):
    """A line that is no row, or not the one that follows."""


class Row(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What was signed, for whom and on whose word.

    Attributes:
        uid: of the process that asked.
        verb: ``issue``, ``crl``, ``order``, ``image``, ``director``, or ``begin`` where an archived
            file is gone on with.
        n: 1, 2, 3 ...; the log gives it.
        at_ms: UTC; so is this.
        name: of the certificate's holder.
        serial: hexadecimal.
        generation: of a node's certificate, as it was said.
        key: SHA-256 of the certificate's public key (SPKI), hexadecimal.
        revoked: what a list newly holds: serial to second.
        order: SHA-256 of an order's bytes, or of the targets that were signed; ``name`` and
            ``generation`` are whom it is for.
        act: an order's verb.
        by, approved_by: who stands behind an order, as the centre said.
        after: the last hash of the archived file.
    """

    uid: int
    verb: str
    n: int = 0
    at_ms: int = 0
    kind: str = ""
    name: str = ""
    box: int = 0
    generation: int = 0
    serial: str = ""
    fingerprint: str = ""
    issuer: str = ""
    not_after_s: int = 0
    key: str = ""
    ca: str = ""
    revoked: dict[str, int] = {}
    key_id: str = ""
    order: str = ""
    act: str = ""
    by: str = ""
    approved_by: str = ""
    after: str = ""


class Place(NamedTuple):
    """A row, by its number and its hash."""

    n: int = 0
    head: str = BEGIN


encode_row: Final = msgspec.json.Encoder().encode
_decoder: Final = msgspec.json.Decoder(Row)


def chained(previous: str, row: bytes) -> str:
    """Return the hash of a row behind the one before, hexadecimal."""
    return sha256(previous.encode() + row).hexdigest()


def read_line(line: bytes, number: int, previous: str) -> tuple[Row, str]:
    """Return the row of a line, without its end, and its hash.

    Args:
        line: as it stands in the file.
        number: which row it must be.
        previous: the hash of the row before; empty: that one is not known.

    Raises:
        BrokenRecordError: it is no row, has another number, or does not follow.
    """
    digest, _, raw = line.partition(b" ")
    try:
        row = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
        raise BrokenRecordError("it is no row") from err
    told = digest.decode("ascii", "replace")
    if row.n != number or (previous and told != chained(previous, raw)):
        raise BrokenRecordError("it does not follow the one before")
    return row, told


def place_of(line: str) -> Place:
    """Return which row a line says that it is; whether it is, its chain says.

    Raises:
        BrokenRecordError: it is no row.
    """
    digest, _, raw = line.partition(" ")
    try:
        return Place(_decoder.decode(raw).n, digest)
    except msgspec.MsgspecError as err:
        raise BrokenRecordError("it is no row") from err
