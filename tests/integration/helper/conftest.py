"""roost-helper as a process, with a service manager that only takes notes."""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

import pytest
from helper_process import Helper


@pytest.fixture
def folder():
    """A folder that other users can enter, as /run is."""
    with tempfile.TemporaryDirectory(prefix="roost-helper-") as made:
        path = Path(made)
        path.chmod(0o755)
        yield path


@pytest.fixture
def helpers(folder):
    """Makes the helper of the test and ends it."""
    made = []

    def make(*, user=None, before=()):
        made.append(Helper(folder, user=os.geteuid() if user is None else user, before=before))
        return made[-1]

    yield make
    for helper in made:
        helper.kill()
