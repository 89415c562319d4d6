"""The attacks of the update framework's list, each with all online keys in the attacker's hand.

The attacker may have the director's keys, the mirror and the network; never the offline keys of
enough holders. A node that was enrolled a moment ago, with anchors and nothing else, must hold as
well as one that has seen a year of releases.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import pytest
from backports.zstd import compress
from releases import SIGNED_MS, custom, digest, manifest, manifest_of
from securesystemslib.signer import CryptoSigner
from tuf_stage import DAY_MS, NOW_MS, Stage, described

from roost_agent.durable import replace_file
from roost_agent.trust import blobs, kept, refresh
from roost_agent.trust.chain import ChainError
from roost_agent.trust.release import Box, Places, verify
from roost_agent.trust.source import AbsentError, SourceError, steady
from roost_agent.trust.unpack import UnpackError, unpack
from roost_protocol.errors import ProtocolError
from roost_protocol.release.manifest import decode

BOX = Box("x86_64", frozenset({"R740"}))
YEARS_MS = 10 * 365 * DAY_MS


class Node:
    """A node's trust: as root keeps it."""

    def __init__(self, folder, stage, node="lab.n1"):
        self.places = Places(stage.mirror, folder)
        folder.mkdir()
        replace_file(folder / kept.IMAGE_ROOT, stage.image.anchor)
        replace_file(folder / kept.DIRECTOR_ROOT, stage.director.anchor)
        kept.save(folder, kept.State(node=node))

    def asks(self, raw, now_ms=NOW_MS, **more):
        return verify(raw, self.places, BOX, now_ms, **more).code

    def commit(self, raw):
        state = kept.load(self.places.folder)
        kept.save(self.places.folder, kept.committed(state, digest(raw)))


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path / "mirror")


@pytest.fixture(params=["fresh", "used"])
def node(request, tmp_path, stage):
    """One that was let in a moment ago, and one that has a release already."""
    made = Node(tmp_path / "trust", stage)
    if request.param == "used":
        first = custom(version="1.0", counter=1)
        raw = stage.sign_release(first)
        stage.assign(first, raw)
        stage.publish()
        assert made.asks(raw) == ""
        made.commit(raw)
        stage.document.assignments.clear()
    return made


@pytest.fixture
def released(stage):
    """Release 2.0, signed and assigned; not published yet."""
    what = custom()
    raw = stage.sign_release(what)
    stage.assign(what, raw)
    return raw


def test_what_both_name_is_installed(stage, node, released):
    stage.publish()
    assert node.asks(released) == ""


def test_unsigned_or_one_key_is_refused(stage, node, released):
    stage.publish(image={"app": stage.apps[:1]})
    assert node.asks(released) == "signature"
    stage.publish(image={"app": []})
    assert node.asks(released) == "signature"
    stranger = [CryptoSigner.generate_ed25519() for _ in range(2)]
    stage.publish(image={"app": stranger})
    assert node.asks(released) == "signature"
    stage.publish(image={"app": stage.apps[:2]})
    assert node.asks(released) == ""


def test_one_signature_twice_is_one(stage, node, released):
    stage.publish(image={"app": [stage.apps[0], stage.apps[0]]})
    assert node.asks(released) == "signature"


def test_signers_of_apps_sign_no_agent(stage, node):
    agent = custom(component="agent", version="9.0", counter=9)
    raw = manifest_of(agent)
    stage.image.delegated["app"].targets["agent/9.0.json"] = described("agent/9.0.json", raw, agent)
    stage.assign(agent, raw)
    stage.publish()
    assert node.asks(raw) == "image"


def test_signers_of_one_tenant_sign_nothing_of_another(stage, node):
    stage.image.delegate("config.acme", "config/acme/*", stage.apps, 2)
    other = custom(component="config/other", version="9.0", counter=9)
    raw, path = manifest_of(other), "config/other/9.0.json"
    stage.image.delegated["config.acme"].targets[path] = described(path, raw, other)
    stage.assign(other, raw)
    stage.publish()
    assert node.asks(raw) == "image"


def test_one_repository_owned_installs_nothing_new(stage, node, released):
    evil = custom(version="6.6", counter=66)
    raw = manifest_of(evil)
    stage.document.assignments.clear()
    stage.assign(evil, raw)
    stage.publish()
    assert node.asks(raw) == "image"
    # The image repository alone: every signer there, and no word of the director.
    good = custom(version="3.0", counter=3)
    stage.sign_release(good)
    stage.publish()
    assert node.asks(manifest_of(good)) == "director"


