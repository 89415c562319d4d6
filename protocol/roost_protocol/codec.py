"""MessagePack on the wire: encode, and decode without trust.

A decoder raises nothing but ``ProtocolError``, whatever the bytes. msgspec checks the types; it
lets pass duplicate keys, deep nesting inside ignored fields and extension types there. So a
message is accepted at once only when encoding it again gives the same bytes, which none of those
can do; any other (a newer sender's extra field, another encoder's integer widths) goes through a
strict scan first. The common message costs one decode and one encode.
"""

import zlib
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

import msgspec

from roost_protocol.errors import ProtocolError
from roost_protocol.limits import BODY_BYTES_MAX, COMPRESS_BYTES_MIN, MESSAGE_BYTES_MAX
from roost_protocol.scan import scan

VERSION: Final = 1
VERSION_FIRST: Final = 1

T = TypeVar("T")

_encode: Final = msgspec.msgpack.Encoder(order="sorted").encode


class _Version(msgspec.Struct):
    v: int


_version_of: Final = msgspec.msgpack.Decoder(_Version).decode


def encode(message: Any) -> bytes:  # noqa: ANN401 - the edge of the type system: any Struct
    """Return the canonical MessagePack of a message: maps sorted by key, smallest integers."""
    return _encode(message)


class Decoder(Generic[T]):
    """Decodes one type of message of this version and the one before it.

    Args:
        kind: the Struct, or the union of tagged Structs, to build: ``T`` itself.
        version: this side's version; ``version - 1`` is accepted too (never below the first).
        limit: the longest payload in bytes.
        again: encodes what was decoded, to see that nothing else was in the bytes; another one
            than ``encode`` where maps have keys that are no strings.
    """

    def __init__(
        self,
        kind: Any,  # noqa: ANN401 - a union of Structs has no better type
        *,
        version: int = VERSION,
        limit: int = MESSAGE_BYTES_MAX,
        again: Callable[[Any], bytes] = encode,
    ) -> None:
        self._again = again
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._oldest = max(VERSION_FIRST, version - 1)
        self._newest = version
        self._limit = limit

    def decode(self, payload: bytes) -> T:
        """Return the message in ``payload``.

        Raises:
            ProtocolError: ``oversize``, ``version``, ``malformed``, ``type``, ``depth``,
                ``too-many``, ``duplicate-key``, ``extension``, ``not-finite`` or ``string``.
        """
        if len(payload) > self._limit:
            raise ProtocolError("oversize", bound=self._limit, got=len(payload))
        try:
            message: T = self._decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
            raise self._refusal(payload, err) from err
        self._check_version(getattr(message, "v", self._newest))
        if self._again(message) != payload:
            scan(payload)
        return message

    def _check_version(self, version: int) -> None:
        if not self._oldest <= version <= self._newest:
            raise ProtocolError(
                "version", field="v", bound=f"{self._oldest}..{self._newest}", got=version
            )

    def _refusal(self, payload: bytes, err: Exception) -> ProtocolError:
        """Name what is wrong; another version's message is refused as that, not as malformed."""
        try:
            self._check_version(_version_of(payload).v)
        except ProtocolError as version_error:
            return version_error
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass  # not even a map with a version: the first error says more
        if isinstance(err, RecursionError):
            return ProtocolError("depth", detail="nested past the interpreter's limit")
        if isinstance(err, msgspec.ValidationError):
            text, _, where = str(err).partition(" - at `")
            return ProtocolError("type", field=where.rstrip("`").removeprefix("$."), detail=text)
        return ProtocolError("malformed", detail=str(err)[:200])


def pack(document: Any) -> tuple[bytes, bool]:  # noqa: ANN401 - any Struct of this package
    """Return a document's bytes for a report item, and whether they are compressed."""
    plain = _encode(document)
    if len(plain) < COMPRESS_BYTES_MIN:
        return plain, False
    squeezed = zlib.compress(plain, 6)
    return (squeezed, True) if len(squeezed) < len(plain) else (plain, False)


def unpack(body: bytes, *, compressed: bool) -> bytes:
    """Return the document's bytes of a report item, at most BODY_BYTES_MAX of them.

    Raises:
        ProtocolError: ``oversize`` (a zip bomb among them) or ``malformed``.
    """
    if not compressed:
        return body
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(body, BODY_BYTES_MAX + 1)
    except zlib.error as err:
        raise ProtocolError("malformed", field="body", detail=str(err)) from err
    if len(plain) > BODY_BYTES_MAX:
        raise ProtocolError("oversize", field="body", bound=BODY_BYTES_MAX)
    if not inflater.eof or inflater.unused_data:
        raise ProtocolError("malformed", field="body", detail="zlib stream cut or followed by more")
    return plain
