"""A fleet with releases, once for all tests of this folder."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from broker import PROGRAM
from fleet_stage import Box, FleetStage
from release_stage import ReleaseDesk, roost


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Signer, broker and centre, running, with a repository in which nothing is named."""
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed")
    stage = FleetStage(tmp_path_factory.mktemp("fleet"))
    desk = ReleaseDesk(stage, tmp_path_factory.mktemp("desk"))
    stage.desk = desk
    first = desk.ceremony()
    with stage.running():
        roost(stage, "release", "publish", first)
        yield stage


@pytest.fixture
def box(tmp_path):
    """A new box."""
    return Box(tmp_path)
