"""Releases as their signers and their manifests describe them."""

import json
from hashlib import sha256

from roost_protocol.release.target import TargetCustom

SIGNED_MS = 1_790_000_000_000


def custom(**more):
    base = {"component": "app/web", "version": "2.0", "counter": 2, "size_unpacked": 0}
    return TargetCustom(**(base | {"signed_at_ms": SIGNED_MS} | more))


def manifest(**more):
    whole = {
        "format": 1, "component": "app/web", "version": "2.0", "release_counter": 2,
        "installer": "files", "size_unpacked": 0, "files": [],
    }  # fmt: skip
    return json.dumps(whole | more).encode()


def manifest_of(said):
    """The least manifest of a release as its signers describe it."""
    return manifest(
        component=said.component, version=said.version, release_counter=said.counter,
        hw=said.hw, arch=said.arch,
    )  # fmt: skip


def digest(raw):
    return sha256(raw).hexdigest()
