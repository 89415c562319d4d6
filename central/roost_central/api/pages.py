"""The dashboard's files: one page for every deep link, assets under the hash of their tree."""

from typing import Final

from roost_central.api.call import HTML, Call, NoQuery, PageQuery, Reply
from roost_central.api.outlet import takes_gzip
from roost_central.api.problem import ApiError
from roost_central.api.service import StaticTree

INDEX_HEADERS: Final = {"Cache-Control": "no-cache"}
ASSET_HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
}


async def show_index(call: Call[PageQuery, None]) -> Reply:
    """GET / and every deep link: the page itself finds out what to show."""
    return Reply(_tree(call).index(), headers=INDEX_HEADERS, media=HTML)


async def show_asset(call: Call[NoQuery, None]) -> Reply:
    """GET /static/{tree}/{path}."""
    tree = _tree(call)
    asset = tree.asset(call.path("path")) if call.path("tree") == tree.tree_hash else None
    if asset is None:
        raise ApiError("not-found", "there is no such file; read the page again")
    is_gzipped = asset.gzipped is not None and takes_gzip(call.request)
    body = asset.gzipped if is_gzipped else asset.body
    headers = {**ASSET_HEADERS, "Content-Type": asset.content_type}
    return Reply(body, headers=headers, is_encoded=asset.gzipped is not None, is_gzipped=is_gzipped)


def _tree(call: Call[NoQuery, None] | Call[PageQuery, None]) -> StaticTree:
    if call.api.pages is None:
        raise ApiError("not-found", "this installation has no dashboard; the API is at /api/v1")
    return call.api.pages
