"""roost-guard as a process, on a cgroup of its own."""

import sys
import tempfile
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
def memory():
    """A folder that no busy disk holds up, for what is about deadlines and not about the disk."""
    with tempfile.TemporaryDirectory(prefix="roost-guard-", dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture
def guards(tmp_path, root):
    """Makes guards, and ends what is left of them; the latest state and socket are theirs all."""
    made = []

    def make(*options, folder=tmp_path, **more):
        made.append(Guard(folder, root, *options, **more))
        return made[-1]

    yield make
    for guard in made:
        guard.kill()
