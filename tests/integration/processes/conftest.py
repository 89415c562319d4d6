"""Real processes, the real helper, and a service manager in systemd's place."""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

import pytest
from process_stage import Services


@pytest.fixture
def services():
    """Services of the test; all that ran of them is ended."""
    with tempfile.TemporaryDirectory(prefix="roost-processes-") as made:
        found = Services(Path(made))
        yield found
        found.end()
