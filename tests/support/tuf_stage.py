"""Two repositories in a folder, their keys in one hand: what honest signers and thieves can do.

It signs with python-tuf's own types, and whatever it is told to: whether that is right is what is
tested. Time is given.
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import msgspec
from releases import SIGNED_MS, manifest_of
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from roost_protocol.release.director import FIELD, Assignment, SiteDocument
from roost_protocol.release.target import target_path, written

NOW_MS = SIGNED_MS + 3_600_000
DAY_MS = 86_400_000


def moment(ms):
    return datetime.fromtimestamp(ms // 1_000, UTC)


class Repository:
    """One repository: metadata in hand, ``publish`` writes it out."""

    def __init__(self, folder, *, offline=1, threshold=1, now_ms=NOW_MS, days=7):
        self.folder = folder
        self.now_ms = now_ms
        self.is_out = False
        self.keys = {
            "root": [CryptoSigner.generate_ed25519() for _ in range(offline)],
            "targets": [CryptoSigner.generate_ed25519() for _ in range(offline)],
            "snapshot": [CryptoSigner.generate_ed25519()],
            "timestamp": [CryptoSigner.generate_ed25519()],
        }
        self.root = Root(expires=self.until(365))
        for role, signers in self.keys.items():
            for signer in signers:
                self.root.add_key(signer.public_key, role)
            if role in {"root", "targets"}:
                self.root.roles[role].threshold = threshold
        self.targets = Targets(expires=self.until(180))
        self.delegated = {}
        self.snapshot = Snapshot(expires=self.until(30))
        self.timestamp = Timestamp(expires=self.until(days))
        self.anchor = Metadata(self.root)
        self._sign(self.anchor, self.keys["root"])
        self.anchor = self.anchor.to_bytes()

    def until(self, days):
        return moment(self.now_ms) + timedelta(days=days)

    def delegate(self, role, pattern, signers, threshold):
        keys = {each.public_key.keyid: each.public_key for each in signers}
        if self.targets.delegations is None:
            self.targets.delegations = Delegations({}, {})
        self.targets.delegations.keys |= keys
        self.targets.delegations.roles[role] = DelegatedRole(
            role, [*keys], threshold, terminating=True, paths=[pattern]
        )
        self.delegated[role] = Targets(expires=self.until(180))
        self.keys[role] = signers

    def rotate(self, *roles, signed_by=None):
        """Give roles new keys by a new root; the old ones are known to nobody any more."""
        old = self.keys["root"]
        for role in roles:
            for signer in self.keys[role]:
                self.root.revoke_key(signer.public_key.keyid, role)
            self.keys[role] = [CryptoSigner.generate_ed25519() for _ in self.keys[role]]
            for signer in self.keys[role]:
                self.root.add_key(signer.public_key, role)
        self.root.version += 1
        signers = old if signed_by is None else signed_by
        self._write("root", self.root, [*signers, *self.keys["root"]])

    def publish(self, *, signers=None):
        """Write everything anew, a version on."""
        signers = {**self.keys, **(signers or {})}
        roles = {"targets": self.targets, **self.delegated}
        if not self.is_out:
            self._put("1.root.json", self.anchor)
        for role in [*roles.values(), self.snapshot, self.timestamp] if self.is_out else []:
            role.version += 1
        self.is_out = True
        for name, role in roles.items():
            self._write(name, role, signers[name])
            self.snapshot.meta[f"{name}.json"] = MetaFile(role.version)
        self._write("snapshot", self.snapshot, signers["snapshot"])
        self.timestamp.snapshot_meta = MetaFile(self.snapshot.version)
        self._write("timestamp", self.timestamp, signers["timestamp"], plain=True)

    def _write(self, name, role, signers, *, plain=False):
        made = Metadata(role)
        self._sign(made, signers)
        file = f"{quote(name, '')}.json"
        self._put(file if plain else f"{role.version}.{file}", made.to_bytes())

    @staticmethod
    def _sign(metadata, signers):
        for signer in signers:
            metadata.sign(signer, append=True)

    def _put(self, name, raw):
        path = self.folder / "metadata" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)


class Stage:
    """Image repository and director of a fleet with one site, and a release or more in them."""

    def __init__(self, mirror, *, site="lab", now_ms=NOW_MS):
        self.mirror = mirror
        self.site = site
        self.now_ms = now_ms
        self.image = Repository(mirror / "image", offline=3, threshold=2, now_ms=now_ms)
        self.apps = [CryptoSigner.generate_ed25519() for _ in range(3)]
        self.image.delegate("app", "app/*/*", self.apps, 2)
        self.director = Repository(mirror / "director", now_ms=now_ms)
        self.document = SiteDocument(v=1, site=site, assignments=[])

    def sign_release(self, custom, raw=None):
        """Have the signers of apps name a release; return its manifest."""
        raw = manifest_of(custom) if raw is None else raw
        path = target_path(custom.component, custom.version)
        family = custom.component.partition("/")[0]
        role = self.image.delegated[family if family in self.image.delegated else "app"]
        role.targets[path] = described(path, raw, custom)
        folder = self.mirror / "image/targets" / path.rpartition("/")[0]
        folder.mkdir(parents=True, exist_ok=True)
        entry = role.targets[path]
        (folder / f"{entry.hashes['sha256']}.{path.rpartition('/')[2]}").write_bytes(raw)
        return raw

    def assign(self, custom, raw, *nodes, **more):
        """Have the director name a release for nodes of its site."""
        path = target_path(custom.component, custom.version)
        self.director.targets.targets[path] = described(path, raw, custom)
        given = {
            "rollout": "b" * 32,
            "job": "a" * 32,
            "not_before_ms": 0,
            "not_after_ms": self.now_ms + 7 * DAY_MS,
        }
        self.document.assignments.append(
            Assignment(target=path, nodes=list(nodes or ("lab.n1",)), **(given | more))
        )

    def publish(self, **signers):
        said = msgspec.to_builtins(self.document)
        self.director.targets.unrecognized_fields[FIELD] = said
        self.image.publish(signers=signers.get("image"))
        self.director.publish(signers=signers.get("director"))


def described(path, raw, custom):
    entry = TargetFile.from_data(path, raw, ["sha256"])
    entry.unrecognized_fields["custom"] = written(custom)
    return entry
