"""A centre with its signer and broker, and one enrolled node, for all tests of this folder."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))
sys.path.insert(0, str(Path(__file__).parent))  # what these tests share

from broker import PROGRAM
from fleet_stage import Box, FleetStage


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Signer, broker and centre, running."""
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed")
    with FleetStage(tmp_path_factory.mktemp("fleet")).running() as stage:
        yield stage


@pytest.fixture(scope="module")
def box(stage, tmp_path_factory):
    """A box that is lab.n1."""
    box = Box(tmp_path_factory.mktemp("box"))
    stage.add_site("lab", "n1")
    done = box.join(stage.url, token=stage.token("lab"))
    assert done.returncode == 0, done.stderr
    return box
