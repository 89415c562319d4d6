"""Finds who makes and signs releases."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from release_desk import Holder

from roost_central.ports import SystemClock


@pytest.fixture
def people(tmp_path):
    """Three holders who made their roots."""
    made = Holder(tmp_path / "people", SystemClock().wall_ms())
    made.init()
    return made
