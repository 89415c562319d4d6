"""Proof: who has every online key, the mirror and one offline key has nothing installed.

Each run is a fleet with a release that is honestly signed, a node that runs it and one that was let
in a moment ago. A thief then does some of what thieves can do, in any order: names a release of its
own, signs with what it has, puts files in place of others, brings back what was true before, gives
keys to itself. Afterwards neither node accepts the thief's release, nor one below its floor.
"""

import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from proof import Proof
from securesystemslib.signer import CryptoSigner

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from releases import custom, digest, manifest_of
from tuf_stage import NOW_MS, Stage, described

from roost_agent.trust import kept
from roost_agent.trust.release import Box, Places, verify
from roost_protocol.release.director import FIELD
from roost_protocol.release.target import target_path

RUNS = 400
EVERY = 100
ACTS_MAX = 5
BOX = Box("x86_64", frozenset())
EVIL = custom(version="6.6.6", counter=66)
GOOD = custom(floor=2)
OLD = custom(version="1.0", counter=1)


class Node:
    """A node's trust, as root keeps it."""

    def __init__(self, folder: Path, stage: Stage) -> None:
        self.places = Places(stage.mirror, folder)
        folder.mkdir()
        (folder / kept.IMAGE_ROOT).write_bytes(stage.image.anchor)
        (folder / kept.DIRECTOR_ROOT).write_bytes(stage.director.anchor)
        kept.save(folder, kept.State(node="lab.n1"))

    def asks(self, raw: bytes) -> str:
        """Return why a release may not be installed; empty: it may."""
        return verify(raw, self.places, BOX, NOW_MS).code


class Thief:
    """Has what is online, one holder's key, and the mirror."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.rng = rng
        self.stage = stage = Stage(folder / "mirror")
        self.before = folder / "before"
        self.evil = manifest_of(EVIL)
        self.old, self.good = stage.sign_release(OLD), stage.sign_release(GOOD)
        stage.assign(OLD, self.old)
        stage.publish()
        shutil.copytree(stage.mirror, self.before)
        stage.document.assignments.clear()
        stage.assign(GOOD, self.good)
        stage.publish()
        self.online = [*stage.image.keys["snapshot"], *stage.image.keys["timestamp"]]
        self.own = CryptoSigner.generate_ed25519()

    def direct(self) -> None:
        """Sign what the director says: all of its keys but the root's are online."""
        said = msgspec.to_builtins(self.stage.document)
        self.stage.director.targets.unrecognized_fields[FIELD] = said
        self.stage.director.publish()

    def name_evil(self) -> None:
        """Have the director name a release of its own, or an old one: of a component one."""
        self.stage.document.assignments.clear()
        if self.rng.random() < 0.5:
            self.stage.assign(EVIL, self.evil)
        else:
            self.stage.assign(OLD, self.old)
        self.direct()

    def sign_with(self, signers: list[CryptoSigner]) -> None:
        """Name it in the image repository too, by what keys there are."""
        path = target_path(EVIL.component, EVIL.version)
        self.stage.image.delegated["app"].targets[path] = described(path, self.evil, EVIL)
        self.stage.image.publish(signers={"app": signers})

    def describe_otherwise(self) -> None:
        """Give the good release's name to other bytes."""
        path = target_path(GOOD.component, GOOD.version)
        self.stage.director.targets.targets[path] = described(path, self.evil, GOOD)
        self.direct()

    def put_in_place(self) -> None:
        """Put its manifest where others' are fetched."""
        for path in (self.stage.mirror / "image/targets").rglob("*.json"):
            path.write_bytes(self.evil)
        folder = self.stage.mirror / "image/targets/app/web"
        (folder / f"{digest(self.evil)}.6.6.6.json").write_bytes(self.evil)

    def bring_back(self) -> None:
        """Bring some of the metadata back that was true before."""
        for path in sorted(self.before.rglob("*.json")):
            if self.rng.random() < 0.5:
                shutil.copyfile(path, self.stage.mirror / path.relative_to(self.before))

    def give_itself_keys(self) -> None:
        """Write a root by which every role is its own, signed with what it has."""
        repository = self.rng.choice([self.stage.image, self.stage.director])
        roles = [*repository.keys.keys() & {"root", "targets", "snapshot", "timestamp"}]
        repository.rotate(*roles, signed_by=[*self.online, self.own, self.stage.apps[0]])
        self.sign_with([self.own])

    def spoil(self) -> None:
        """Cut some file, or fill it with noise."""
        path = self.rng.choice(sorted(self.stage.mirror.rglob("*.json")))
        raw = path.read_bytes()
        cut = raw[: self.rng.randrange(len(raw) + 1)]
        path.write_bytes(cut if self.rng.random() < 0.5 else self.rng.randbytes(200))

    def act(self) -> str:
        """Do one of these; return its name."""
        apps = self.stage.apps
        acts: dict[str, Callable[[], None]] = {
            "one key": lambda: self.sign_with(apps[:1]),
            "one key twice": lambda: self.sign_with([apps[0], apps[0]]),
            "one key and its own": lambda: self.sign_with([apps[0], self.own]),
            "online keys": lambda: self.sign_with(self.online),
            "otherwise": self.describe_otherwise,
            "in place": self.put_in_place,
            "back": self.bring_back,
            "keys": self.give_itself_keys,
            "spoil": self.spoil,
            "again": self.name_evil,
        }
        name = self.rng.choice(sorted(acts))
        acts[name]()
        return name


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Let thieves try, each in a fleet of its own."""
    rng = random.Random(seed)  # noqa: S311 - the same again by its seed
    faults: list[str] = []
    runs = max(10, round(RUNS * share))
    for number in range(runs):
        with tempfile.TemporaryDirectory(prefix="roost-prove-") as folder:
            if fault := tried(Path(folder), rng):
                faults.append(fault)
                say(fault)
        if number % EVERY == EVERY - 1:
            say(f"{number + 1} of {runs} thieves")
    yield Proof(
        "update.attacks",
        runs=runs,
        failures=len(faults),
        seed=seed,
        note="all online keys, the mirror and one of three offline keys in a thief's hand, up to "
        f"{ACTS_MAX} of ten acts in any order: neither a node that runs a release nor one that was "
        "let in a moment ago accepts the thief's, or one below the floor",
    )


def tried(folder: Path, rng: random.Random) -> str:
    """Let one thief try; return what it got through, or nothing."""
    thief = Thief(folder, rng)
    used, fresh = Node(folder / "used", thief.stage), Node(folder / "fresh", thief.stage)
    assert used.asks(thief.good) == ""
    kept.save(used.places.folder, kept.committed(kept.load(used.places.folder), digest(thief.good)))
    thief.name_evil()
    acts = [thief.act() for _ in range(rng.randint(1, ACTS_MAX))]
    for name, node, raw in (
        ("its own on a fresh node", fresh, thief.evil),
        ("its own on one that is used", used, thief.evil),
        ("one below the floor", used, thief.old),
    ):
        if node.asks(raw) == "":
            return f"{name} after {', '.join(acts)}"
    return ""
