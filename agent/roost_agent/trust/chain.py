"""One repository, as far as this node trusts it: python-tuf, at a time that the caller says.

A chain begins at an anchor that came with the installation, and goes on by what was verified
before, which lies in a folder of the caller's own (``kept``). What a fetcher brings is untrusted:
a mirror, a stick, the agent's folder. One ``Chain`` is one refresh (updates.md 10, 12).

Invariants: metadata is bounded before it is read (TUF's caps of ``LIMITS``); no role goes back to
an older version while its keys are the same (TUF 5.3 to 5.6).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import TargetFile, Targets
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from roost_agent.errors import AgentError
from roost_agent.trust.verdict import Named
from roost_protocol.errors import ProtocolError
from roost_protocol.release.manifest import MANIFEST_BYTES_MAX
from roost_protocol.release.target import read_custom

LIMITS: Final = UpdaterConfig(
    max_root_rotations=256,
    max_delegations=32,
    root_max_length=512_000,  # bytes; the next ones too
    timestamp_max_length=16_384,
    snapshot_max_length=2_000_000,
    targets_max_length=5_000_000,
    prefix_targets_with_hash=True,
)
METADATA_URL: Final = "metadata/"
TARGETS_URL: Final = "targets/"
_CODES: Final = (  # the first that fits
    (ExpiredMetadataError, "expired"),
    (BadVersionNumberError, "rollback"),
    (UnsignedMetadataError, "signature"),
    (DownloadLengthMismatchError, "endless"),
    (LengthOrHashMismatchError, "mixed"),
    (DownloadError, "unreachable"),
    (RepositoryError, "metadata"),
)


class ChainError(AgentError):
    """A chain of trust does not hold; ``code`` is a word for programs.

    ``expired`` ``rollback`` ``signature`` ``endless`` ``mixed`` ``unreachable`` ``metadata``
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class _Timed(Updater):
    """An updater whose time is the caller's, and whose signed fields can be read."""

    def at(self, now: datetime) -> None:
        """Judge expiry by this time: tuf has no other way than its own clock."""
        self._trusted_set.reference_time = now

    @property
    def targets(self) -> Targets:
        """The verified top-level targets."""
        return self._trusted_set.targets


class Chain:
    """A repository.

    Args:
        name: ``image`` or ``director``, for sentences.
        anchor: the root metadata that trust begins with.
        kept: a folder for what was verified; nobody else may write to it.
        fetcher: brings files by METADATA_URL and TARGETS_URL.
        now_ms: UTC, by which expiry is judged.

    Raises:
        ChainError: the anchor is no root metadata.
        OSError: the folder cannot be written.
    """

    def __init__(
        self, name: str, *, anchor: bytes, kept: Path, fetcher: FetcherInterface, now_ms: int
    ) -> None:
        self.name = name
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _told(name):
            self._updater = _Timed(
                str(kept), METADATA_URL, None, TARGETS_URL, fetcher, LIMITS, bootstrap=anchor
            )
        self._updater.at(datetime.fromtimestamp(now_ms / 1_000, UTC))

    def refresh(self) -> None:
        """Verify the newest metadata that the fetcher brings.

        Raises:
            ChainError: it does not hold; what was verified before stays.
            OSError: the folder cannot be written.
        """
        with _told(self.name):
            self._updater.refresh()

    def named(self, path: str) -> Named | None:
        """Return a target by its path; None: this repository does not name it.

        Raises:
            ChainError: a delegation does not hold, or the target is described badly.
        """
        found = self._found(path)
        if found is None:
            return None
        digest = found.hashes.get("sha256", "")
        if not 0 < found.length <= MANIFEST_BYTES_MAX or not digest:
            raise ChainError("metadata", f"{self.name}: {path} has no length or digest to go by")
        try:
            return Named(path, found.length, digest, read_custom(path, found.custom))
        except ProtocolError as err:
            raise ChainError("metadata", f"{self.name}: {err}") from err

    def field(self, name: str) -> object:
        """Return a field of ours in the signed top-level targets; None: there is none."""
        return self._updater.targets.unrecognized_fields.get(name)

    def paths(self) -> list[str]:
        """Return the targets that the top level itself names."""
        return sorted(self._updater.targets.targets)

    def download(self, path: str, into: Path) -> bytes:
        """Fetch a target, verified; return its bytes.

        Raises:
            ChainError: it is not named, or what comes is not it.
            OSError: it cannot be written.
        """
        found = self._found(path)
        if found is None:
            raise ChainError("metadata", f"{self.name}: {path} is not named")
        with _told(self.name):
            self._updater.download_target(found, str(into))
        return into.read_bytes()

    def _found(self, path: str) -> TargetFile | None:
        with _told(self.name):
            return self._updater.get_targetinfo(path)


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except (RepositoryError, DownloadError) as err:
        code = next(code for kind, code in _CODES if isinstance(err, kind))
        raise ChainError(code, f"{name}: {err}") from err
