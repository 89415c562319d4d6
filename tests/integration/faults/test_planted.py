"""The harness of the planted faults: it tells one that is noticed from one that is not."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "mutants"))

from mutant import Edit, mutants
from plant import copy

NAME = "unbounded queue"  # of the foundation's six the one whose test is fastest
FILE = "central/roost_central/ingest/inbox.py"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def tree():
    with copy() as tree:
        yield tree


@pytest.fixture
def mutant():
    return next(each for each in mutants() if each.name == NAME)


def test_a_planted_fault_is_caught(tree, mutant):
    assert tree.fault(mutant) == ""


def test_a_change_that_breaks_nothing_survives(tree, mutant):
    harmless = Edit(FILE, "# parsed topics kept", "# topics kept")
    assert tree.fault(replace(mutant, edits=(harmless,))) == "survives"


def test_a_change_that_keeps_the_test_from_running_catches_nothing(tree, mutant):
    broken = Edit(FILE, "class Inbox:", "class Inbox(:")
    assert "not run at all" in tree.fault(replace(mutant, edits=(broken,)))
