"""Groups of real processes in real cgroups, without a lease."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))
sys.path.insert(0, str(Path(__file__).parents[2] / "unit/agent/ha"))
sys.path.insert(0, str(Path(__file__).parent))

import pytest
from cgroups import private
from running_group import Groups


@pytest.fixture
def root():
    """Our folder of cgroup v2."""
    with private() as folder:
        yield folder


@pytest.fixture
async def groups(root):
    """Runs groups, one agent after the other; all that they run ends with the test."""
    made = Groups(root)
    yield made
    await made.leave()
