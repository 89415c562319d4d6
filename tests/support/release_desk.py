"""Who makes and signs releases, in one hand: holders with keys, a folder of files, drafts."""

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from roost_central.releases import build, bundle, draft, draft_signing, keys
from roost_central.releases.build import Described
from roost_central.releases.draft import Holders, Roles
from roost_central.releases.draft_folder import Repository
from roost_protocol.release.approval import (
    APPROVAL_DOMAIN,
    APPROVAL_VERSION,
    Approval,
    SignedApproval,
    write_approval,
)
from roost_protocol.release.kinds import OF_CLASS, family
from roost_protocol.release.meant import Tree
from roost_protocol.release.members import (
    MEMBERS_DOMAIN,
    MEMBERS_VERSION,
    MembersWord,
    SignedMembers,
    write_members,
)

PASSPHRASE = b"six words that nobody wrote down"
DAY_MS = 86_400_000


class Holder:
    """Three people who sign, the signer's two online keys, and what they made so far."""

    def __init__(self, folder: Path, now_ms: int) -> None:
        self.folder = folder
        self.now_ms = now_ms
        self.online = folder / "online"
        for name in (keys.IMAGE_ONLINE, keys.DIRECTOR):
            keys.make(self.online, name, None)
        self.names = ("ann", "bob", "cy")
        for name in self.names:
            keys.make(folder / "keys", name, PASSPHRASE)
        self.repository = Repository()
        self._drafts = 0

    def public(self, name):
        return keys.read_public(self.folder / "keys" / f"{name}.pub")

    def key(self, name):
        return keys.open_private(self.folder / "keys" / f"{name}.key", PASSPHRASE)

    def holders(self, threshold=2, names=None):
        return Holders([self.public(each) for each in names or self.names], threshold)

    def draft(self):
        self._drafts += 1
        return self.folder / f"draft{self._drafts}"

    def init(self):
        """Draft the first roots, have two sign all of it; return what that makes."""
        where = self.draft()
        online = [
            keys.read_public(self.online / f"{each}.pub") for each in ("image-online", "director")
        ]
        draft.init(
            where,
            Roles(self.holders(), self.holders(), self.holders(), *online),
            self.now_ms,
        )
        digests = [each.digest for each in draft_signing.changes(where)]
        for name in ("ann", "bob"):
            draft_signing.sign(where, self.key(name), digests=digests)
        return self._taken(draft_signing.whole(where))

    def build(self, name="web", version="1.0", counter=1, files=None, previous=(), **more):
        """Make a bundle of some files, by path to content."""
        source = self.folder / f"source-{name}-{version}"
        for path, content in ({"bin/run": b"#!/bin/sh\n"} if files is None else files).items():
            file = source / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        component = more.pop("component", f"app/{name}")
        said = Described(
            component=component, version=version, counter=counter,
            installer=OF_CLASS[family(component)][0], **more,
        )  # fmt: skip
        return build.build(source, said, self.folder / f"bundle-{name}-{version}", previous)

    def delegate(self, role, *names, threshold=2, signers=("ann", "bob")):
        """Have a family of components given to others, which they and two holders sign."""
        for name in names:
            if not (self.folder / "keys" / f"{name}.pub").exists():
                keys.make(self.folder / "keys", name, PASSPHRASE)
        where = self.draft()
        draft.delegate(where, self.repository, self.now_ms, role, self.holders(threshold, names))
        digests = [each.digest for each in draft_signing.changes(where)]
        for name in {*signers, *names[:threshold]}:
            draft_signing.sign(where, self.key(name), digests=digests)
        return self._taken(draft_signing.whole(where))

    def release(self, *bundles, retract=(), signers=("ann", "bob")):
        """Have releases named, or named no more; return what that makes."""
        where = self.draft()
        draft.edit(where, self.repository, self.now_ms, add=bundles, retract=retract)
        for name in signers:
            draft_signing.sign(where, self.key(name), rebuilt=bundles, retracted=retract)
        return self._taken(draft_signing.whole(where))

    def follow(self, wanted):
        """Have a role given to others by a new root, which two sign."""
        where = self.draft()
        draft.succeed(where, self.repository, self.now_ms, wanted)
        digests = [each.digest for each in draft_signing.changes(where)]
        for name in ("ann", "bob"):
            draft_signing.sign(where, self.key(name), digests=digests)
        return self._taken(draft_signing.whole(where))

    def built(self, name, version="1.0"):
        """Read a bundle that was built before."""
        return bundle.read(self.folder / f"bundle-{name}-{version}")

    def _taken(self, made):
        was = self.repository
        self.repository = Repository(
            made.image_root or was.image_root,
            made.director_root or was.director_root,
            made.targets or was.targets,
            {**was.delegated, **made.delegated},
        )
        return made


class Operator:
    """Who approves."""

    def __init__(self, name="olga"):
        self.name = name
        self.key = Ed25519PrivateKey.generate()

    @property
    def public(self):
        return self.key.public_key().public_bytes_raw()

    def approves(  # noqa: PLR0913 - what an approval says
        self, digest, rollout="b" * 32, *, now_ms, sites=None, late_max=0, plan="0" * 64
    ):
        """Sign for sites, each with the digest of the release that it may go back to."""
        tree = Tree({"lab": ""} if sites is None else sites)
        raw = write_approval(
            Approval(
                v=APPROVAL_VERSION,
                operator=self.name,
                rollout=rollout,
                plan=plan,
                digest=digest,
                sites=tree.root,
                count=tree.count,
                late_max=late_max,
                not_before_ms=now_ms - 1_000,
                not_after_ms=now_ms + DAY_MS,
            )
        )
        return SignedApproval(approval=raw, signature=self.key.sign(APPROVAL_DOMAIN + raw))

    def signs_for(self, site, members, *, now_ms):
        """Sign that a site has these members and no others."""
        raw = write_members(
            MembersWord(
                v=MEMBERS_VERSION,
                operator=self.name,
                site=site,
                members=dict(members),
                not_before_ms=now_ms - 1_000,
                not_after_ms=now_ms + DAY_MS,
            )
        )
        return SignedMembers(word=raw, signature=self.key.sign(MEMBERS_DOMAIN + raw))


def operators_file(*operators):
    """Return the content of operators.json."""
    keys_ = {each.name: each.public for each in operators}
    return msgspec.json.encode({"format": 1, "operators": keys_})


def uploaded(store, made: bundle.Bundle):
    """Put a bundle into a store, as uploads do."""
    for blob in bundle.blobs_of(made.manifest):
        part = store.bundles.incoming(blob)
        with made.open(blob) as file:
            part.write_bytes(file.read())
        store.bundles.keep_blob(part, blob)
    return store.bundles.take_manifest(made.raw)
