"""What an alarm is about: ``kind=value`` pairs from the outside in, ``site=lab,node=n1,fs=/var``.

Containment compares pairs, never text: ``node=n1`` contains ``node=n1,port=eth0`` and not
``node=n10``. In a value ``%``, ``,`` and control characters are %-encoded.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Final, TypeAlias

from roost_protocol.errors import ProtocolError
from roost_protocol.limits import ENTITY_BYTES_MAX, ENTITY_KIND_CHARS_MAX, ENTITY_PAIRS_MAX

Pairs: TypeAlias = tuple[tuple[str, str], ...]

KEY_ID_BYTES: Final = 8
_KIND: Final = re.compile(r"[a-z][a-z0-9-]{0,15}", re.ASCII)
_SPECIAL: Final = re.compile("[%,\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ESCAPE: Final = re.compile("%([0-9A-Fa-f]{2})")


def parse(entity: str) -> Pairs:
    """Return the pairs of an entity, values decoded; none of the empty text.

    Raises:
        ProtocolError: ``entity`` or ``oversize``, naming the pair and the rule.
    """
    size = len(entity.encode("utf-8", "surrogatepass"))
    if size > ENTITY_BYTES_MAX:
        raise ProtocolError("oversize", field="entity", bound=ENTITY_BYTES_MAX, got=size)
    if not entity:
        return ()
    parts = entity.split(",")
    if len(parts) > ENTITY_PAIRS_MAX:
        raise ProtocolError("entity", field="entity", bound=ENTITY_PAIRS_MAX, got=len(parts))
    return tuple(_pair(part) for part in parts)


def join(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the entity of pairs, with what may not stand in a value encoded.

    Raises:
        ProtocolError: ``entity`` or ``oversize``.
    """
    entity = ",".join(f"{kind}={escape(value)}" for kind, value in pairs)
    parse(entity)
    return entity


def escape(value: str) -> str:
    """Return a value as it stands in an entity."""
    return _SPECIAL.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), value)


def contains(outer: Pairs, inner: Pairs) -> bool:
    """Return whether ``inner`` is ``outer`` itself or something within it."""
    return inner[: len(outer)] == outer


def key(type_: str, entity: str) -> str:
    """Return the identity of an alarm: a second raise of the same pair is the same alarm."""
    return f"{type_}|{entity}"


def key_id(type_: str, entity: str) -> str:
    """Return the identity as 16 hex digits: BLAKE2b-64 of the key."""
    text = key(type_, entity).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=KEY_ID_BYTES).hexdigest()


def _pair(part: str) -> tuple[str, str]:
    kind, equals, value = part.partition("=")
    if not equals or not value or not _KIND.fullmatch(kind):
        rule = f"kind=value: 1 to {ENTITY_KIND_CHARS_MAX} of a-z 0-9 -, then what is not empty"
        raise ProtocolError("entity", field="entity", got=part, bound=rule)
    if _SPECIAL.search(_ESCAPE.sub("", value)):
        raise ProtocolError(
            "entity", field="entity", got=part, bound="% , and control characters %-encoded"
        )
    return kind, _decoded(part, value)


def _decoded(part: str, value: str) -> str:
    if "%" not in value:
        return value
    raw = re.sub(
        rb"%([0-9A-Fa-f]{2})",
        lambda found: bytes([int(found[1], 16)]),
        value.encode("utf-8", "surrogatepass"),
    )
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ProtocolError("entity", field="entity", got=part, bound="UTF-8") from None
