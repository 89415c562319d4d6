"""The vendored libraries are byte for byte what their lock says, and nothing else lies there."""

import hashlib
import json
import re
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "central/roost_central/dashboard/static/vendor"
LOCK = json.loads((VENDOR / "vendor.lock").read_text())


def test_every_vendored_file_has_the_hash_that_the_lock_records():
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.iterdir()
        if path.name != "vendor.lock"
    }
    recorded = {name: digest for entry in LOCK.values() for name, digest in entry["sha256"].items()}
    assert found == recorded


def test_every_package_has_an_exact_version_a_licence_and_an_integrity():
    for name, entry in LOCK.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"]), name
        assert entry["licence"], name
        assert entry["integrity"].startswith("sha512-"), name


def test_every_package_comes_with_its_licence_text():
    for name in LOCK:
        assert (VENDOR / f"{name}.LICENSE.txt").stat().st_size > 500


def test_the_lock_and_the_libraries_name_no_address():
    for path in VENDOR.iterdir():
        if not path.name.endswith(".LICENSE.txt"):
            text = path.read_text().replace("http://www.w3.org/", "")
            assert "http://" not in text, path.name
            assert "https://" not in text, path.name


def test_no_library_imports_by_a_bare_name():
    for path in VENDOR.glob("*.js"):
        for target in re.findall(r'from\s*"([^"]+)"', path.read_text()):
            assert target.startswith("./"), f"{path.name}: {target}"
            assert (VENDOR / target).is_file(), f"{path.name}: {target}"