def test_the_director_cannot_describe_a_release_otherwise(stage, node):
    signed = custom(hw=["R750"])
    raw = stage.sign_release(signed)
    stage.assign(custom(hw=["R740"]), raw)
    stage.publish()
    assert node.asks(raw) == "differs"


def test_endless_metadata_and_blob_are_cut(stage, node, released, tmp_path):
    stage.publish()
    (stage.mirror / "director/metadata/timestamp.json").write_bytes(b" " * (16_384 + 1))
    assert node.asks(released) == "endless"
    endless = Peer("endless", lambda: iter(lambda: bytes(1 << 16), b""))
    with pytest.raises(blobs.BlobError, match="is not"):
        blobs.fetch(digest(b"x" * 10), 10, [endless], tmp_path / "got")
    assert endless.sent <= 1 << 17
    assert sum(each.stat().st_size for each in (tmp_path / "got").rglob("*.part")) == 0


def test_unlisted_file_is_refused(stage, node, released):
    stage.publish()
    more = manifest(files=[entry("etc/cron.d/x", b"* * * * * root sh")], size_unpacked=17)
    assert node.asks(more) == "digest"


def test_recovers_from_fast_forward(stage, node, released):
    """Whoever had the online keys set the versions to the end; new keys begin anew."""
    for each in (stage.image, stage.director):
        each.snapshot.version = each.timestamp.version = 1 << 50
        each.is_out = True
    stage.publish()
    assert node.asks(released) == ""
    for each in (stage.image, stage.director):
        each.snapshot.version = each.timestamp.version = 7
    stage.publish()
    assert node.asks(released) == "rollback"
    for each in (stage.image, stage.director):
        each.rotate("snapshot", "timestamp")
    stage.publish()
    assert node.asks(released) == ""


def test_frozen_metadata_alarms_and_never_installs(stage, node, released):
    stage.publish()
    later = NOW_MS + 8 * DAY_MS
    assert node.asks(released, later) == "expired"
    assert node.asks(released, later) == "expired"
    for each in (stage.image, stage.director):
        each.timestamp.expires = each.until(20)
    stage.document.assignments.clear()
    stage.assign(custom(), released, not_after_ms=later + DAY_MS)
    stage.publish()
    assert node.asks(released, later) == ""


def test_mix_and_match_of_two_moments_is_refused(stage, node, released):
    stage.publish()
    assert node.asks(released) == ""
    old = (
        stage.mirror / f"image/metadata/{stage.image.snapshot.version}.snapshot.json"
    ).read_bytes()
    stage.sign_release(custom(version="3.0", counter=3))
    stage.publish()
    new = stage.mirror / f"image/metadata/{stage.image.snapshot.version}.snapshot.json"
    new.write_bytes(old)
    assert node.asks(released) == "rollback"


def test_partial_site_bundle_rolls_back(stage, node, released):
    """One document is for a whole site: a node that it leaves out has no part in it."""
    stage.document.assignments.clear()
    stage.assign(custom(), released, "lab.n2")
    stage.publish()
    assert node.asks(released) == "node"


@pytest.mark.parametrize(
    ("repository", "role"),
    [
        *(("image", role) for role in ("timestamp", "snapshot", "targets", "app")),
        *(("director", role) for role in ("timestamp", "snapshot", "targets")),
    ],
)
def test_old_version_of_each_role_is_refused(stage, node, released, repository, role):
    owned = getattr(stage, repository)
    stage.publish()
    stage.publish()
    assert node.asks(released) == ""
    roles = {"timestamp": owned.timestamp, "snapshot": owned.snapshot, "targets": owned.targets}
    old = (roles | owned.delegated)[role]
    old.version -= 2
    stage.publish()
    assert node.asks(released) == "rollback"


def test_an_older_root_changes_nothing(stage, node, released):
    stage.image.rotate("timestamp")
    stage.publish()
    assert node.asks(released) == ""
    (stage.mirror / "image/metadata/2.root.json").write_bytes(stage.image.anchor)
    assert node.asks(released) == ""


def test_a_release_below_the_floor_is_refused_though_all_sign_it(stage, node):
    new, old = custom(version="3.0", counter=3, floor=3), custom()
    raws = [stage.sign_release(each) for each in (new, old)]
    stage.assign(new, raws[0])
    stage.publish()
    assert node.asks(raws[0]) == ""
    node.commit(raws[0])
    stage.document.assignments.clear()
    stage.assign(old, raws[1])
    stage.publish()
    assert node.asks(raws[1]) == "floor"


