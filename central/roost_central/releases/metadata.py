"""Metadata of TUF as the centre reads it: roots by their predecessors, targets by roots.

What a node checks it checks itself, by python-tuf's client (agent trust/chain.py). Here the same is
asked before something is signed, kept or served, so that a mistake is told to who makes it.

Invariants: a root counts if its predecessor's keys and its own have signed it; targets count if
the root's threshold of keys has; no version goes back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from tuf.api.exceptions import RepositoryError, UnsignedMetadataError
from tuf.api.metadata import Metadata, Root, TargetFile, Targets
from tuf.api.serialization import DeserializationError

from roost_central.releases.fault import ReleaseError
from roost_protocol.errors import ProtocolError
from roost_protocol.release.target import TargetCustom, read_custom

ROOT_BYTES_MAX: Final = 512_000  # as nodes bound them (agent trust/chain.py)
TARGETS_BYTES_MAX: Final = 5_000_000
ROOTS_MAX: Final = 256
TARGETS_MAX: Final = 2_000  # of one image repository: 300 bytes and 7 us of verifying each
DRAFT_ANEW: Final = "this was drafted before that was published; draft it anew"
ROOT, TARGETS, SNAPSHOT, TIMESTAMP = "root", "targets", "snapshot", "timestamp"

S = TypeVar("S", Root, Targets)


@dataclass(frozen=True, slots=True)
class Named:
    """A release as the image repository names it."""

    path: str
    length: int
    digest: str
    custom: TargetCustom
    target: TargetFile


def moment(ms: int) -> datetime:
    """Return a time as TUF has it: whole seconds."""
    return datetime.fromtimestamp(ms // 1_000, UTC)


def until(ms: int, days: int) -> datetime:
    """Return when something ends that is made now."""
    return moment(ms) + timedelta(days=days)


def read(raw: bytes, kind: type[S], *, bytes_max: int, what: str) -> "Metadata[S]":
    """Return metadata of a kind, unchecked.

    Raises:
        ReleaseError: ``metadata``.
    """
    if len(raw) > bytes_max:
        raise ReleaseError("metadata", f"{what} has {len(raw)} bytes, at most {bytes_max}")
    try:
        made: Metadata[Any] = Metadata.from_bytes(raw)
    except (DeserializationError, RecursionError) as err:
        raise ReleaseError("metadata", f"{what} is no metadata of TUF") from err
    if not isinstance(made.signed, kind):
        raise ReleaseError("metadata", f"{what} is {made.signed.type}, not {kind.type}")
    return made


def read_root(raw: bytes, what: str) -> "Metadata[Root]":
    """Return a root, unchecked.

    Raises:
        ReleaseError: ``metadata``.
    """
    return read(raw, Root, bytes_max=ROOT_BYTES_MAX, what=what)


def read_targets(raw: bytes, what: str) -> "Metadata[Targets]":
    """Return targets, unchecked.

    Raises:
        ReleaseError: ``metadata``.
    """
    return read(raw, Targets, bytes_max=TARGETS_BYTES_MAX, what=what)


def anchored(raw: bytes, what: str) -> "Metadata[Root]":
    """Return a root that trust begins with: its own keys signed it.

    Raises:
        ReleaseError: ``metadata`` or ``signature``.
    """
    root = read_root(raw, what)
    _delegated(root.signed, ROOT, root, what)
    return root


def followed(root: "Metadata[Root]", newer: Sequence[bytes], what: str) -> "Metadata[Root]":
    """Return the newest root of a chain; versions up to the present one are passed over.

    Raises:
        ReleaseError: ``metadata``, ``signature`` or ``rollback``.
    """
    if len(newer) > ROOTS_MAX:
        raise ReleaseError("metadata", f"{what}: at most {ROOTS_MAX} roots at once")
    for raw in newer:
        after = read_root(raw, what)
        if after.signed.version <= root.signed.version:
            continue
        if after.signed.version != root.signed.version + 1:
            text = f"{what}: version {after.signed.version} does not follow {root.signed.version}"
            raise ReleaseError("rollback", text)
        _delegated(root.signed, ROOT, after, what)
        _delegated(after.signed, ROOT, after, what)
        root = after
    return root


def checked_targets(
    root: "Metadata[Root]", raw: bytes, now_ms: int, *, least_version: int = 1
) -> "Metadata[Targets]":
    """Return the targets of a repository, if its signers stand behind them now.

    Raises:
        ReleaseError: ``metadata``, ``signature``, ``expired`` or ``rollback``.
    """
    targets = read_targets(raw, TARGETS)
    _delegated(root.signed, TARGETS, targets, TARGETS)
    if targets.signed.version < least_version:
        text = f"targets of version {targets.signed.version}; {least_version} was there before"
        raise ReleaseError("rollback", f"{text}: {DRAFT_ANEW}")
    for made in (root.signed, targets.signed):
        if made.is_expired(moment(now_ms)):
            text = f"the {made.type} ended at {made.expires:%Y-%m-%d}: have them signed anew"
            raise ReleaseError("expired", text)
    return targets


def same_counter(path: str, other: str, counter: int) -> str:
    """Return that two releases of a component have one counter, and what to do."""
    return (
        f"{path} and {other} have the counter {counter}: build the newer one with a higher "
        "(--counter), as releases are ordered by it"
    )


def named(targets: Targets) -> dict[str, Named]:
    """Return the releases that targets name, by their paths.

    Raises:
        ReleaseError: ``metadata``: one is described badly; ``counter``: two have the same.
    """
    if len(targets.targets) > TARGETS_MAX:
        raise ReleaseError("metadata", f"{len(targets.targets)} targets, at most {TARGETS_MAX}")
    found: dict[str, Named] = {}
    counters: dict[tuple[str, int], str] = {}
    for path, target in targets.targets.items():
        try:
            custom = read_custom(path, target.custom)
        except ProtocolError as err:
            raise ReleaseError("metadata", f"{path}: {err}") from err
        digest = target.hashes.get("sha256", "")
        if not digest:
            raise ReleaseError("metadata", f"{path} has no SHA-256 to go by")
        other = counters.setdefault((custom.component, custom.counter), path)
        if other != path:
            raise ReleaseError("counter", same_counter(path, other, custom.counter))
        found[path] = Named(path, target.length, digest, custom, target)
    return found


def check_added(before: dict[str, Named], after: dict[str, Named]) -> list[Named]:
    """Return what is newly named; each counts further than all of its component before.

    Raises:
        ReleaseError: ``counter``; ``digest``: a release is another than it was.
    """
    for path in before.keys() & after.keys():
        if (before[path].digest, before[path].custom) != (after[path].digest, after[path].custom):
            raise ReleaseError("digest", f"{path} was another release before; take a new version")
    added = [after[path] for path in sorted(after.keys() - before.keys())]
    for each in added:
        most = max_counter(before.values(), each.custom.component)
        if each.custom.counter <= most:
            text = f"{each.path}: counter {each.custom.counter}, it must be above {most}"
            raise ReleaseError("counter", text)
    return added


def max_counter(releases: Iterable[Named], component: str) -> int:
    """Return the greatest counter of a component; 0 where there is none."""
    of_it = (each.custom.counter for each in releases if each.custom.component == component)
    return max(of_it, default=0)


def _delegated(root: Root, role: str, made: "Metadata[Any]", what: str) -> None:
    try:
        root.verify_delegate(role, made.signed_bytes, made.signatures)
    except UnsignedMetadataError as err:
        threshold = root.roles[role].threshold
        raise ReleaseError(
            "signature",
            f"{what} of version {made.signed.version}: it takes {threshold} keys of the role {role}"
            f" that root version {root.version} names",
        ) from err
    except (RepositoryError, ValueError) as err:
        raise ReleaseError("signature", f"{what}: {err}") from err
