"""Bundles: the same folder gives the same digest, and what must not be in one is refused."""

import os
import random
import socket

import pytest
from backports.zstd import compress

from roost_agent.trust.unpack import unpack
from roost_central.releases import build, bundle, packing
from roost_central.releases.build import Described
from roost_central.releases.bundle import wan_bytes
from roost_central.releases.fault import ReleaseError
from roost_protocol.release.manifest import blobs_needed

SAID = Described("app/web", "2.0", 2, "files")
PEM = b"-----BEGIN PRIVATE KEY-----\n" + b"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg" + b"\n"
ARMOURED = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n" + b"A" * 64
NOISE = random.Random(7)  # noqa: S311 - the same each time


def tree(folder, **files):
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_the_same_folder_gives_the_same_digest_wherever_and_whenever(tmp_path):
    files = {"bin__run": b"#!/bin/sh\n" * 100, "lib__b": b"b", "lib__a": b"", "z": b"b"}
    one = tree(tmp_path / "one", **files)
    two = tree(tmp_path / "two", **dict(reversed(files.items())))
    os.utime(two / "z", (1, 1))
    for each in (one, two):
        (each / "bin/run").chmod(0o700)
    (two / "lib/b").chmod(0o600)
    first, second = (build.build(each, SAID, tmp_path / f"{each.name}.b") for each in (one, two))
    assert first.raw == second.raw
    assert [(each.path, oct(each.mode)) for each in first.manifest.files] == [
        ("bin/run", "0o755"), ("lib/a", "0o644"), ("lib/b", "0o644"), ("z", "0o644"),
    ]  # fmt: skip
    assert first.custom.floor == 1  # one step back stays open


def test_a_node_unpacks_what_was_built(tmp_path):
    files = {"bin__run": b"#!/bin/sh\n" * 10_000, "empty": b"", "noise": NOISE.randbytes(70_000)}
    made = build.build(tree(tmp_path / "s", **files), SAID, tmp_path / "b")
    (tmp_path / "into").mkdir()
    unpack(made.manifest, made.folder, tmp_path / "into")
    assert (tmp_path / "into/bin/run").read_bytes() == files["bin__run"]
    assert (tmp_path / "into/empty").read_bytes() == b""


def test_a_large_file_is_packed_in_pieces_to_the_same_content(tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "WHOLE_BYTES_MAX", 1_000)
    files = {"big": NOISE.randbytes(3 << 20)}
    made = build.build(tree(tmp_path / "s", **files), SAID, tmp_path / "b")
    (tmp_path / "into").mkdir()
    unpack(made.manifest, made.folder, tmp_path / "into")
    assert (tmp_path / "into/big").read_bytes() == files["big"]


def test_a_node_that_runs_the_release_before_fetches_a_delta(tmp_path):
    old = NOISE.randbytes(300_000)
    new = old[:150_000] + b"changed" + old[150_000:]
    first = build.build(tree(tmp_path / "s1", lib=old, same=b"same"), SAID, tmp_path / "b1")
    said = Described("app/web", "3.0", 3, "files")
    source = tree(tmp_path / "s2", lib=new, same=b"same")
    second = build.build(source, said, tmp_path / "b2", [first])
    [delta] = second.manifest.deltas
    assert wan_bytes(second.manifest, [first.manifest]) == delta.size < 1_000
    assert wan_bytes(second.manifest, []) > 300_000
    bases = {first.manifest.files[0].sha256: tmp_path / "s1/lib"}
    bases |= {first.manifest.files[1].sha256: tmp_path / "s1/same"}
    assert sum(blobs_needed(second.manifest, bases).values()) == delta.size  # as a node counts it
    (tmp_path / "into").mkdir()
    unpack(second.manifest, second.folder, tmp_path / "into", bases)
    assert (tmp_path / "into/lib").read_bytes() == new


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda at: (at / "link").symlink_to("/etc/passwd"), "link is a link"),
        (lambda at: (at / "dir").symlink_to("/etc"), "dir is a link"),
        (lambda at: os.mkfifo(at / "pipe"), "pipe is no plain file"),
        (lambda at: (at / "file").chmod(0o4755), "setuid"),
        (lambda at: (at / "a\\b").write_bytes(b""), "path"),
        (lambda at: (at / "FILE").write_bytes(b""), "duplicate"),
        (lambda at: (at / "key.pem").write_bytes(b"x" * 9 + PEM), "key.pem holds a private key"),
        (lambda at: (at / "old.pem").write_bytes(ARMOURED), "old.pem holds a private key"),
    ],
)
def test_what_no_release_holds_is_refused_by_its_name(tmp_path, spoil, told):
    source = tree(tmp_path / "s", file=b"1")
    spoil(source)
    with pytest.raises(ReleaseError, match=told):
        build.build(source, SAID, tmp_path / "b")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["s"]  # the next begins anew


def test_a_folder_without_files_is_no_release(tmp_path):
    (tmp_path / "s/inner").mkdir(parents=True)
    with pytest.raises(ReleaseError, match="s has no files"):
        build.build(tmp_path / "s", SAID, tmp_path / "b")


def test_a_socket_is_no_plain_file(tmp_path, monkeypatch):
    source = tree(tmp_path / "s", file=b"1")
    monkeypatch.chdir(source)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("sock")
        with pytest.raises(ReleaseError, match="sock is no plain file"):
            build.build(source, SAID, tmp_path / "b")


def test_a_key_that_lies_where_two_chunks_meet_is_seen_too(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "CHUNK_BYTES", 64)
    with pytest.raises(ReleaseError, match="private key"):
        build.build(tree(tmp_path / "s", key=b"x" * 50 + PEM), SAID, tmp_path / "b")


def test_a_library_that_names_the_armour_is_no_secret(tmp_path):
    source = tree(
        tmp_path / "s", ssh=b'START = b"-----BEGIN OPENSSH PRIVATE KEY-----"\nEND = b""\n'
    )
    assert build.build(source, SAID, tmp_path / "b").manifest.files


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Described("web", "1", 1, "files"), "component 'web': it is agent or os"),
        (Described("app/web", "1/2", 1, "files"), "version '1/2': it has 1 to 64 letters"),
        (Described("app/web", "1", 1, "files", floor=2), "floor 2 is above"),
        (Described("app/web", "1", 1, "Files"), "installer"),
        (
            Described("config/acme", "1", 1, "deb"),
            "installer: config/acme cannot be of kind deb: config takes files",
        ),
    ],
)
def test_what_is_said_wrongly_is_named(tmp_path, said, told):
    with pytest.raises(ReleaseError, match=told):
        build.build(tree(tmp_path / "s", file=b"1"), said, tmp_path / "b")


def test_a_blob_that_holds_more_or_another_file_is_told(tmp_path):
    made = build.build(tree(tmp_path / "s", file=b"1" * 100), SAID, tmp_path / "b")
    [entry] = made.manifest.files
    blob = made.folder / bundle.blob_path(entry.blob)
    blob.write_bytes(compress(b"2" * 100))
    with pytest.raises(ReleaseError, match="is another file"):
        bundle.check(made.manifest, made.open)
    blob.unlink()
    with pytest.raises(ReleaseError, match="is not there"):
        bundle.check(made.manifest, made.open)
