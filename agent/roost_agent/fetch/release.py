"""Brings a release into the mirror: metadata, its manifest, and the blobs that are not here.

In this order: what a file is here already is copied by root and never fetched; a delta is taken
where its base is here, to the byte; else the file's own blob, if the budget lets it (updates.md 8).
Each node goes through its blobs in an order of its own, so that neighbours ask for different ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roost_agent.errors import AgentError
from roost_agent.fetch.budget import Budget
from roost_agent.install.trees import bases
from roost_agent.ports import Entropy
from roost_agent.trust import blobs
from roost_agent.trust.chain import ChainError
from roost_agent.trust.refresh import UNASKED, Paths, refresh
from roost_agent.trust.source import Source
from roost_protocol.errors import ProtocolError
from roost_protocol.release.manifest import (
    MANIFEST_BYTES_MAX,
    Manifest,
    blobs_needed,
    decode,
    digest,
)
from roost_protocol.release.target import target_path
from roost_protocol.remedy import Refusal

MANIFESTS: Final = "manifests"


class NotFetchedError(AgentError):
    """It cannot be fetched now; the text says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fetched.

    Attributes:
        component, version, digest: of the release; the digest is that of its manifest.
        node: whose director is asked.
        place: of the component on this node.
    """

    component: str
    version: str
    digest: str
    node: str
    place: Path


@dataclass(frozen=True, slots=True)
class Ways:
    """Where it comes from.

    Attributes:
        metadata: who is asked what the chains say, in this order.
        mirrors: who is asked for blobs, in this order; their bytes count where they are metered.
        budget: of bytes.
        entropy: for the order of the blobs.
        has_neighbours: the first mirrors are of the site, and cost nothing.
    """

    metadata: Sequence[Source]
    mirrors: Sequence[Source]
    budget: Budget
    entropy: Entropy
    has_neighbours: bool = False


def fetch(wanted: Wanted, ways: Ways, paths: Paths, now_ms: int) -> Manifest:
    """Bring a release into the mirror; return its manifest.

    Args:
        wanted: the release.
        ways: where it comes from.
        paths: of the mirror.
        now_ms: UTC.

    Raises:
        NotFetchedError: the chains name another release, or none, or cannot be asked.
        BlobError: no mirror has a blob.
        BudgetError: there is more than may come.
        OSError: it cannot be written.
    """
    unasked = None
    try:
        refresh(ways.metadata, paths, wanted.node, now_ms)
    except ChainError as err:
        if err.code not in UNASKED:
            raise NotFetchedError(f"{err.code}: {err}") from err
        unasked = err  # what was fetched before may be all that is needed
    manifest = _manifest(wanted, paths, unasked)
    missing = {
        blob: size
        for blob, size in blobs_needed(manifest, bases(wanted.place)).items()
        if not _is_whole(paths.mirror / blobs.url_of(blob), size)
    }
    if not ways.has_neighbours:  # else it is not known how much of it comes from afar
        ways.budget.need(sum(missing.values()) - _begun(missing, paths.mirror))
    for blob in sorted(missing, key=lambda _: ways.entropy.uniform(0, 1)):
        blobs.fetch(blob, missing[blob], ways.mirrors, paths.mirror)
    return manifest


def _manifest(wanted: Wanted, paths: Paths, unasked: ChainError | None) -> Manifest:
    try:
        path = target_path(wanted.component, wanted.version)
        with (paths.mirror / MANIFESTS / path).open("rb") as stream:
            raw = stream.read(MANIFEST_BYTES_MAX + 1)
        manifest = decode(raw)
    except FileNotFoundError as err:
        what = f"{wanted.component} {wanted.version} for {wanted.node}"
        if unasked is not None:
            raise NotFetchedError(f"{unasked.code}: {unasked}; {what} is not here yet") from err
        raise NotFetchedError(f"{Refusal.DIRECTOR}: the director names no {what}") from err
    except ProtocolError as err:
        raise NotFetchedError(f"{Refusal.MANIFEST}: {err}") from err
    found = digest(raw)
    if found != wanted.digest:
        text = f"{path} is {found[:12]} here, and {wanted.digest[:12]} was asked for"
        if unasked is not None:
            raise NotFetchedError(f"{unasked.code}: {unasked}; {text}")
        raise NotFetchedError(f"{Refusal.DIGEST}: {text}")
    return manifest


def _is_whole(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size == size


def _begun(missing: dict[str, int], mirror: Path) -> int:
    """Return the bytes that came before an interruption; they are not fetched again."""
    parts = (mirror / f"{blobs.url_of(blob)}.part" for blob in missing)
    return sum(part.stat().st_size for part in parts if part.exists())
