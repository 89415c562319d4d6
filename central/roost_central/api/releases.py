"""Releases over HTTP: what there is, uploads, and what their holders signed.

What is checked is in releases/desk.py and at the signer; a body that is a file is written as it
comes, hashed, and kept only if it is the one that its address names.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from roost_central.api.acts import act_of
from roost_central.api.call import JSON, Call, NoQuery, Reply
from roost_central.api.instants import instant
from roost_central.api.intake import decode_json
from roost_central.api.outlet import write
from roost_central.api.problem import ApiError, FieldError
from roost_central.api.release_answers import (
    ManifestAnswer,
    PublishBody,
    PublishedAnswer,
    ReleaseDetail,
    ReleasePage,
    RepositoryAnswer,
    SiteRepositoryAnswer,
    release_answer,
    release_detail,
)
from roost_central.api.sites import site_name
from roost_central.errors import SignerError
from roost_central.releases.bundle_store import BLOB_BYTES_MAX
from roost_central.releases.desk import ReleaseDesk
from roost_central.releases.fault import ReleaseError
from roost_central.releases.folders import DIRECTOR, IMAGE
from roost_central.releases.shelf import Release
from roost_central.storage import audit
from roost_protocol.release.manifest import MANIFEST_BYTES_MAX

logger = logging.getLogger(__name__)

OCTETS: Final = "application/octet-stream"
PUBLISH_BYTES_MAX: Final = 8 << 20  # targets at their bound, and a few roots
READ_S_MAX: Final = 3_600.0  # 4 GiB at 10 Mbit/s
CHUNK_S_MAX: Final = 30.0  # within which something must come
CHUNK_BYTES: Final = 1 << 20
_DIGEST: Final = 64


async def list_releases(call: Call[NoQuery, None]) -> ReleasePage:
    """GET /api/v1/releases."""
    desk = desk_of(call)
    targets = desk.store.chains.image.targets
    found = await asyncio.to_thread(desk.releases)
    return ReleasePage(
        items=[release_answer(each) for each in found],
        version=0 if targets is None else targets.signed.version,
        expires=None
        if targets is None
        else instant(int(targets.signed.expires.timestamp()) * 1_000),
    )


async def show_release(call: Call[NoQuery, None]) -> ReleaseDetail:
    """GET /api/v1/releases/{release}."""
    desk = desk_of(call)
    wanted = call.path("release")
    found = await asyncio.to_thread(_found, desk, wanted)
    return await asyncio.to_thread(release_detail, found, desk)


async def show_repository(call: Call[NoQuery, None]) -> RepositoryAnswer:
    """GET /api/v1/repository: what the next draft follows."""
    store = desk_of(call).store
    targets = store.chains.image.targets

    def read() -> RepositoryAnswer:
        return RepositoryAnswer(
            image_roots=[raw.decode() for raw in store.chains.roots(IMAGE)],
            director_roots=[raw.decode() for raw in store.chains.roots(DIRECTOR)],
            targets="" if targets is None else store.chains.targets_raw().decode(),
            delegated={role: raw.decode() for role, raw in store.chains.delegated_raw().items()},
        )

    return await asyncio.to_thread(read)


async def show_site(call: Call[NoQuery, None]) -> SiteRepositoryAnswer:
    """GET /api/v1/sites/{site}/repository: what somebody carries there."""
    site = site_name(call.path("site"))
    if site not in call.api.view.sites:
        raise ApiError("not-found", f"there is no site {site!r}")
    desk = desk_of(call)
    with problems():
        files, blobs = await asyncio.to_thread(desk.carried, site)
    return SiteRepositoryAnswer(site, files, blobs)


async def get_blob(call: Call[NoQuery, None]) -> web.StreamResponse:
    """GET /api/v1/blobs/{blob}."""
    store, blob = desk_of(call).store, _digest(call.path("blob"))
    if not store.bundles.has_blob(blob):
        raise ApiError("not-found", f"there is no blob {blob[:12]}")
    with await asyncio.to_thread(store.bundles.open_blob, blob) as file:
        response = web.StreamResponse(headers={"Content-Type": OCTETS})
        await response.prepare(call.request)
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            await write(response, chunk)
    return response


async def put_blob(call: Call[NoQuery, None]) -> Reply:
    """PUT /api/v1/blobs/{blob}."""
    desk, blob = desk_of(call), _digest(call.path("blob"))
    if desk.store.bundles.has_blob(blob):
        return Reply(status=204)
    with problems():
        part = desk.upload()
        try:
            got = await _written(call.request, part)
            if got != blob:
                raise ReleaseError("blob", f"what came is {got[:12]}..., not {blob[:12]}...")
            await asyncio.to_thread(desk.store.bundles.keep_blob, part, blob)
        finally:
            part.unlink(missing_ok=True)
    return Reply(status=204)


async def put_manifest(call: Call[NoQuery, None]) -> ManifestAnswer:
    """PUT /api/v1/manifests/{manifest}: its blobs come next."""
    desk, wanted = desk_of(call), _digest(call.path("manifest"))
    raw = await _whole(call.request, MANIFEST_BYTES_MAX)
    if sha256(raw).hexdigest() != wanted:
        raise ApiError("invalid", f"what came is not the manifest {wanted[:12]}...")
    with problems():
        digest = await desk.take_manifest(raw)
        manifest = desk.store.bundles.manifests[digest]
        missing = await asyncio.to_thread(desk.store.bundles.missing, digest)
    about = f"{manifest.component}/{manifest.version}"
    await _note(call, "release.upload", about, {"digest": digest})
    return ManifestAnswer(digest, missing)


async def publish(call: Call[NoQuery, None]) -> PublishedAnswer:
    """POST /api/v1/repository: metadata that offline keys signed."""
    desk = desk_of(call)
    if call.request.content_type != JSON:
        raise ApiError("unsupported-type", f"send the body as Content-Type: {JSON}")
    body = decode_json(await _whole(call.request, PUBLISH_BYTES_MAX), PublishBody)
    detail = {
        "targets": sha256(body.targets.encode()).hexdigest() if body.targets else "",
        "delegated": sorted(body.delegated),
        "roots": len(body.image_roots) + len(body.director_roots),
    }
    await _note(call, "release.publish", "repository", detail)
    with problems():
        for root in body.director_roots:
            await desk.take_director_root(root.encode())
        roots = [root.encode() for root in body.image_roots]
        added = []
        if body.targets or body.delegated:
            delegated = {role: raw.encode() for role, raw in body.delegated.items()}
            added = await desk.publish(roots, body.targets.encode(), delegated)
        else:
            await desk.follow(roots)
    targets = desk.store.chains.image.targets
    version = 0 if targets is None else targets.signed.version
    return PublishedAnswer(version, [each.path for each in added])


def desk_of(call: Call[Any, Any]) -> ReleaseDesk:
    """Return the desk of releases, where this centre has one.

    Raises:
        ApiError: ``conflict``.
    """
    if call.api.releases is None:
        detail = "this centre keeps no releases: write [fleet] with a signer in central.toml"
        raise ApiError("conflict", detail)
    return call.api.releases


@contextmanager
def problems() -> Iterator[None]:
    """Answer what the desk or the signer refuses with a problem."""
    try:
        yield
    except ReleaseError as err:
        if err.code == "busy":
            raise ApiError("busy", str(err), headers={"Retry-After": "5"}) from None
        error = FieldError("release", err.code, str(err))
        raise ApiError("invalid", str(err), errors=[error]) from None
    except SignerError as err:
        raise ApiError("conflict", f"{err}: nothing was published") from None


def _found(desk: ReleaseDesk, wanted: str) -> Release:
    """Return a release by its digest, or as COMPONENT~VERSION with a tilde for each slash."""
    for each in desk.releases():
        if wanted in {each.digest, _name(each)}:
            return each
    typed = wanted[:80].replace("~", "/")
    raise ApiError("not-found", f"there is no release {typed!r}")


def _name(release: Release) -> str:
    return f"{release.component.replace('/', '~')}~{release.version}"


def _digest(text: str) -> str:
    if len(text) != _DIGEST or not set(text) <= set("0123456789abcdef"):
        raise ApiError("bad-parameter", "a blob is named by 64 digits of 0-9 a-f")
    return text


async def _note(call: Call[Any, Any], action: str, about: str, detail: dict[str, Any]) -> None:
    async with call.api.database.write() as connection:
        await audit.add(connection, act_of(call, action, about, detail))


async def _chunks(request: web.Request, bytes_max: int) -> AsyncIterator[bytes]:
    """Yield a body.

    Raises:
        ApiError: ``too-large`` or ``timeout``.
    """
    total = 0
    try:
        async with asyncio.timeout(READ_S_MAX):
            while True:
                async with asyncio.timeout(CHUNK_S_MAX):
                    chunk = await request.content.read(CHUNK_BYTES)
                if not chunk:
                    return
                total += len(chunk)
                if total > bytes_max:
                    raise ApiError("too-large", f"this body has at most {bytes_max} bytes")
                yield chunk
    except TimeoutError:
        raise ApiError("timeout", f"nothing came for {CHUNK_S_MAX:.0f} s") from None


async def _whole(request: web.Request, bytes_max: int) -> bytes:
    whole = bytearray()
    async for chunk in _chunks(request, bytes_max):
        whole += chunk
    return bytes(whole)


async def _written(request: web.Request, part: Path) -> str:
    """Write a body into a file; return its digest."""
    hashed = sha256()
    with await asyncio.to_thread(part.open, "xb") as file:
        async for chunk in _chunks(request, BLOB_BYTES_MAX):
            hashed.update(chunk)
            await asyncio.to_thread(file.write, chunk)
    return hashed.hexdigest()
