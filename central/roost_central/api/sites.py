"""One site: shown, registered, changed, removed.

A write names the revision it replaces (``If-Match``), so that two operators do not undo each other
unseen. The ETag is that revision: it stands for what operators write, not for what nodes report.
"""

import re
from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from roost_central.api.acts import act_of
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.rows import site_answer, site_detail
from roost_central.errors import RevisionConflictError
from roost_central.fleet.labels import LABELS_MAX
from roost_central.fleet.sites import SiteSpec
from roost_central.fleet.view import SiteRow
from roost_protocol.errors import ProtocolError
from roost_protocol.patterns import END, NO_CONTROLS
from roost_protocol.topics import check_name

LABEL_VALUE_CHARS_MAX: Final = 128
_ETAG: Final = re.compile(r'"([0-9]{1,18})"', re.ASCII)

LabelKey = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,31}" + END)]
LabelValue = Annotated[str, Meta(max_length=LABEL_VALUE_CHARS_MAX, pattern=NO_CONTROLS)]
Labels = Annotated[dict[LabelKey, LabelValue], Meta(max_length=LABELS_MAX)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]


class SiteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator says of a site: all of it, each time."""

    labels: Labels = {}
    lat: Latitude | None = None
    lon: Longitude | None = None


async def show_site(call: Call[NoQuery, None]) -> Reply:
    """GET /api/v1/sites/{site}."""
    row = _row(call)
    return Reply(site_detail(row, call.api.alarms, call.now_ms), headers=_etag(row))


async def put_site(call: Call[NoQuery, SiteBody]) -> Reply:
    """PUT /api/v1/sites/{site}."""
    site = site_name(call.path("site"))
    check_place(call.body.lat, call.body.lon)
    known = call.api.view.sites.get(site)
    spec = SiteSpec(site, call.body.labels, call.body.lat, call.body.lon)
    _check_scope(call, spec)
    revision = _revision(call.request, known)
    try:
        before, after = known and _state(known), _spec_state(spec)
        act = act_of(call, "site.put", site, before=before, after=after)
        row = await call.api.registry.put(spec, act, revision=revision)
    except RevisionConflictError:
        raise _stale(call.api.view.sites.get(site)) from None
    answer = site_answer(row, call.api.alarms, call.now_ms)
    return Reply(answer, status=200 if known else 201, headers=_etag(row))


async def delete_site(call: Call[NoQuery, None]) -> Reply:
    """DELETE /api/v1/sites/{site}."""
    row = _row(call)
    if "If-Match" in call.request.headers:
        _revision(call.request, row)
    act = act_of(call, "site.delete", row.site, {"nodes": len(row.nodes)}, before=_state(row))
    await call.api.registry.delete(row.site, act)
    return Reply(status=204)


def site_name(text: str) -> str:
    """Return a name that a site may have.

    Raises:
        ApiError: ``invalid``.
    """
    try:
        return check_name(text, field="site")
    except ProtocolError as err:
        raise no_name(err) from None


def no_name(err: ProtocolError) -> ApiError:
    """Return the refusal of what may not name a site or a node, with what may."""
    field, detail = err.field, f"{err.got!r} is no name: {err.bound}"
    if err.code == "oversize":
        field, detail = "node", f"must have at most {err.bound} characters together with its site"
    return blame("invalid", FieldError(field, err.code, detail, err.bound))


def check_place(lat: float | None, lon: float | None) -> None:
    """Refuse half a place.

    Raises:
        ApiError: ``invalid``.
    """
    if (lat is None) is not (lon is None):
        missing = "lat" if lat is None else "lon"
        error = FieldError(field=missing, code="incomplete", detail="lat and lon go together")
        raise blame("invalid", error)


def _check_scope(call: Call[NoQuery, SiteBody], spec: SiteSpec) -> None:
    """Refuse a site that is out of the caller's scope, and one that would leave or enter it.

    Raises:
        ApiError: ``not-allowed``.
    """
    is_there = call.api.registry.knows(spec.site)
    is_mine = not is_there or spec.site in call.api.view.sites
    if not (is_mine and call.scope.admits(spec)):
        detail = "no grant allows it for a site of this name with these labels"
        raise ApiError("not-allowed", detail)


def _row(call: Call[NoQuery, None]) -> SiteRow:
    row = call.api.view.sites.get(call.path("site"))
    if row is None:
        raise ApiError("not-found", f"there is no site {call.path('site')[:80]!r}")
    return row


def _state(row: SiteRow) -> list[object]:
    """Return what operators write of a site: what the audit log keeps the digest of."""
    return [row.site, row.labels, row.lat, row.lon]


def _spec_state(spec: SiteSpec) -> list[object]:
    return [spec.site, spec.labels, spec.lat, spec.lon]


def _etag(row: SiteRow) -> dict[str, str]:
    return {"ETag": f'"{row.revision}"'}


def _revision(request: web.Request, row: SiteRow | None) -> int | None:
    """Return the revision that the caller means to replace, None for a new site.

    Raises:
        ApiError: ``if-match-needed`` or ``stale``.
    """
    if row is not None and request.headers.get("If-None-Match") == "*":
        raise _stale(row)
    header = request.headers.get("If-Match")
    if header is None:
        if row is None:
            return None
        raise ApiError(
            "if-match-needed",
            f'the site is there: send If-Match: "{row.revision}" to replace what you read',
        )
    if row is None:
        raise _stale(row)
    if header.strip() == "*":
        return row.revision
    found = {_ETAG.fullmatch(part.strip()) for part in header.split(",")}
    if not any(each and int(each[1]) == row.revision for each in found):
        raise _stale(row)
    return row.revision


def _stale(row: SiteRow | None) -> ApiError:
    if row is None:
        return ApiError("stale", "there is no such site any more")
    return ApiError(
        "stale",
        f'the site is at revision "{row.revision}" now: read it again',
        headers=_etag(row),
    )
