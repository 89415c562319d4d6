import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_protocol.errors import ProtocolError
from roost_protocol.release import manifest
from roost_protocol.release.manifest import decode, digest


def entry(path, **more):
    base = {"path": path, "mode": 0o644, "size": 3, "sha256": "0" * 64, "blob": "1" * 64}
    return base | {"blob_size": 12} | more


def raw(*files, **more):
    whole = {
        "format": 1, "component": "app/web", "version": "2.0", "release_counter": 2,
        "installer": "files", "size_unpacked": sum(each["size"] for each in files),
        "files": list(files),
    }  # fmt: skip
    return json.dumps(whole | more).encode()


def test_a_manifest_is_read_and_known_by_its_bytes():
    made = decode(raw(entry("bin/web", mode=0o755), entry("etc/web.toml")))
    assert [each.path for each in made.files] == ["bin/web", "etc/web.toml"]
    assert digest(raw()) != digest(raw() + b" ")


HOSTILE = [
    "/etc/shadow", "../x", "a/../../x", "a//b", "a/./b", "a/", "", ".", "a\nb", "a\x00b",
    "a\\..\\b",     "e\u0301", "x" * 256, "/".join("a" * 40), "a\u202eb",
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_that_could_leave_its_folder_is_refused(path):
    with pytest.raises(ProtocolError):
        decode(raw(entry(path)))


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (raw(entry("a"), entry("A")), "duplicate"),
        (raw(entry("a"), entry("a/b")), "duplicate"),
        (raw(entry("a", mode=0o4755)), "mode"),
        (raw(entry("a", size=1 << 30, blob_size=1 << 10)), "ratio"),
        (raw(entry("a", size=-1)), "manifest"),
        (raw(entry("a", blob="1" * 64 + "\n")), "manifest"),
        (raw(entry("a"), size_unpacked=4), "size_unpacked"),
        (raw(*(entry(f"f{n}", size=1 << 31, blob_size=1 << 30) for n in range(3))), "manifest"),
        (raw(format=2), "format"),
        (raw(component="../etc"), "component"),
        (raw(component="app/../x"), "component"),
        (raw(installer="../sh"), "installer"),
        (b"{", "manifest"),
        (b"[" * 100_000, "manifest"),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_its_field(bad, field):
    with pytest.raises(ProtocolError, match=field):
        decode(bad)


def test_more_bytes_than_any_manifest_has_are_not_even_parsed(monkeypatch):
    monkeypatch.setattr(manifest, "MANIFEST_BYTES_MAX", 10)
    with pytest.raises(ProtocolError, match="size"):
        decode(raw())


def test_files_that_are_too_much_together_are_refused():
    half = manifest.UNPACKED_BYTES_MAX // 2 + 1
    files = [entry(f"f{n}", size=half, blob_size=half) for n in range(2)]
    with pytest.raises(ProtocolError, match="size_unpacked"):
        decode(raw(*files, size_unpacked=manifest.UNPACKED_BYTES_MAX))


@given(st.text(max_size=40))
def test_every_path_that_is_taken_stays_below_its_folder(path):
    try:
        manifest.check_path(path, "x")
    except ProtocolError:
        return
    assert not path.startswith("/")
    assert not {"..", ".", ""} & {*path.split("/")}
