"""Which releases a machine boots."""

import json

import pytest
from releases import manifest

from roost_protocol.errors import ProtocolError
from roost_protocol.release.boot_image import image_file
from roost_protocol.release.manifest import decode


def made(*paths, kind="iso"):
    files = [
        {"path": path, "mode": 0o644, "size": 0, "sha256": "0a" * 32, "blob": "0b" * 32,
         "blob_size": 0}
        for path in paths
    ]  # fmt: skip
    return decode(json.dumps(json.loads(manifest()) | {"files": files, "installer": kind}).encode())


def test_one_file_of_that_kind_is_an_image():
    assert image_file(made("a/edge.iso")).path == "a/edge.iso"


@pytest.mark.parametrize(
    ("release", "field"),
    [
        (made("edge.iso", kind="files"), "installer"),
        (made(), "files"),
        (made("edge.img"), "files"),
        (made("a.iso", "b.iso"), "files"),
    ],
)
def test_anything_else_boots_no_machine(release, field):
    with pytest.raises(ProtocolError) as refused:
        image_file(release)
    assert refused.value.field == field
