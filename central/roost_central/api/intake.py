"""What comes with a request, made into typed values or into an error that names the field.

Query parameters and JSON bodies are msgspec Structs that refuse unknown names. JSON is strict: no
key twice, no NaN, UTF-8, bounded in bytes before it is read and in depth by its types.
"""

import json
import re
from collections.abc import Iterable
from typing import Final, NoReturn, TypeVar

import msgspec
from aiohttp import web

from roost_central.api.bounds import in_words
from roost_central.api.call import JSON
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.fleet.query_suggest import closest

S = TypeVar("S", bound=msgspec.Struct)

_AT: Final = re.compile(r"^(?P<what>.*?)(?: - at `(?P<where>[^`]*)`)?$", re.DOTALL)
_UNKNOWN: Final = re.compile(r"unknown field `(?P<name>.*)`$", re.DOTALL)
_MISSING: Final = re.compile(r"missing required field `(?P<name>.*)`$", re.DOTALL)
_BOUND: Final = re.compile(r"(?:>=|<=|<|>|matching regex) .*$", re.DOTALL)
_DETAIL_CHARS_MAX: Final = 200  # of what the caller sent, repeated to it


def parse_query(request: web.Request, query: type[S]) -> S:
    """Return the query parameters of a request.

    Raises:
        ApiError: ``bad-parameter``.
    """
    return read_parameters(request.query.items(), query)


def read_parameters(pairs: Iterable[tuple[str, str]], query: type[S]) -> S:
    """Return named texts as the parameters of a request.

    Raises:
        ApiError: ``bad-parameter``.
    """
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            twice = FieldError(field=_cut(name), code="duplicate", detail="is given twice")
            raise blame("bad-parameter", twice)
        given[name] = value
    try:
        return msgspec.convert(given, query, strict=False)
    except msgspec.ValidationError as err:
        raise _refused(str(err), query, problem="bad-parameter") from None


async def read_json(request: web.Request, body: type[S], *, bytes_max: int) -> S:
    """Return the JSON body of a request.

    Raises:
        ApiError: ``unsupported-type``, ``too-large``, ``malformed-json`` or ``invalid``.
    """
    if request.content_type != JSON:
        raise ApiError("unsupported-type", f"send the body as Content-Type: {JSON}")
    return decode_json(await _whole(request, bytes_max), body)


async def _whole(request: web.Request, bytes_max: int) -> bytes:
    """Return a body. aiohttp's own ``read`` has one bound for all routes, and each has its own."""
    whole = bytearray()
    async for chunk in request.content.iter_any():
        whole += chunk
        if len(whole) > bytes_max:
            raise ApiError("too-large", f"this body has at most {bytes_max} bytes")
    return bytes(whole)


def decode_json(text: bytes, body: type[S]) -> S:
    """Return one JSON document of a type.

    Raises:
        ApiError: ``malformed-json`` or ``invalid``.
    """
    try:
        json.loads(text, object_pairs_hook=_without_twins, parse_constant=_refuse_constant)
        return msgspec.json.decode(text, type=body)
    except msgspec.ValidationError as err:
        raise _refused(str(err), body, problem="invalid") from None
    except RecursionError:
        raise ApiError("malformed-json", "the body is nested too deeply") from None
    except ValueError as err:  # of json, of msgspec, or not UTF-8
        raise ApiError(
            "malformed-json", f"the body is not JSON: {err}"[:_DETAIL_CHARS_MAX]
        ) from None


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _refused(message: str, of: type[msgspec.Struct], *, problem: str) -> ApiError:
    """Turn msgspec's sentence into the field, the bound and the sentence of a problem."""
    parts = _AT.match(message)
    what, where = (parts["what"], parts["where"]) if parts else (message, None)
    field = (where or "$").removeprefix("$").removeprefix(".")
    if unknown := _UNKNOWN.search(what):
        name = _cut(unknown["name"])
        error = FieldError(
            field=_below(field, name),
            code="unknown-field",
            detail="is not known",
            suggestion="" if field else closest(name, of.__struct_encode_fields__),
        )
    elif missing := _MISSING.search(what):
        error = FieldError(_below(field, missing["name"]), "missing", "is missing")
    else:
        bound = _BOUND.search(what)
        error = FieldError(
            field=_cut(field or "body"),
            code="invalid",
            detail=_cut(in_words(field, what, of)),
            bound=_cut(bound[0]) if bound else None,
        )
    return blame(problem, error)


def _below(field: str, name: str) -> str:
    return _cut(f"{field}.{name}" if field else name)


def _cut(text: str) -> str:
    """Return what the caller sent, short enough to repeat to it."""
    return text[:_DETAIL_CHARS_MAX]
