"""What nodes fetch: both repositories and blobs, on the listener that boxes come to.

A node is who its certificate says, which TLS has proven and the database knows. It gets the image
repository, blobs, and the director's word for its own site; there is nothing here that another's
would be told by, and nothing of it is believed by who fetches it.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from roost_central.api.call import Call, NoQuery
from roost_central.api.enrolling import enrolment_of
from roost_central.api.outlet import write
from roost_central.api.problem import ApiError
from roost_central.api.releases import OCTETS, desk_of
from roost_central.enrol.states import State
from roost_central.errors import SignerError
from roost_central.releases.bundle import blob_path
from roost_central.releases.delegation import ROLE_PATTERN
from roost_central.releases.desk import ReleaseDesk
from roost_central.storage import identities
from roost_protocol.release.director import SiteDocument

READERS_MAX: Final = 256  # files on their way at once: 64 KiB each, and an open file
READERS_A_NODE_MAX: Final = 4
CHUNK_BYTES: Final = 64 << 10
FED: Final = frozenset({State.ISSUED, State.ACTIVE, State.RENEWAL_DUE})
_METADATA: Final = re.compile(
    rf"([1-9][0-9]{{0,15}}\.(root|targets|snapshot|{ROLE_PATTERN})|timestamp)\.json"
)
_ROOT: Final = re.compile(r"[1-9][0-9]{0,5}\.root\.json")
_TARGET: Final = re.compile(
    r"(agent|os|(app|plugin|config|policy)/[a-z0-9][a-z0-9._-]{0,62})"
    r"/[0-9a-f]{64}\.[0-9A-Za-z][0-9A-Za-z.+~_-]{0,63}\.json"
)
_BLOB: Final = re.compile(r"[0-9a-f]{64}")
_RANGE: Final = re.compile(r"bytes=([0-9]{1,16})-([0-9]{0,16})")

_reading: dict[str, int] = {}


async def image_metadata(call: Call[NoQuery, None]) -> web.StreamResponse:
    """GET /api/v1/releases/image/metadata/{file}."""
    site, node = await _node(call)
    del site
    file = _fitting(_METADATA, call.path("file"))
    return await _sent(call, node, desk_of(call).store.folder / "image/metadata" / file)


async def image_target(call: Call[NoQuery, None]) -> web.StreamResponse:
    """GET /api/v1/releases/image/targets/{path}."""
    _, node = await _node(call)
    path = _fitting(_TARGET, call.path("path"))
    return await _sent(call, node, desk_of(call).store.folder / "image/targets" / path)


async def director_metadata(call: Call[NoQuery, None]) -> web.StreamResponse:
    """GET /api/v1/releases/director/metadata/{file}: of the site of who asks."""
    site, node = await _node(call)
    desk = desk_of(call)
    file, folder = _fitting(_METADATA, call.path("file")), desk.store.folder
    if desk.is_published and desk.sites.document(site) is None:
        await _told_nothing(desk, site)
    of = "director" if _ROOT.fullmatch(file) else f"sites/{site}"
    return await _sent(call, node, folder / of / "metadata" / file)


async def _told_nothing(desk: ReleaseDesk, site: str) -> None:
    """Have a site told that it installs nothing: so its nodes know what is fresh at once.

    Raises:
        ApiError: ``busy``: the signer does not answer, or not now.
    """
    try:
        [why] = await desk.sites.assign([SiteDocument(v=1, site=site, assignments=[])], [])
    except SignerError as err:
        raise ApiError("busy", f"{err}; ask again") from None
    if why is not None:
        raise ApiError("busy", f"the signer does not sign for {site} now: {why.detail}")


async def blob(call: Call[NoQuery, None]) -> web.StreamResponse:
    """GET /api/v1/releases/blobs/{prefix}/{blob}."""
    _, node = await _node(call)
    name = _fitting(_BLOB, call.path("blob"))
    return await _sent(call, node, desk_of(call).store.folder / blob_path(name))


async def _node(call: Call[Any, Any]) -> tuple[str, str]:
    """Return site and id of the node that asks.

    Raises:
        ApiError: ``unauthenticated`` or ``not-let-in``.
    """
    enrolment_of(call)
    transport = call.request.transport
    tls = None if transport is None else transport.get_extra_info("ssl_object")
    certificate = None if tls is None else tls.getpeercert(binary_form=True)
    if certificate is None:
        raise ApiError("unauthenticated", "show the node's certificate in the TLS handshake")
    async with call.api.database.read() as connection:
        holder = await identities.by_fingerprint(connection, sha256(certificate).digest())
    if holder is None or holder.state not in FED or holder.quarantine:
        why = (
            "no node has this certificate" if holder is None else f"{holder.node} is given nothing"
        )
        raise ApiError("not-let-in", f"{why}: see `roost enrol` at the centre")
    return holder.node.partition(".")[0], holder.node


def _fitting(pattern: re.Pattern[str], name: str) -> str:
    if pattern.fullmatch(name) is None:
        raise ApiError("not-found", "nothing is served at this address")
    return name


async def _sent(call: Call[Any, Any], node: str, path: Path) -> web.StreamResponse:
    """Send a file, or the part of it that is asked for (RFC 9110, 14).

    Raises:
        ApiError: ``not-found``; ``busy``: too much is on its way.
    """
    with _place(node):
        try:
            file = await asyncio.to_thread(path.open, "rb")
        except (FileNotFoundError, NotADirectoryError):
            raise ApiError("not-found", "there is no such file") from None
        with file:
            size = (await asyncio.to_thread(path.stat)).st_size
            begin, end = _wanted(call.request, size)
            headers = {"Content-Type": OCTETS, "Accept-Ranges": "bytes"}
            headers["Content-Length"] = str(end - begin)
            is_part = "Range" in call.request.headers and size > 0
            if is_part:
                headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
            response = web.StreamResponse(status=206 if is_part else 200, headers=headers)
            await response.prepare(call.request)
            file.seek(begin)
            left = end - begin
            while left and (chunk := await asyncio.to_thread(file.read, min(left, CHUNK_BYTES))):
                await write(response, chunk)
                left -= len(chunk)
    return response


@contextmanager
def _place(node: str) -> Iterator[None]:
    if sum(_reading.values()) >= READERS_MAX or _reading.get(node, 0) >= READERS_A_NODE_MAX:
        raise ApiError("busy", "too much is on its way; ask again", headers={"Retry-After": "10"})
    _reading[node] = _reading.get(node, 0) + 1
    try:
        yield
    finally:
        _reading[node] -= 1
        if not _reading[node]:
            del _reading[node]


def _wanted(request: web.Request, size: int) -> tuple[int, int]:
    """Return where what is asked for begins and ends; a range that cannot be read is ignored.

    Raises:
        ApiError: ``bad-parameter``: it begins behind the end.
    """
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if asked is None:
        return 0, size
    begin = int(asked[1])
    end = min(size, int(asked[2]) + 1) if asked[2] else size
    if begin >= size or end <= begin:
        raise ApiError("bad-parameter", f"Range: this file has {size} bytes")
    return begin, end
