"""Signs the online part of both chains of releases, by what it has verified itself.

Of the image repository: snapshot and timestamp above targets that offline keys signed. Of the
director: a site's document, if the image repository names every release in it now and enough
operators agreed to each, for this site (agreed.py). The centre brings all of it and is believed in
nothing (updates.md 10).

Invariants: nothing is signed above image metadata that is older than what was seen before, also
after a restart; a release is named for a site only while the newest targets seen name it.
"""

import os
import stat
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from roost_central.errors import ConfigError
from roost_central.private_file import write_whole
from roost_central.releases.delegation import Whole, check_follows, checked_whole, read_whole
from roost_central.releases.fault import ReleaseError
from roost_central.releases.keys import open_private
from roost_central.releases.metadata import (
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    Named,
    anchored,
    followed,
    read_root,
    until,
)
from roost_central.releases.operators import COMPONENT, Operators, operators_of
from roost_central.signer.agreed import Judge, LateSites
from roost_central.signer.members import Said, SiteMembers
from roost_central.signer.message import (
    Approved,
    ForMembers,
    SignDirector,
    SignedDirector,
    SignedImage,
    SignImage,
)
from roost_central.signer.release_keys import ReleaseFiles
from roost_protocol.errors import ProtocolError
from roost_protocol.release.approval import SignedApproval
from roost_protocol.release.director import FIELD, SiteDocument, read_document
from roost_protocol.release.members import SignedMembers
from roost_protocol.release.target import written

SNAPSHOT_DAYS: Final = 30
OFFLINE_DAYS: Final = (180, 120)  # snapshot, timestamp: for sites where somebody carries a stick
DAY_MS: Final = 86_400_000
ROOT_FILE, TARGETS_FILE, OPERATORS_FILE = "root.json", "targets.json", "operators.json"
LATE_FILE, MEMBERS_FILE = "late.json", "members.db"
DELEGATED: Final = "role-"  # before the name of a role that components are given to


