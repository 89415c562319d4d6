"""What the director says to each site, on the centre's disk, and operators' words of members."""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from roost_central.private_file import sync_folder
from roost_central.releases.fault import ReleaseError
from roost_central.releases.folders import METADATA, SITES
from roost_central.releases.served_files import prune, put, sync_file, written
from roost_protocol.release.approval import SignedApproval
from roost_protocol.release.director import SiteDocument
from roost_protocol.release.meant import Shown
from roost_protocol.release.members import SignedMembers

GIVEN: Final = "given.json"
WORDS: Final = "members.json"  # of operators, for the members of a site
SYNCS_AT_ONCE: Final = 16  # measured: 1.5 to 3 ms a site in place of 13, one after the other


class Given(msgspec.Struct, frozen=True):
    """``sites/SITE/given.json``: what the signer was asked, to ask it again before it ends."""

    document: SiteDocument
    approvals: list[SignedApproval] = []
    version: int = 0
    signed_ms: int = 0
    shown: list[Shown] = []


class SiteStore:
    """A folder for each site.

    Args:
        folder: of all repositories; it is made where it is not there.

    Raises:
        OSError: it cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / SITES).mkdir(mode=0o755, parents=True, exist_ok=True)

    def put_directors(self, given: Sequence[tuple[Given, tuple[str, str, str]]]) -> None:
        """Serve other documents of sites; all are on the disk when it returns.

        Each is written before any is waited for, and many are waited for together: a file system
        brings what it is asked for meanwhile to the disk at once.

        Args:
            given: what was asked of the signer for a site, and its answer of that version: targets,
                snapshot, timestamp.

        Raises:
            OSError: one cannot be written.
        """
        kept: list[tuple[Path, Path]] = []
        for each, signed in given:
            folder = self.folder / SITES / each.document.site / METADATA
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            for name, text in zip(
                (f"{each.version}.targets.json", f"{each.version}.snapshot.json", "timestamp.json"),
                signed, strict=True,
            ):  # fmt: skip
                put(folder / name, text.encode(), is_synced=False)
            path = folder.parent / GIVEN
            kept.append((written(path, msgspec.json.encode(each)), path))
            prune(folder)
        with ThreadPoolExecutor(SYNCS_AT_ONCE) as pool:
            list(pool.map(sync_file, [fresh for fresh, _ in kept]))
            for fresh, path in kept:
                fresh.replace(path)
            list(pool.map(sync_folder, [path.parent for _, path in kept]))

    def words(self, site: str) -> list[SignedMembers]:
        """Return the operators' words for the members of a site that were kept.

        Raises:
            ReleaseError: ``metadata``: what is there cannot be read.
            OSError: as above.
        """
        path = self.folder / SITES / site / WORDS
        try:
            return msgspec.json.decode(path.read_bytes(), type=list[SignedMembers])
        except FileNotFoundError:
            return []
        except msgspec.MsgspecError as err:
            raise ReleaseError("metadata", f"{path}: {err}") from err

    def put_words(self, site: str, words: list[SignedMembers]) -> None:
        """Keep operators' words for the members of a site, in place of those before.

        Raises:
            OSError: they cannot be written.
        """
        put(self.folder / SITES / site / WORDS, msgspec.json.encode(words))

    def forget(self, site: str) -> None:
        """Take away what a site was given: first what it was asked by.

        Raises:
            OSError: the disk refuses.
        """
        folder = self.folder / SITES / site
        (folder / GIVEN).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)

    def given(self) -> dict[str, Given]:
        """Return what each site was given."""
        found = {}
        for path in (self.folder / SITES).glob(f"*/{GIVEN}"):
            found[path.parent.name] = read_given(path)
        return found


def read_given(path: Path) -> Given:
    """Return what a site was given, of its file.

    Raises:
        ReleaseError: ``metadata``: it cannot be read.
        OSError: as above.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Given)
    except msgspec.MsgspecError as err:
        raise ReleaseError("metadata", f"{path}: {err}") from err
