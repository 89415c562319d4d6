"""The signer's record beside the audit log: what was compared, and the record itself."""

from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from roost_central.access.signatures import NUMBERS, told
from roost_central.api.acts import act_of
from roost_central.api.call import NDJSON, Call, NoQuery, Reply
from roost_central.api.outlet import stream_parts
from roost_central.api.problem import ApiError
from roost_central.ca.compare import KEPT_MAX, Compared, Comparison
from roost_central.errors import SignerError
from roost_central.signer.message import ROWS_AN_ANSWER_MAX
from roost_central.signer.row import Place, place_of
from roost_protocol.patterns import END

REASON_CHARS_MAX: Final = 512

ROW_MAX: Final = (1 << 53) - 1


class RecordQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Past which row; by its hash it is found also in a record that was put aside."""

    after: Annotated[int, Meta(ge=0, le=ROW_MAX)] = 0
    hash: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?" + END)] = ""


class AcceptBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows that somebody has looked at: all that the comparison shows, and why they are well."""

    signatures: Annotated[list[Annotated[int, Meta(ge=1, le=ROW_MAX)]], Meta(max_length=KEPT_MAX)]
    reason: Annotated[str, Meta(min_length=1, max_length=REASON_CHARS_MAX)]


class RowAnswer(msgspec.Struct, frozen=True):
    """A row of the signer's record, by its number and its hash."""

    n: int
    hash: str


class UnexplainedAnswer(msgspec.Struct, frozen=True):
    """A signature without a row in the audit log; ``text`` is for people."""

    n: int
    text: str


class ComparisonAnswer(msgspec.Struct, frozen=True):
    """From where to where the record was compared, and what came of it.

    ``fault`` says why the record could not be gone along; it is empty where it could.
    """

    begin: RowAnswer
    compared: RowAnswer
    unexplained: list[UnexplainedAnswer]
    fault: str


async def show(call: Call[NoQuery, None]) -> ComparisonAnswer:
    """GET /api/v1/audit/signatures: compared now."""
    try:
        return _answer(await _comparison(call).compare())
    except SignerError as err:
        raise ApiError("busy", f"{err}; ask again") from None


async def record(call: Call[RecordQuery, None]) -> web.StreamResponse:
    """GET /api/v1/audit/signatures/record: its lines, as they stand in the signer's file."""
    at = Place(call.query.after, call.query.hash)
    return await stream_parts(call.request, NDJSON, _lines(_comparison(call), at))


async def accept(call: Call[NoQuery, AcceptBody]) -> Reply:
    """POST /api/v1/audit/signatures:accept."""
    comparison = _comparison(call)
    try:
        found = await comparison.compare()
        shown = sorted(row.n for row in found.missing)
        if sorted(call.body.signatures) != shown:
            raise ApiError("conflict", f"the comparison shows {shown}, not these: look again")
        detail: dict[str, Any] = {NUMBERS: shown, "fault": found.fault}
        act = act_of(call, "signatures.accept", "record", detail, reason=call.body.reason)
        return Reply(_answer(await comparison.accept(act)))
    except SignerError as err:
        raise ApiError("busy", f"{err}; ask again") from None


def _comparison(call: Call[Any, Any]) -> Comparison:
    if call.api.signatures is None:
        raise ApiError("conflict", "this centre has no signer: write [fleet] in central.toml")
    return call.api.signatures


async def _lines(comparison: Comparison, at: Place) -> AsyncIterator[Iterable[bytes]]:
    try:
        while lines := await comparison.lines(at, ROWS_AN_ANSWER_MAX):
            at = place_of(lines[-1])
            yield [line.encode() + b"\n" for line in lines]
    except SignerError as err:
        raise ApiError("busy", f"{err}; ask again") from None


def _answer(found: Compared) -> ComparisonAnswer:
    return ComparisonAnswer(
        begin=RowAnswer(*found.begin),
        compared=RowAnswer(found.n, found.head),
        unexplained=[UnexplainedAnswer(row.n, told(row)) for row in found.missing],
        fault=found.fault,
    )
