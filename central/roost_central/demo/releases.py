"""Signed releases of the demo: their holders' keys, both bundles, and what has them published.

The same code makes them as `roost release` does: three holders, two of whom sign. Their passphrase
is drawn, and lies beside the keys, readable by the demo's user alone, so that one may sign releases
of one's own; all of it ends with the demo's folder.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roost_central.demo import sensor
from roost_central.demo.children import Command
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.private_file import write_whole

if TYPE_CHECKING:
    from roost_central.releases.bundle import Bundle
    from roost_central.releases.draft_folder import Repository
    from roost_central.releases.keys import OpenKey

HOLDERS: Final = ("ann", "bob", "cy")
THRESHOLD: Final = 2
PASSPHRASE_BYTES: Final = 32
WORDS: Final = "passphrase"
DRAFTS: Final = ("first", "sensor")  # in the order in which they are published


@dataclass(frozen=True, slots=True)
class Releases:
    """What was made.

    Attributes:
        folder: with keys, drafts, bundles and anchors.
    """

    folder: Path

    @property
    def image_root(self) -> Path:
        """The root of the image repository, as nodes get it with their installation."""
        return self.folder / "anchors/image-root.json"

    @property
    def director_root(self) -> Path:
        """The director's."""
        return self.folder / "anchors/director-root.json"

    @property
    def bundles(self) -> list[Path]:
        """Of both releases, the good one first."""
        return [self.folder / f"bundle-{version}" for version in (sensor.GOOD, sensor.BAD)]

    def publications(self, url: str, token_file: Path) -> list[Command]:
        """Return the commands that have the centre serve them, one after the other."""
        env = {"ROOST_URL": url, "ROOST_TOKEN_FILE": str(token_file)}
        found = []
        for name in DRAFTS:
            words = ["release", "publish", str(self.folder / name)]
            for bundle in self.bundles if name != DRAFTS[0] else ():
                words += ["--bundle", str(bundle)]
            argv = (sys.executable, "-m", "roost_central.cli", *words)
            found.append(Command(f"publish-{name}", argv, env=env))
        return found

    def anchor(self, node: str, state_dir: Path, trust: Path) -> Command:
        """Return the command that gives a node its roots of trust."""
        options = {
            "--node": node,
            "--image-root": self.image_root,
            "--director-root": self.director_root,
            "--state-dir": state_dir,
            "--trust-dir": trust,
        }
        words = [str(word) for option in options.items() for word in option]
        argv = (sys.executable, "-m", "roost_agent", "verify", "anchor", *words)
        return Command(f"anchor-{node.rpartition('.')[2]}", argv)


def made(folder: Path, signer: Path) -> Releases:
    """Return the releases of a demo; all is made where there is nothing yet.

    Args:
        folder: of its releases.
        signer: the signer's folder, which gets its two keys and the root. It runs not yet.
    """
    from roost_central.releases import draft, draft_folder, draft_signing, keys  # noqa: PLC0415 - slow

    found = Releases(folder)
    if found.image_root.exists():
        return found
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    passphrase = SystemEntropy().token(PASSPHRASE_BYTES).hex().encode()
    write_whole(folder / WORDS, passphrase + b"\n")
    public = [keys.read_public(keys.make(folder / "keys", each, passphrase)) for each in HOLDERS]
    online = [
        keys.read_public(keys.make(signer, name, None))
        for name in (keys.IMAGE_ONLINE, keys.DIRECTOR)
    ]
    holders = draft.Holders(public, THRESHOLD)
    first, now_ms = folder / DRAFTS[0], SystemClock().wall_ms()
    draft.init(first, draft.Roles(holders, holders, holders, *online), now_ms)
    signing = [
        keys.open_private(folder / "keys" / f"{each}{keys.PRIVATE}", passphrase)
        for each in HOLDERS[:THRESHOLD]
    ]
    digests = [each.digest for each in draft_signing.changes(first)]
    for key in signing:
        draft_signing.sign(first, key, digests=digests)
    begun = draft_signing.whole(first)
    _build(found)
    _name(found, begun, signing, now_ms)
    (signer / draft_folder.IMAGE_ROOT).write_bytes(begun.image_root)
    found.image_root.parent.mkdir()
    found.director_root.write_bytes(begun.director_root)
    found.image_root.write_bytes(begun.image_root)  # the last one: it says that all is there
    return found


def _build(its: Releases) -> None:
    from roost_central.releases.build import Described, build  # noqa: PLC0415 - slow to import

    sources = sensor.sources(its.folder / "src")
    before: list[Bundle] = []
    for counter, (version, out) in enumerate(zip(sources, its.bundles, strict=True), start=1):
        said = Described(sensor.COMPONENT, version, counter, "files")
        before.insert(0, build(sources[version], said, out, before))


def _name(its: Releases, begun: "Repository", signing: Sequence["OpenKey"], now_ms: int) -> None:
    """Have the bundles named, as both holders sign it."""
    from roost_central.releases import bundle, draft, draft_signing  # noqa: PLC0415 - slow

    bundles = [bundle.read(each) for each in its.bundles]
    named = its.folder / DRAFTS[1]
    draft.edit(named, begun, now_ms, add=bundles)
    for key in signing:
        draft_signing.sign(named, key, rebuilt=bundles)