def test_rotation_locks_out_the_stolen_key(stage, node, released):
    stolen = dict(stage.director.keys)
    stage.publish()
    assert node.asks(released) == ""
    stage.director.rotate("targets", "snapshot", "timestamp")
    stage.publish(director=stolen)
    assert node.asks(released) == "signature"
    assert node.asks(released, is_staged=True) in {"signature", "staged"}
    stage.publish()
    assert node.asks(released) == ""


def test_a_root_that_the_old_one_did_not_sign_is_no_root(stage, node, released):
    thief = [CryptoSigner.generate_ed25519() for _ in range(3)]
    stage.publish()
    stage.image.rotate("root", "targets", signed_by=thief)
    stage.publish()
    assert node.asks(released) in {"signature", "rollback"}


def test_other_sites_document_is_refused(stage, node, released):
    stage.document = msgspec.structs.replace(stage.document, site="other", assignments=[])
    stage.assign(custom(), released, "other.n1")
    stage.publish()
    assert node.asks(released) == "node"
    # A document that names a foreign node is none, whoever it also names.
    stage.assign(custom(version="3.0"), released, "lab.n1")
    stage.publish()
    assert node.asks(released) == "document"


def test_wrong_hardware_is_refused(stage, node):
    what = custom(hw=["R750"])
    raw = stage.sign_release(what)
    stage.assign(what, raw)
    stage.publish()
    assert node.asks(raw) == "hardware"


def test_clock_ten_years_back_and_forward(stage, node, released):
    stage.publish()
    assert node.asks(released, NOW_MS - YEARS_MS) == "clock"
    assert node.asks(released, NOW_MS + YEARS_MS) == "expired"
    # It recovers by itself once the clock is right: no clock of ours moved anything.
    assert node.asks(released) == ""
    assert kept.load(node.places.folder).clock_floor_ms == SIGNED_MS
    assert node.asks(released, SIGNED_MS - 1) == "clock"


def test_what_was_staged_outlives_an_expiry_but_no_retraction(stage, node, released):
    stage.publish()
    assert node.asks(released) == ""
    late = NOW_MS + 6 * DAY_MS
    assert node.asks(released, late + DAY_MS, is_staged=True) == "late"
    stage.document.assignments.clear()
    stage.assign(custom(), released, not_after_ms=NOW_MS + 30 * DAY_MS)
    stage.publish()
    assert node.asks(released) == ""
    assert node.asks(released, NOW_MS + 20 * DAY_MS) == "expired"
    assert node.asks(released, NOW_MS + 20 * DAY_MS, is_staged=True) == ""
    del stage.image.delegated["app"].targets["app/web/2.0.json"]
    stage.publish()
    assert node.asks(released, NOW_MS + 20 * DAY_MS, is_staged=True) == "image"
    assert node.asks(manifest_of(custom(version="5.0")), is_staged=True) == "staged"


def test_a_withdrawn_assignment_is_no_assignment(stage, node, released):
    stage.publish()
    assert node.asks(released) == ""
    stage.document.assignments.clear()
    stage.publish()
    assert node.asks(released, is_staged=True) == "node"


def entry(path, content, **more):
    frame = compress(content)
    base = {"path": path, "mode": 0o644, "size": len(content), "sha256": digest(content)}
    return base | {"blob": digest(frame), "blob_size": len(frame)} | more


def put(mirror, frame, name=None):
    path = mirror / blobs.url_of(name or digest(frame))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(frame)


@dataclass
class Peer:
    """A source that brings what it likes."""

    name: str
    content: object
    sent: int = 0
    asked: int = 0

    def open(self, path, offset=0) -> Iterator[bytes]:
        self.asked += 1
        if self.content is None:
            raise AbsentError(f"{self.name} has no {path}")
        chunks = self.content() if callable(self.content) else iter([self.content[offset:]])
        for chunk in chunks:
            self.sent += len(chunk)
            yield chunk


def test_corrupt_peer_is_left(tmp_path):
    good = b"whole" * 1_000
    peers = [Peer("lan", b"wrong" * 1_000), Peer("cache", None), Peer("wan", good)]
    path = blobs.fetch(digest(good), len(good), peers, tmp_path)
    assert path.read_bytes() == good
    assert [each.asked for each in peers] == [1, 1, 1]
    assert not list(tmp_path.rglob("*.part"))


