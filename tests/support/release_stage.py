"""A fleet that has releases: real signer and centre, holders with keys, everything by `roost`."""

import os
import subprocess
import sys
from pathlib import Path

from fleet_stage import FleetStage

from roost_central.releases import draft_signing, keys

PASSPHRASE = "six words that nobody wrote down"
HOLDERS = ("ann", "bob", "cy")


def roost(stage: FleetStage, *words: object, fails: bool = False, passphrase: str = "") -> str:
    """Run the operator's command; return what it printed, or what it complained of.

    A passphrase goes by a file descriptor of its own.
    """
    more: list[str] = []
    fd = None
    if passphrase:
        fd, other = os.pipe()
        os.write(other, passphrase.encode() + b"\n")
        os.close(other)
        more = ["--passphrase-fd", str(fd)]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "roost_central.cli", *map(str, words), *more],
            env=os.environ | _where(stage),
            capture_output=True, text=True, timeout=60, check=False,
            pass_fds=() if fd is None else (fd,),
        )  # fmt: skip
    finally:
        if fd is not None:
            os.close(fd)
    assert bool(done.returncode) is fails, done.stderr
    return done.stderr if fails else done.stdout


def _where(stage: FleetStage) -> dict[str, str]:
    """Return what names the centre; nothing before it was there."""
    if not (stage.central.data_dir / "admin.token").exists():
        return {}
    return {"ROOST_URL": stage.central.url, "ROOST_TOKEN": stage.central.token}


class ReleaseDesk:
    """Who makes releases for a stage; ``ceremony`` before the stage's signer starts."""

    def __init__(self, stage: FleetStage, folder: Path) -> None:
        self.stage = stage
        self.folder = folder
        self._drafts = 0

    def pub(self, name: str) -> Path:
        """Where a holder's public half lies."""
        return self.folder / "keys" / f"{name}.pub"

    def ceremony(self, *, approvals: int = 0) -> Path:
        """Make all keys, and drafts of the roots; give the signer what it needs."""
        for name in HOLDERS:
            keys.make(self.folder / "keys", name, PASSPHRASE.encode())
        signer = self.stage.pki.signer_dir
        for name in (keys.IMAGE_ONLINE, keys.DIRECTOR):
            keys.make(signer, name, None)
        first = self._draft()
        words = [word for name in HOLDERS for word in ("--root", self.pub(name))]
        words += [word for name in HOLDERS for word in ("--signer", self.pub(name))]
        roost(self.stage, "release", "init", "--draft", first, "--online", signer, *words)
        digests = [each.digest for each in draft_signing.changes(first)]
        for name in HOLDERS[:2]:
            self.sign(first, name, *[word for each in digests for word in ("--digest", each)])
        anchor = signer / "image-root.json"
        roost(self.stage, "release", "anchors", first, "--to", self.folder / "anchors")
        anchor.write_bytes((self.folder / "anchors/image-root.json").read_bytes())
        policy = signer / "policy.toml"
        was, wanted = "release_approvals = 1", f"release_approvals = {approvals}"
        policy.write_text(policy.read_text().replace(was, wanted))
        return first

    def sign(self, where: Path, name: str, *words: object) -> None:
        """Sign as a holder."""
        key = self.folder / "keys" / f"{name}.key"
        roost(self.stage, "release", "sign", where, "--key", key, *words, passphrase=PASSPHRASE)

    def build(self, version: str, counter: int, files: dict[str, bytes], *words: object) -> Path:
        """Make a bundle of app/web."""
        source, bundle = self.folder / f"src-{version}", self.folder / f"web-{version}"
        for path, content in files.items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_bytes(content)
        roost(
            self.stage, "release", "build", source, "--to", bundle, "--component", "app/web",
            "--version", version, "--counter", counter, "--installer", "files", *words,
        )  # fmt: skip
        return bundle

    def publish(self, *bundles: Path, retract: str = "") -> None:
        """Have releases named or named no more, signed by two and served."""
        where = self._draft()
        agreed = [word for each in bundles for word in ("--bundle", each)]
        if retract:
            roost(self.stage, "release", "retract", retract, "--draft", where)
            agreed = ["--retract", retract]
        else:
            roost(self.stage, "release", "add", *bundles, "--draft", where)
        for name in HOLDERS[:2]:
            self.sign(where, name, *agreed)
        roost(self.stage, "release", "publish", where, *(agreed if bundles else ()))

    def _draft(self) -> Path:
        self._drafts += 1
        return self.folder / f"draft{self._drafts}"
