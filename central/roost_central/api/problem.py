"""Errors as RFC 9457 problem documents: the one shape of every refusal.

Leaves to the server which exception becomes which problem. Invariants: a code is stable, has one
status and one title; nothing of the inside (a traceback, a path, a statement) is ever shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import msgspec

CONTENT_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:roost:problem:"
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Kind:
    """What a code stands for."""

    status: int
    title: str


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "bad-request": Kind(400, "The request is not understood"),
        "bad-parameter": Kind(400, "A query parameter is not accepted"),
        "bad-filter": Kind(400, "The filter cannot be read"),
        "bad-cursor": Kind(400, "The cursor is not one of this list"),
        "malformed-json": Kind(400, "The body is not well-formed JSON"),
        "unauthenticated": Kind(401, "A token or a login is needed"),
        "not-allowed": Kind(403, "No grant allows it"),
        "csrf": Kind(403, "A write by cookie comes from another page"),
        "not-let-in": Kind(403, "The box is not let in"),
        "not-found": Kind(404, "There is no such thing"),
        "method-not-allowed": Kind(405, "The method is not allowed here"),
        "not-acceptable": Kind(406, "No such representation"),
        "timeout": Kind(408, "The request took too long to arrive"),
        "conflict": Kind(409, "The state does not allow it"),
        "stale": Kind(412, "It was changed since it was read"),
        "too-large": Kind(413, "The body is too large"),
        "unsupported-type": Kind(415, "The body's type is not accepted"),
        "invalid": Kind(422, "The body breaks a rule"),
        "if-match-needed": Kind(428, "Say which revision is to be replaced"),
        "throttled": Kind(429, "Too many failed attempts"),
        "internal": Kind(500, "Central failed"),
        "busy": Kind(503, "Central cannot take this now"),
        "slow": Kind(504, "Central did not finish in time"),
    }
)


class FieldError(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field that is to blame, the bound it broke and, for text, the place in it."""

    field: str
    code: str
    detail: str
    bound: str | int | None = None
    offset: int | None = None
    length: int | None = None
    suggestion: str = ""


class Problem(msgspec.Struct, frozen=True):
    """The body of every error answer."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError]
    request_id: str


class ApiError(Exception):
    """A request that is refused; becomes a problem document.

    Attributes:
        code: a key of KINDS.
        detail: one sentence for a person, saying what to do where something can be done.
        errors: the fields to blame.
        headers: extra headers of the answer, such as Retry-After.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        super().__init__(detail or KINDS[code].title)
        self.code = code
        self.detail = detail or KINDS[code].title
        self.errors = list(errors)
        self.headers = headers

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return KINDS[self.code].status

    def problem(self, request_id: str) -> Problem:
        """Return the document to answer with."""
        return Problem(
            type=TYPE_PREFIX + self.code,
            title=KINDS[self.code].title,
            status=self.status,
            detail=self.detail,
            code=self.code,
            errors=self.errors,
            request_id=request_id,
        )


def blame(code: str, error: FieldError) -> ApiError:
    """Return a refusal that blames one field, saying which name may have been meant."""
    hint = f"; did you mean {error.suggestion}?" if error.suggestion else ""
    return ApiError(code, f"{error.field}: {error.detail}{hint}", errors=[error])


def blamed(code: str, errors: list[FieldError]) -> ApiError:
    """Return a refusal that blames fields: one as a sentence, several with how many they are."""
    if len(errors) == 1:
        return blame(code, errors[0])
    return ApiError(code, f"{len(errors)} faults, the first at {errors[0].field}", errors=errors)
