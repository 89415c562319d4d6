"""Many sites at once: NDJSON, read line by line as it arrives, written in one transaction.

A bad line is answered with its number and does not stop the others; a body that breaks a bound of
the whole stops everything, and nothing is written.
"""

import asyncio
from collections.abc import AsyncIterator, Container
from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from roost_central.api.acts import act_of
from roost_central.api.answers import ImportAnswer, ImportFault
from roost_central.api.call import NDJSON, Call, NoQuery
from roost_central.api.intake import decode_json
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.sites import Labels, Latitude, Longitude, check_place, site_name
from roost_central.fleet.sites import Outcome, SiteSpec
from roost_protocol.errors import ProtocolError
from roost_protocol.topics import node_id

IMPORT_BYTES_MAX: Final = 8 << 20  # 50,000 sites with a few labels each
LINE_BYTES_MAX: Final = 16 * 1024  # 32 labels of the longest kind
READ_S_MAX: Final = 120.0  # 8 MiB over a slow line
FAULTS_MAX: Final = 1_000  # lines answered one by one; more of them are one mistake


class ImportLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One site with its nodes."""

    site: str
    labels: Labels = {}
    lat: Latitude | None = None
    lon: Longitude | None = None
    nodes: Annotated[list[str], Meta(max_length=64)] = []


async def import_sites(call: Call[NoQuery, None]) -> ImportAnswer:
    """POST /api/v1/sites:import."""
    if call.request.content_type != NDJSON:
        raise ApiError("unsupported-type", f"send the body as Content-Type: {NDJSON}")
    specs: dict[str, SiteSpec] = {}
    faults: list[ImportFault] = []
    try:
        async with asyncio.timeout(READ_S_MAX):
            await _read(call.request, specs, faults)
    except TimeoutError:
        raise ApiError("timeout", f"the body was not there within {READ_S_MAX} s") from None
    outcomes = await call.api.registry.put_all(
        specs.values(),
        lambda did: act_of(call, "site.import", f"{len(did)} sites", _counted(did)),
    )
    return ImportAnswer(**_counted(outcomes), errors=faults)


def _counted(outcomes: list[Outcome]) -> dict[str, int]:
    did = [outcome.what for outcome in outcomes]
    return {what: did.count(what) for what in ("created", "updated", "unchanged")}


async def _read(
    request: web.Request, specs: dict[str, SiteSpec], faults: list[ImportFault]
) -> None:
    """Read all lines: the good ones into ``specs``, the others into ``faults``."""
    number = 0
    async for line in _lines(request):
        number += 1
        if not line.strip():
            continue
        try:
            spec = _spec(line, specs)
            specs[spec.site] = spec
        except ApiError as err:
            if len(faults) == FAULTS_MAX:
                detail = f"more than {FAULTS_MAX} lines are wrong; nothing was written"
                raise ApiError("invalid", detail) from None
            faults.append(_fault(number, err))


async def _lines(request: web.Request) -> AsyncIterator[bytes]:
    """Yield the lines of a body.

    Raises:
        ApiError: ``too-large``, of a line or of the whole.
    """
    rest, total = b"", 0
    async for chunk in request.content.iter_any():
        total += len(chunk)
        if total > IMPORT_BYTES_MAX:
            raise ApiError("too-large", f"an import has at most {IMPORT_BYTES_MAX} bytes")
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield _bounded(line)
        _bounded(rest)
    yield rest


def _bounded(line: bytes) -> bytes:
    if len(line) > LINE_BYTES_MAX:
        raise ApiError("too-large", f"a line of an import has at most {LINE_BYTES_MAX} bytes")
    return line


def _spec(line: bytes, others: Container[str]) -> SiteSpec:
    given = decode_json(line, ImportLine)
    site = site_name(given.site)
    if site in others:
        error = FieldError(field="site", code="duplicate", detail="stands twice in this import")
        raise blame("invalid", error)
    check_place(given.lat, given.lon)
    for name in given.nodes:
        try:
            node_id(site, name)
        except ProtocolError as err:
            error = FieldError(field="nodes", code=err.code, detail=str(err))
            raise blame("invalid", error) from None
    return SiteSpec(site, given.labels, given.lat, given.lon, tuple(dict.fromkeys(given.nodes)))


def _fault(number: int, err: ApiError) -> ImportFault:
    field = err.errors[0].field if err.errors else ""
    return ImportFault(line=number, code=err.code, field=field, detail=err.detail)
