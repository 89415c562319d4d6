"""Requests and answers of the local API: one JSON packet each, at most PACKET_BYTES_MAX."""

from typing import Annotated, Any, Final, get_args

import msgspec
from msgspec import Meta

from roost_protocol.alarm import TypeId
from roost_protocol.errors import ProtocolError
from roost_protocol.severity import Severity

PACKET_BYTES_MAX: Final = 4_096
TTL_S_MAX: Final = 7 * 86_400  # a longer promise to repeat is none
TTL_S_MIN: Final = 1
LOG_TYPE: Final = "750.803"
SEVERITIES: Final = [each.word for each in Severity if each is not Severity.CLEARED]

Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]  # what the wire can say
# A long sentence is cut where it is raised, and shows so; a long entity is refused there.
Text = Annotated[str, Meta(max_length=PACKET_BYTES_MAX)]


class RaiseRequest(msgspec.Struct, tag_field="do", tag="raise", forbid_unknown_fields=True):
    """The condition is there; with ``ttl_s`` it is raised again in time or clears."""

    type: TypeId
    severity: str
    entity: Text = ""
    text: Text = ""
    params: dict[str, bool | Whole | float | str | None] = {}
    ttl_s: Annotated[float, Meta(ge=TTL_S_MIN, le=TTL_S_MAX)] | None = None


class ClearRequest(msgspec.Struct, tag_field="do", tag="clear", forbid_unknown_fields=True):
    """The condition is over."""

    type: TypeId
    entity: Text = ""


class ClearAllRequest(msgspec.Struct, tag_field="do", tag="clear_all", forbid_unknown_fields=True):
    """Everything of applications within ``prefix`` is over: the pairs of an entity."""

    prefix: Text


class ListRequest(msgspec.Struct, tag_field="do", tag="list", forbid_unknown_fields=True):
    """What stands, after a key: as many as fit a packet."""

    after: Text = ""


class LogRequest(msgspec.Struct, tag_field="do", tag="log", forbid_unknown_fields=True):
    """An event, which has no state and no clear."""

    text: Text
    severity: str = "warning"
    entity: Text = ""
    type: TypeId = LOG_TYPE


class PingRequest(msgspec.Struct, tag_field="do", tag="ping", forbid_unknown_fields=True):
    """Is there an agent?"""


Request = RaiseRequest | ClearRequest | ClearAllRequest | ListRequest | LogRequest | PingRequest


class Answer(msgspec.Struct, omit_defaults=True):
    """What came of it.

    Attributes:
        seq: last number of the alarm lane once it was on disk.
        error: what kind of refusal; empty when it was done.
        detail: the refusal as a sentence, naming field and bound.
    """

    ok: bool
    seq: int | None = None
    error: str = ""
    detail: str = ""
    result: dict[str, Any] | None = None


_decode: Final = msgspec.json.Decoder(Request).decode
_VERBS: Final = ", ".join(str(kind.__struct_config__.tag) for kind in get_args(Request))
_BOUNDS: Final = {
    "do": f"one of {_VERBS}",
    "type": "GGG.EEE, six digits",
    "ttl_s": f"{TTL_S_MIN} to {TTL_S_MAX} seconds",
}


def decode(raw: bytes) -> Request:
    """Return the request in a packet.

    Raises:
        ProtocolError: ``oversize``, ``syntax`` or ``severity``.
    """
    if len(raw) > PACKET_BYTES_MAX:
        raise ProtocolError(
            "oversize", field=f"a packet of {len(raw)} bytes", bound=f"{PACKET_BYTES_MAX} bytes"
        )
    try:
        request: Request = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
        raise _syntax(str(err)) from err
    word: str = getattr(request, "severity", "warning")
    if word not in SEVERITIES:
        bound = "one of " + ", ".join(SEVERITIES)
        raise ProtocolError("severity", field="severity", got=word[:64], bound=bound)
    return request


def _syntax(said: str) -> ProtocolError:
    """Name the field that the decoder stumbled over, and what it takes."""
    what, _, place = said.partition(" - at `$.")
    field = place.rstrip("`") or "packet"
    return ProtocolError("syntax", field=field, bound=_BOUNDS.get(field), detail=what[:200])


def encode(answer: Answer) -> bytes:
    """Return the packet of an answer."""
    return msgspec.json.encode(answer)


def refused(err: ProtocolError) -> Answer:
    """Return the answer that tells an error: what was refused, and what would be taken."""
    if err.bound is None:
        return Answer(ok=False, error=err.code, detail=str(err)[:512])
    got = "" if err.got is None else f" {str(err.got)[:80]!r}"
    return Answer(
        ok=False, error=err.code, detail=f"{err.field}{got} is refused; allowed: {err.bound}"[:512]
    )
