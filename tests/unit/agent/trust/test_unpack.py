from hashlib import sha256

import pytest
from backports.zstd import ZstdCompressor, ZstdDict, compress
from releases import digest, manifest

from roost_agent.trust import blobs
from roost_agent.trust.unpack import UnpackError, unpack
from roost_protocol.release.manifest import blobs_needed, decode

OLD = bytes(range(256)) * 4_000
NEW = OLD[:500_000] + b"edited" + OLD[500_000:]


def entry(path, content, **more):
    frame = compress(content)
    base = {"path": path, "mode": 0o644, "size": len(content), "sha256": digest(content)}
    return base | {"blob": digest(frame), "blob_size": len(frame)} | more


def put(mirror, frame):
    path = mirror / blobs.url_of(digest(frame))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(frame)
    return digest(frame)


def by_prefix(base, content):
    return ZstdCompressor(zstd_dict=ZstdDict(base, is_raw=True).as_prefix).compress(
        content, ZstdCompressor.FLUSH_FRAME
    )


@pytest.fixture
def places(tmp_path):
    for name in ("mirror", "into"):
        (tmp_path / name).mkdir()
    (tmp_path / "old").write_bytes(OLD)
    return tmp_path / "mirror", tmp_path / "into", {digest(OLD): tmp_path / "old"}


def made(*files, deltas=()):
    size = sum(each["size"] for each in files)
    return decode(manifest(files=list(files), deltas=list(deltas), size_unpacked=size))


def test_files_are_made_of_their_blobs_with_their_modes(places):
    mirror, into, _ = places
    put(mirror, compress(b"#!/bin/sh\n"))
    unpack(made(entry("bin/run", b"#!/bin/sh\n", mode=0o755), entry("empty", b"")), mirror, into)
    assert (into / "bin/run").read_bytes() == b"#!/bin/sh\n"
    assert (into / "bin/run").stat().st_mode & 0o777 == 0o755
    assert (into / "empty").read_bytes() == b""


def test_what_is_here_is_copied_and_a_delta_is_enough_for_what_changed(places):
    mirror, into, bases = places
    delta = by_prefix(OLD, NEW)
    said = {"from_file": digest(OLD), "to_file": digest(NEW), "size": len(delta)}
    whole = made(
        entry("same", OLD),
        entry("new", NEW, blob_size=50_000),
        deltas=[said | {"blob": put(mirror, delta)}],
    )
    assert blobs_needed(whole, bases) == {digest(delta): len(delta)}
    unpack(whole, mirror, into, bases)
    assert sha256((into / "same").read_bytes()).hexdigest() == digest(OLD)
    assert (into / "new").read_bytes() == NEW


def test_without_the_exact_base_the_whole_blob_is_wanted(places):
    mirror, into, bases = places
    delta = by_prefix(OLD, NEW)
    said = {"from_file": digest(OLD), "to_file": digest(NEW), "size": len(delta)}
    item = entry("new", NEW)
    whole = made(item, deltas=[said | {"blob": put(mirror, delta)}])
    assert blobs_needed(whole, {}) == {item["blob"]: item["blob_size"]}
    bases[digest(OLD)].write_bytes(OLD + b"x")  # it was changed since its digest was taken
    with pytest.raises(UnpackError, match="is not in"):
        unpack(whole, mirror, into, bases)
    (into / "new").unlink()
    put(mirror, compress(NEW))
    unpack(whole, mirror, into, bases)
    assert (into / "new").read_bytes() == NEW


def test_a_blob_that_is_no_frame_or_is_short_is_refused(places):
    mirror, into, _ = places
    junk = put(mirror, b"junk")
    with pytest.raises(UnpackError, match="no zstd frame"):
        unpack(made(entry("a", b"x", blob=junk)), mirror, into)
    (into / "a").unlink()
    short = put(mirror, compress(b"xy"))
    with pytest.raises(UnpackError, match="not the file"):
        unpack(made(entry("a", b"xyz", blob=short)), mirror, into)
