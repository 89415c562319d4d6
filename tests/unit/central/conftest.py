"""The keys of a fleet: one PKI for all tests that change nothing in it, or one of a test."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from ca import Pki, unlimited


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """The keys of a fleet, made once."""
    return Pki(tmp_path_factory.mktemp("pki"), unlimited())


@pytest.fixture
def own_pki(tmp_path):
    """The keys of a fleet, of one test."""
    return Pki(tmp_path / "pki", unlimited())
