"""roost-guard as a process, on a cgroup of its own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

import pytest
from cgroups import private
from guard_process import Guard


@pytest.fixture
def root():
    """The folder of what is guarded."""
    with private() as folder:
        yield folder


@pytest.fixture
def guards(tmp_path, root):
    """Makes guards, and ends what is left of them; the latest state and socket are theirs all."""
    made = []

    def make(*options, **more):
        made.append(Guard(tmp_path, root, *options, **more))
        return made[-1]

    yield make
    for guard in made:
        guard.kill()
