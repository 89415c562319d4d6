"""What a release may not carry: packaging/release.py refuses it, and wheels.sh asks it first."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = ROOT / "packaging/release.py"
FILES = (
    "CHANGELOG.md",
    "protocol/roost_protocol/__init__.py",
    "central/roost_central/northbound/snmp/mib.py",
    "central/roost_central/storage/northbound.py",
    "packaging/mib/ROOST-ALARM-MIB.txt",
)
CARRIERS = FILES[2:]


@pytest.fixture
def tree(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if name in CARRIERS:
            shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / FILES[1]).write_text('__version__ = "7.8.9"\n')
    (tmp_path / FILES[0]).write_text("# Changelog\n\n## [Unreleased]\n")
    return tmp_path


def release(tree):
    log = tree / FILES[0]
    log.write_text(log.read_text() + "\n## [7.8.9] - 2027-01-31\n")


def number(tree, name, enterprise):
    """Give a file a number of its own, in the file's way of writing it."""
    file = tree / name
    text = file.read_text()
    for form in ("{}", "{:08x}"):
        bit = 1 << 31 if "x" in form else 0
        text = text.replace(form.format(bit | 32473), form.format(bit | enterprise))
    file.write_text(text)


def checked(tree):
    return subprocess.run(
        [sys.executable, CHECK, tree], capture_output=True, text=True, check=False
    )


def test_a_tree_under_development_is_built(tree):
    assert (checked(tree).returncode, checked(tree).stderr) == (0, "")


def test_a_release_with_the_number_for_documentation_is_refused(tree):
    release(tree)
    done = checked(tree)
    assert done.returncode == 1
    assert [name for name in CARRIERS if name in done.stderr] == list(CARRIERS)
    assert done.stderr.count("enterprise 32473, which is for documentation") == len(CARRIERS)


@pytest.mark.parametrize("left", CARRIERS)
def test_one_place_that_was_left_out_is_named(tree, left):
    release(tree)
    for name in set(CARRIERS) - {left}:
        number(tree, name, 424242)
    done = checked(tree)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert left in done.stderr


def test_a_release_with_a_number_of_its_own_is_built(tree):
    release(tree)
    for name in CARRIERS:
        number(tree, name, 424242)
    assert checked(tree).returncode == 0


def test_the_build_asks_before_it_builds():
    script = (ROOT / "packaging/wheels.sh").read_text()
    assert 0 < script.index("packaging/release.py") < script.index("build . dist")
