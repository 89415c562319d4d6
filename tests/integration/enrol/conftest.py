"""A centre that lets boxes in, once for all tests of this folder."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from broker import PROGRAM
from fleet_stage import Box, FleetStage


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Signer, broker and centre, running."""
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed")
    with FleetStage(tmp_path_factory.mktemp("fleet")).running() as stage:
        yield stage


@pytest.fixture
def box(tmp_path):
    """A new box."""
    return Box(tmp_path)
