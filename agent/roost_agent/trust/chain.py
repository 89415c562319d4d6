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

from tuf.api.exceptions import ExpiredMetadataError, RepositoryError
from tuf.api.metadata import Metadata, TargetFile, Targets
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from roost_agent.errors import AgentError
from roost_agent.trust import words
from roost_agent.trust.verdict import Named
from roost_protocol.errors import ProtocolError
from roost_protocol.release.manifest import MANIFEST_BYTES_MAX
from roost_protocol.release.target import read_custom
from roost_protocol.remedy import Refusal

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


class ChainError(AgentError):
    """A chain of trust does not hold; the text is an operator's, ``code`` is for programs."""

    def __init__(self, code: Refusal, text: str) -> None:
        super().__init__(text)
        self.code = code


class _Noting(FetcherInterface):
    """Fetches as another one does, and keeps the last file of metadata.

    Of one that has ended tuf does not say since when.
    """

    def __init__(self, fetcher: FetcherInterface) -> None:
        self._fetcher = fetcher
        self._last = bytearray()

    def _fetch(self, url: str) -> Iterator[bytes]:
        """See FetcherInterface."""
        chunks = self._fetcher.fetch(url)
        return self._noted(chunks) if url.startswith(METADATA_URL) else chunks

    def _noted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        self._last.clear()
        for chunk in chunks:
            self._last += chunk  # who reads it stops at the bound of its role
            yield chunk

    def ended(self) -> datetime | None:
        """Return until when the last file counts; None: it is no metadata."""
        try:
            expires: datetime = Metadata[Targets].from_bytes(bytes(self._last)).signed.expires
        except RepositoryError:
            return None
        return expires


class _Timed(Updater):
    """An updater whose time is the caller's, and whose signed fields can be read."""

    def at(self, now: datetime) -> None:
        """Judge expiry by this time: tuf has no other way than its own clock."""
        self._trusted_set.reference_time = now

    def ended(self, role: str) -> datetime | None:
        """Return until when what is verified of a role counts; None: nothing of it is."""
        found = self._trusted_set.get(role)
        return None if found is None else found.expires

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
        self._now = datetime.fromtimestamp(now_ms / 1_000, UTC)
        self._fetcher = _Noting(fetcher)
        self._updater: _Timed | None = None
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._told():
            self._updater = _Timed(
                str(kept), METADATA_URL, None, TARGETS_URL, self._fetcher, LIMITS, bootstrap=anchor
            )
        self._tuf.at(self._now)

    def refresh(self) -> None:
        """Verify the newest metadata that the fetcher brings.

        Raises:
            ChainError: it does not hold; what was verified before stays.
            OSError: the folder cannot be written.
        """
        with self._told():
            self._tuf.refresh()

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
            raise ChainError(
                Refusal.METADATA, f"{self.name}: {path} has no length or digest to go by"
            )
        try:
            return Named(path, found.length, digest, read_custom(path, found.custom))
        except ProtocolError as err:
            raise ChainError(Refusal.METADATA, f"{self.name}: {err}") from err

    def field(self, name: str) -> object:
        """Return a field of ours in the signed top-level targets; None: there is none."""
        return self._tuf.targets.unrecognized_fields.get(name)

    def paths(self) -> list[str]:
        """Return the targets that the top level itself names."""
        return sorted(self._tuf.targets.targets)

    def download(self, path: str, into: Path) -> bytes:
        """Fetch a target, verified; return its bytes.

        Raises:
            ChainError: it is not named, or what comes is not it.
            OSError: it cannot be written.
        """
        found = self._found(path)
        if found is None:
            raise ChainError(Refusal.METADATA, f"{self.name}: {path} is not named")
        with self._told():
            self._tuf.download_target(found, str(into))
        return into.read_bytes()

    def _found(self, path: str) -> TargetFile | None:
        with self._told():
            return self._tuf.get_targetinfo(path)

    @property
    def _tuf(self) -> _Timed:
        assert self._updater is not None  # noqa: S101 - or there is no chain
        return self._updater

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell of an error of tuf's in an operator's words."""
        try:
            yield
        except words.ERRORS as err:
            ended = self._ended(err) if isinstance(err, ExpiredMetadataError) else None
            text = words.sentence(self.name, err, ended, self._now)
            raise ChainError(words.code_of(err), text) from err

    def _ended(self, err: ExpiredMetadataError) -> datetime | None:
        """Return until when a role counted: it is verified, or it was the last to come."""
        assert self._updater is not None  # noqa: S101 - an anchor is not judged by its expiry
        found = self._updater.ended(words.role_of(err)) or self._fetcher.ended()
        return found if found is not None and found <= self._now else None
