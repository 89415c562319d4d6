"""A fleet's keys, and the signer as its operators run it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from ca import Pki, SignerProcess, unlimited


@pytest.fixture
def pki(tmp_path):
    return Pki(tmp_path / "pki", unlimited())


@pytest.fixture
def process(pki):
    process = SignerProcess(pki)
    yield process
    process.kill()