class Kept(msgspec.Struct, frozen=True):
    """``releases/operators.json``: who may approve, by the newest release of policy/operators."""

    keys: dict[str, bytes] = {}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the policy says."""

    approvals: int
    days: int
    days_offline: int


class ReleaseSigner:
    """Holds the two keys, and what was verified.

    Raises:
        ConfigError: what is in the folder cannot be used.
        OSError: it cannot be read.
    """

    def __init__(self, files: ReleaseFiles) -> None:
        self._files = files
        self._image = _online(files.image_key)
        self._director = _online(files.director_key)
        files.kept.mkdir(mode=0o700, exist_ok=True)
        try:
            self._root = anchored(files.image_root.read_bytes(), str(files.image_root))
            kept = files.kept / ROOT_FILE
            if kept.exists():
                self._root = read_root(kept.read_bytes(), str(kept))
            self._targets: Whole | None = None
            self._named: dict[str, Named] = {}
            before = files.kept / TARGETS_FILE
            if before.exists():
                self._targets = read_whole(before.read_bytes(), _delegated(files.kept))
                self._named = self._targets.releases
        except ReleaseError as err:
            raise ConfigError("signer", field=str(files.kept), got=str(err)) from err
        who = files.kept / OPERATORS_FILE
        keys = msgspec.json.decode(who.read_bytes(), type=Kept).keys if who.exists() else {}
        self._operators = Operators(keys)
        self._late = LateSites(files.kept / LATE_FILE)
        self._members = SiteMembers(files.kept / MEMBERS_FILE)

    @property
    def image_keyid(self) -> str:
        """Of the key of snapshot and timestamp."""
        return self._image.public_key.keyid

    @property
    def director_keyid(self) -> str:
        """Of the key of the director."""
        return self._director.public_key.keyid

    def image(self, asked: SignImage, wanted: Wanted, now_ms: int) -> SignedImage:
        """Return snapshot and timestamp above targets that offline keys signed.

        Raises:
            ReleaseError: they did not, or it is older than what was signed above before.
            OSError: what was verified cannot be kept.
        """
        version = _version(asked.after, now_ms)
        root = followed(self._root, [each.encode() for each in asked.roots], "root")
        least = {} if self._targets is None else self._targets.versions
        raw = asked.targets.encode()
        delegated = {role: each.encode() for role, each in asked.delegated.items()}
        targets = checked_whole(root, raw, delegated, now_ms, least)
        check_follows(self._targets, targets)
        releases = targets.releases
        operators = _operators(asked, releases)
        self._check_role(root.signed)
        who = msgspec.json.encode(Kept(dict(operators.keys)))
        write_whole(self._files.kept / OPERATORS_FILE, who)
        write_whole(self._files.kept / ROOT_FILE, root.to_bytes())
        _keep_delegated(self._files.kept, delegated)
        write_whole(self._files.kept / TARGETS_FILE, raw)
        self._root, self._targets = root, targets
        self._named, self._operators = releases, operators
        snapshot, timestamp = _above(
            targets.versions, version, self._image, now_ms,
            days=(SNAPSHOT_DAYS, wanted.days),
        )  # fmt: skip
        offline = _above(targets.versions, version, self._image, now_ms, days=OFFLINE_DAYS)
        return SignedImage(snapshot, timestamp, version, offline=offline)

    def director(self, asked: SignDirector, wanted: Wanted, now_ms: int) -> SignedDirector:
        """Return the metadata of a site.

        Raises:
            ReleaseError: ``document``; ``image``: a release is not named now; ``approval``: too few
                operators agreed, or not for this site; ``members``: too few agreed that several
                members go.
            OSError: that the site came later, or who belongs to it, cannot be kept.
        """
        version = _version(asked.after, now_ms)
        document = _document(asked)
        late = self._late_in(document, asked, wanted, now_ms)
        said = self._said(document, asked, wanted, now_ms)
        self._late.keep(document.site, late, now_ms)
        self._members.keep(document.site, said)
        paths = sorted({each.target for each in document.assignments})
        days = wanted.days_offline if asked.is_offline else wanted.days
        targets = Targets(
            version, expires=until(now_ms, days),
            targets={path: _repeated(self._named[path]) for path in paths},
            unrecognized_fields={FIELD: msgspec.to_builtins(document)},
        )  # fmt: skip
        made = Metadata(targets)
        made.sign(self._director)
        snapshot, timestamp = _above(
            {TARGETS: version}, version, self._director, now_ms, days=(days, days)
        )
        return SignedDirector(made.to_bytes().decode(), snapshot, timestamp, version)

    def _said(
        self, document: SiteDocument, asked: SignDirector, wanted: Wanted, now_ms: int
    ) -> Said:
        """Return what is to be kept of the members of a document that may be signed."""
        site, members = document.site, document.members
        agreed = None
        if wanted.approvals:
            words = _words(asked.for_members)
            agreed = self._operators.agreed_to_members(words, site, members, now_ms)
        return self._members.after(site, members, agreed, now_ms)

    def _check_role(self, root: Root) -> None:
        for role in (SNAPSHOT, TIMESTAMP):
            if self.image_keyid not in root.roles[role].keyids:
                text = f"root version {root.version} gives {role} to another key than this signer's"
                raise ReleaseError("key", text)

    def _late_in(
        self, document: SiteDocument, asked: SignDirector, wanted: Wanted, now_ms: int
    ) -> list[str]:
        """Return the rollouts that a site came to later, of a document that may be signed."""
        judge = Judge(
            self._operators.approved(_approvals(asked.approvals), now_ms),
            wanted.approvals,
            {each.rollout: each for each in asked.shown},
            self._late,
        )
        late = []
        for each in document.assignments:
            release = self._named.get(each.target)
            if release is None:
                text = f"{each.target} is not named by the image repository, or no more"
                raise ReleaseError("image", text)
            if wanted.approvals and judge.check(document.site, each, release.digest):
                late.append(each.rollout)
        return late


def _online(path: Path) -> CryptoSigner:
    found = path.stat()
    if found.st_uid not in {os.geteuid(), 0} or stat.S_IMODE(found.st_mode) & 0o077:
        bound = "owned by the signer's user, mode 0600"
        raise ConfigError("signer", field=str(path), got="a file of others", bound=bound)
    try:
        return open_private(path, None).signer
    except ReleaseError as err:
        raise ConfigError("signer", field=str(path), got=str(err)) from err


def _version(after: int, now_ms: int) -> int:
    """Return the next version: the time, so that no counter must be kept for every site.

    Raises:
        ReleaseError: ``version``: the one before is of a day to come.
    """
    if after > now_ms + DAY_MS:
        text = f"version {after} is of a day to come: the clock of this signer is behind"
        raise ReleaseError("version", text)
    return max(now_ms, after + 1)


def _delegated(kept: Path) -> dict[str, bytes]:
    """Return the metadata that was verified of roles, by role."""
    found = sorted(kept.glob(f"{DELEGATED}*.json"))
    return {path.stem.removeprefix(DELEGATED): path.read_bytes() for path in found}


def _keep_delegated(kept: Path, delegated: Mapping[str, bytes]) -> None:
    """Keep the metadata of roles; what is given to nobody any more goes.

    Raises:
        OSError: it cannot be kept.
    """
    for role, raw in delegated.items():
        write_whole(kept / f"{DELEGATED}{role}.json", raw)
    for role in _delegated(kept).keys() - delegated.keys():
        (kept / f"{DELEGATED}{role}.json").unlink()


def _above(
    versions: Mapping[str, int], version: int, key: CryptoSigner, now_ms: int,
    *, days: tuple[int, int],
) -> tuple[str, str]:  # fmt: skip
    """Return snapshot and timestamp above targets of these versions, as text."""
    meta = {f"{role}.json": MetaFile(each) for role, each in versions.items()}
    snapshot = Metadata(Snapshot(version, expires=until(now_ms, days[0]), meta=meta))
    timestamp = Metadata(
        Timestamp(version, expires=until(now_ms, days[1]), snapshot_meta=MetaFile(version))
    )
    for made in (snapshot, timestamp):
        made.sign(key)
    return snapshot.to_bytes().decode(), timestamp.to_bytes().decode()


def _operators(asked: SignImage, releases: Mapping[str, Named]) -> Operators:
    of_it = [each for each in releases.values() if each.custom.component == COMPONENT]
    if not of_it:
        return Operators()
    newest = max(of_it, key=lambda each: each.custom.counter)
    manifest, file = asked.operators_manifest.encode(), asked.operators.encode()
    return operators_of(manifest, file, newest.digest)


def _document(asked: SignDirector) -> SiteDocument:
    try:
        document = read_document(msgspec.json.decode(asked.document))
    except (msgspec.MsgspecError, RecursionError, ProtocolError) as err:
        raise ReleaseError("document", f"the document of {asked.site}: {err}") from err
    if document.site != asked.site:
        raise ReleaseError("document", f"the document is of {document.site}, not of {asked.site}")
    return document


def _approvals(said: list[Approved]) -> list[SignedApproval]:
    try:
        return [
            SignedApproval(
                approval=b64decode(each.approval, validate=True),
                signature=b64decode(each.signature, validate=True),
            )
            for each in said
        ]
    except ValueError as err:
        raise ReleaseError("approval", "an approval is no base64") from err


def _words(said: list[ForMembers]) -> list[SignedMembers]:
    try:
        return [
            SignedMembers(
                word=b64decode(each.word, validate=True),
                signature=b64decode(each.signature, validate=True),
            )
            for each in said
        ]
    except ValueError as err:
        raise ReleaseError("approval", "an operator's word is no base64") from err


def _repeated(release: Named) -> TargetFile:
    """Return a target word for word: nodes want the two chains to be equal."""
    made = TargetFile(release.length, {"sha256": release.digest}, release.path)
    made.unrecognized_fields["custom"] = written(release.custom)
    return made


def digest_of(metadata: str) -> str:
    """Return the digest by which the record knows what was signed."""
    return sha256(metadata.encode()).hexdigest()