def test_a_corrupt_mirror_of_metadata_is_left_for_the_next(stage, node, released, tmp_path):
    stage.publish()

    def files(path, offset=0):
        file = stage.mirror / path
        if not file.exists():
            raise AbsentError(path)
        return iter([file.read_bytes()[offset:]])

    class Wan:
        name = "wan"
        open = staticmethod(files)

    lan = Peer("lan", b"{}")
    places = refresh.Paths(node.places.folder, tmp_path / "known", tmp_path / "got")
    found = refresh.refresh([lan, Wan()], places, "lab.n1", NOW_MS)
    assert found.source == "wan"
    assert found.manifests["app/web/2.0.json"].read_bytes() == released
    assert verify(released, Places(tmp_path / "got", node.places.folder), BOX, NOW_MS).code == ""
    with pytest.raises(ChainError, match="lan"):
        refresh.refresh([lan], places, "lab.n1", NOW_MS)


def test_trickle_changes_mirror(tmp_path):
    class Clock:
        ms = 0

        def boot_ms(self):
            return self.ms

    clock = Clock()

    def trickle():
        for _ in range(1_000):
            clock.ms += 10_000
            yield b"x" * 100

    good = b"y" * 5_000
    slow = Peer("slow", lambda: steady(trickle(), clock, "slow"))
    path = blobs.fetch(digest(good), len(good), [slow, Peer("wan", good)], tmp_path)
    assert path.read_bytes() == good
    assert slow.sent <= 600
    with pytest.raises(SourceError, match="too slow"):
        list(steady(trickle(), clock, "slow"))


def test_a_blob_goes_on_where_it_broke_off_and_not_on_what_was_wrong(tmp_path):
    good = bytes(range(256)) * 40
    first = Peer("first", lambda: iter([good[:5_000]]))
    with pytest.raises(blobs.BlobError, match="5000 of 10240"):
        blobs.fetch(digest(good), len(good), [first], tmp_path)
    rest = Peer("rest", good)
    blobs.fetch(digest(good), len(good), [rest], tmp_path)
    assert rest.sent == len(good) - 5_000


HOSTILE = [
    "/etc/passwd", "../../x", "a/../../x", "a\x00b", "a\\..\\..\\b", "a//b", "./a", "a/.", "~/../x",
    "", "a\n", "x" * 300, "/".join("a" * 40), "..", ".", "..\u2044x/../y", "e\u0301", "COM1\u202e",
]  # fmt: skip


def test_manifest_corpus_writes_nothing_outside(tmp_path):
    """Hostile paths are refused when read; a tree that was prepared with links traps nobody."""
    for path in HOSTILE:
        with pytest.raises(ProtocolError):
            decode(manifest(files=[entry(path, b"x")], size_unpacked=1))
    outside, into, mirror = (tmp_path / each for each in ("outside", "into", "mirror"))
    for each in (outside, into, mirror):
        each.mkdir()
    item = entry("a/b", b"evil")
    put(mirror, compress(b"evil"))
    (into / "a").symlink_to(outside)
    with pytest.raises(OSError, match="a"):
        unpack(decode(manifest(files=[item], size_unpacked=4)), mirror, into)
    (into / "a").unlink()
    (into / "a").mkdir()
    (into / "a/b").symlink_to(outside / "b")
    with pytest.raises(FileExistsError):
        unpack(decode(manifest(files=[item], size_unpacked=4)), mirror, into)
    assert list(outside.iterdir()) == []


def test_a_bomb_is_cut_at_the_size_that_was_signed(tmp_path):
    into = tmp_path / "into"
    into.mkdir()
    bomb = compress(bytes(64 << 20))
    put(tmp_path, bomb)
    said = entry("a", b"x" * 1_000, blob=digest(bomb), blob_size=len(bomb))
    with pytest.raises(UnpackError, match="more than its 1000 bytes"):
        unpack(decode(manifest(files=[said], size_unpacked=1_000)), tmp_path, into)
    assert (into / "a").stat().st_size <= 1_000


def test_a_blob_that_was_changed_on_disk_is_refused(tmp_path):
    into = tmp_path / "into"
    into.mkdir()
    said = entry("a", b"good")
    put(tmp_path, b"other", said["blob"])
    with pytest.raises(UnpackError, match="another file"):
        unpack(decode(manifest(files=[said], size_unpacked=4)), tmp_path, into)


def test_a_link_or_a_pipe_in_the_mirror_is_no_file(stage, node, released, tmp_path):
    stage.publish()
    timestamp = stage.mirror / "director/metadata/timestamp.json"
    secret = tmp_path / "secret"
    secret.write_bytes(timestamp.read_bytes())
    timestamp.unlink()
    timestamp.symlink_to(secret)
    assert node.asks(released) == "absent"
    timestamp.unlink()
    os.mkfifo(timestamp)
    assert node.asks(released) == "absent"
