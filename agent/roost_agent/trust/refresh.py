"""Fetches what the two repositories say now, for root to judge.

Runs as the agent's user. What a source brings is verified, and written to the mirror as it came:
root goes through all of it again by what it keeps itself (release.py), so that nothing here is
trusted by anybody. A source that brings what does not verify is left for the next one, and leaves
nothing in the mirror.

Invariants: another site's document changes nothing, whenever this is killed: the director is
verified in a copy of what is known of it; the mirror holds one version of each role beside the
newest (VERSIONS_MAX) and all roots; a file goes there whole.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.ngclient import FetcherInterface

from roost_agent.durable import replace_file
from roost_agent.trust import kept
from roost_agent.trust.chain import LIMITS, METADATA_URL, Chain, ChainError
from roost_agent.trust.release import DIRECTOR, IMAGE, read_anchor
from roost_agent.trust.source import AbsentError, Source, SourceError
from roost_protocol.errors import ProtocolError
from roost_protocol.release.director import FIELD, read_document
from roost_protocol.remedy import Refusal
from roost_protocol.topics import split_node_id

VERSIONS_MAX: Final = 2
TARGETS_A_SITE_MAX: Final = 64
FILE_BYTES_MAX: Final = 16 << 20  # of a manifest; metadata has its own caps
UNASKED: Final = frozenset({Refusal.UNREACHABLE, Refusal.ABSENT})  # what is known may be of use
_OF_SITE: Final = ("timestamp", "snapshot", "targets")  # as tuf writes them: a part of it is good
_LACKED: Final = (Refusal.UNREACHABLE, Refusal.ABSENT)
_VERSIONED: Final = re.compile(r"([0-9]+)\.(.+)\.json")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What is there now.

    Attributes:
        manifests: path of a target that this node is to install, to its file.
        source: that it came from.
    """

    manifests: dict[str, Path]
    source: str


@dataclass(frozen=True, slots=True)
class Paths:
    """Where things are.

    Attributes:
        anchors: root's folder with the two roots.
        known: what was verified here before; the caller's own.
        mirror: what root reads.
    """

    anchors: Path
    known: Path
    mirror: Path


class Recorder(FetcherInterface):
    """Fetches files of one repository from a source, and remembers its metadata.

    Attributes:
        metadata: what came, by its URL.
    """

    def __init__(self, source: Source, repository: str) -> None:
        self._source = source
        self._repository = repository
        self.metadata: dict[str, bytes] = {}

    def _fetch(self, url: str) -> Iterator[bytes]:
        """See FetcherInterface."""
        try:
            chunks = self._source.open(f"{self._repository}/{url}")
            first = next(chunks, b"")
        except AbsentError as err:
            raise DownloadHTTPError(str(err), 404) from err
        except SourceError as err:
            raise DownloadError(str(err)) from err
        return self._recorded(url, first, chunks)

    def _recorded(self, url: str, first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
        whole = bytearray(first)
        yield first
        try:
            for chunk in rest:
                whole += chunk
                if len(whole) > FILE_BYTES_MAX:
                    raise DownloadError(f"{url}: more than {FILE_BYTES_MAX} bytes")
                yield chunk
        except SourceError as err:
            raise DownloadError(str(err)) from err
        if url.startswith(METADATA_URL):
            self.metadata[url] = bytes(whole)


def refresh(sources: Sequence[Source], paths: Paths, node: str, now_ms: int) -> Fetched:
    """Bring the mirror up to date, from the first source whose word holds.

    Args:
        sources: in the order in which they are asked.
        paths: see Paths.
        node: ``SITE.NODE``: whose manifests are fetched.
        now_ms: UTC, by which expiry is judged.

    Raises:
        ChainError: of the last source: no source's word holds. Of one that was not reached rather
            than of one that lacks it: the first may have it later.
        KeptError: there is no anchor.
        OSError: it cannot be written.
    """
    last = ChainError(Refusal.UNREACHABLE, "there is no source")
    for source in sources:
        try:
            with TemporaryDirectory(prefix="roost-director-") as draft:
                return _from(source, paths, Path(draft), node, now_ms)
        except ChainError as err:
            if source is sources[0] or (last.code, err.code) != _LACKED:
                last = ChainError(err.code, f"{err} (from {source.name})")
    raise last


def _from(source: Source, paths: Paths, draft: Path, node: str, now_ms: int) -> Fetched:
    known = {IMAGE: paths.known / IMAGE, DIRECTOR: draft / DIRECTOR}
    if (paths.known / DIRECTOR).is_dir():
        shutil.copytree(paths.known / DIRECTOR, known[DIRECTOR], symlinks=True)
    made: dict[str, Chain] = {}
    recorders: dict[str, Recorder] = {}
    for name, anchor in ((IMAGE, kept.IMAGE_ROOT), (DIRECTOR, kept.DIRECTOR_ROOT)):
        recorder = Recorder(source, name)
        chain = Chain(
            name, anchor=read_anchor(paths.anchors / anchor), kept=known[name],
            fetcher=recorder, now_ms=now_ms,
        )  # fmt: skip
        chain.refresh()
        made[name], recorders[name] = chain, recorder
    wanted = _wanted(made[DIRECTOR], node)
    _keep(known[DIRECTOR], paths.known / DIRECTOR)
    manifests = {}
    for path in wanted:
        into = paths.known / "manifest.new"
        if made[IMAGE].named(path) is None:
            continue  # it was retracted; root says so, too
        made[IMAGE].download(path, into)
        manifest = paths.mirror / "manifests" / path
        manifest.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        into.replace(manifest)
        manifests[path] = manifest
    for name, recorder in recorders.items():
        for url, raw in recorder.metadata.items():
            file = paths.mirror / name / url
            file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            replace_file(file, raw, kept.READABLE)
        prune(paths.mirror / name / METADATA_URL)
    return Fetched(manifests, source.name)


def _wanted(director: Chain, node: str) -> list[str]:
    try:
        document = read_document(director.field(FIELD))
    except ProtocolError as err:
        raise ChainError(Refusal.DOCUMENT, f"the director's document is none: {err}") from err
    if document.site != split_node_id(node)[0]:
        text = f"the director's document is for site {document.site}, and this node is {node}"
        raise ChainError(Refusal.NODE, text)
    found = {each.target for each in document.assignments if node in each.nodes}
    return sorted(found)[:TARGETS_A_SITE_MAX]


def _keep(draft: Path, known: Path) -> None:
    """Keep what was verified of the director, now that it is known to be of this site."""
    known.mkdir(mode=0o700, exist_ok=True)
    for root in sorted(draft.glob("root_history/*.json")):
        (known / "root_history").mkdir(exist_ok=True)
        _written(root, known / "root_history" / root.name)
    for role in _OF_SITE:
        _written(draft / f"{role}.json", known / f"{role}.json")


def _written(file: Path, into: Path) -> None:
    raw = file.read_bytes()
    if not into.is_file() or into.read_bytes() != raw:
        replace_file(into, raw)


def prune(folder: Path) -> None:
    """Leave the newest versions of each role, and every root that a chain may pass.

    Raises:
        OSError: one cannot be removed.
    """
    versions: dict[str, list[tuple[int, Path]]] = {}
    for path in folder.glob("*.json"):
        match = _VERSIONED.fullmatch(path.name)
        if match is not None:
            versions.setdefault(match[2], []).append((int(match[1]), path))
    for role, found in versions.items():
        bound = LIMITS.max_root_rotations if role == "root" else VERSIONS_MAX
        for _, path in sorted(found)[:-bound]:
            path.unlink(missing_ok=True)
