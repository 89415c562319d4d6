"""The locks: every package pinned by hash, from whatever index, and none that was forgotten."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = {name: ROOT / f"packaging/requirements/{name}.txt" for name in ("agent", "central", "dev")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>[^\\]+))? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?P<more> \\)?")


def pins(name: str) -> dict[str, str]:
    """Package to version; every line of the lock must be understood."""
    found = {}
    wants_hash = False
    for line in LOCKS[name].read_text().splitlines():
        if match := HASH.fullmatch(line):
            assert wants_hash, f"a hash out of place: {line}"
            wants_hash = match["more"] is not None
        elif match := PIN.fullmatch(line):
            assert not wants_hash, f"no hash before {line}"
            wants_hash = True
            assert match["name"] not in found, f"pinned twice: {match['name']}"
            found[match["name"]] = match["version"]
        else:
            assert not line or line.lstrip().startswith("#"), f"neither pin nor hash: {line}"
    assert not wants_hash
    return found


def requirements(lock: str) -> list[Requirement]:
    """What the lock was made from, own extras taken apart."""
    texts = list(PROJECT["dependencies"])
    if lock != "agent":
        texts += EXTRAS["central"] + EXTRAS["postgres"]
        build = (ROOT / "packaging/requirements/build.in").read_text().splitlines()
        texts += [line for line in build if line and not line.startswith("#")]
    if lock == "dev":
        texts += EXTRAS["dev"]
    found = [Requirement(text) for text in texts]
    assert {each.name for each in found} >= {"msgspec"}
    own = [each for each in found if each.name == PROJECT["name"]]
    taken_apart = {"central", "postgres"}
    assert all(each.extras <= taken_apart for each in own), "an extra this test does not know"
    return [each for each in found if each not in own]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_nothing_but_pins_and_their_hashes(lock):
    assert pins(lock)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_covers_every_dependency_within_its_bounds(lock):
    pinned = pins(lock)
    for wanted in requirements(lock):
        version = pinned.get(canonicalize_name(wanted.name))
        assert version, f"{wanted} is not in the lock: run packaging/lock.sh"
        assert wanted.specifier.contains(version, prereleases=True), f"{wanted}, locked {version}"


@pytest.mark.parametrize("lock", ["agent", "central"])
def test_what_ships_is_what_was_tested(lock):
    assert pins(lock).items() <= pins("dev").items()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_no_place(lock):
    text = LOCKS[lock].read_text()
    assert not re.search(r"://|--index|--find-links|@ |(?<!\w)/\w", text)
