"""The dashboard as bytes; routes, headers and sockets are the API's business.

The whole tree is read once, when the process starts: an asset is a dictionary look-up, so that no
request can name a file outside it. Asset addresses carry a hash over the tree as a path prefix,
because relative module imports inherit a path but not a query string.

Invariants: the same tree gives the same hash on every machine; an asset's answer never changes
while its address lives, so it may be cached for good.
"""

from dataclasses import dataclass
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'; require-trusted-types-for 'script'; "
    "trusted-types roost"
)
CONTENT_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
INDEX: Final = "index.html"
PREFIX_IN_SOURCE: Final = b"/static/tree/"
TREE_BYTES_MAX: Final = 8 << 20  # held in memory; the page itself is to stay under 100 KB gz


class AssetTreeError(Exception):
    """The installed package lacks its pages, or holds more than it should."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, and their gzip twin where the wheel has one."""

    body: bytes
    content_type: str
    gzipped: bytes | None = None


class Dashboard:
    """The tree of assets, and the index page that points into it."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        """Take the files by path: ``app/main.js``, and ``app/main.js.gz`` where there is a twin.

        Raises:
            AssetTreeError: there is no index page, or the files pass ``TREE_BYTES_MAX``.
        """
        if INDEX not in contents:
            raise AssetTreeError(f"{INDEX} is missing: the package was built without its pages")
        if sum(map(len, contents.values())) > TREE_BYTES_MAX:
            raise AssetTreeError(f"the pages hold more than {TREE_BYTES_MAX} bytes")
        self._assets = {
            path: Asset(body, content_type, contents.get(f"{path}.gz"))
            for path, body in contents.items()
            if (content_type := CONTENT_TYPES.get(path.rpartition(".")[2])) is not None
        }
        self.tree_hash = _tree_hash({path: asset.body for path, asset in self._assets.items()})
        prefix = f"/static/{self.tree_hash}/".encode()
        self._index = contents[INDEX].replace(PREFIX_IN_SOURCE, prefix)

    @classmethod
    def load(cls) -> "Dashboard":
        """Read the tree from the installed package."""
        return cls(_read(files("roost_central.dashboard") / "static"))

    def index(self) -> bytes:
        """Return the page served at ``/`` and at every deep path, never cached."""
        return self._index

    def asset(self, path: str) -> Asset | None:
        """Return what stands at ``/static/<tree_hash>/<path>``, cached for good."""
        return self._assets.get(path)


def _read(folder: Traversable, prefix: str = "") -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    for entry in folder.iterdir():
        path = prefix + entry.name
        if entry.is_dir():
            contents |= _read(entry, f"{path}/")
        else:
            contents[path] = entry.read_bytes()
    return contents


def _tree_hash(bodies: dict[str, bytes]) -> str:
    whole = blake2b(digest_size=8)
    for path in sorted(bodies):
        whole.update(blake2b(path.encode()).digest())
        whole.update(blake2b(bodies[path]).digest())
    return whole.hexdigest()
