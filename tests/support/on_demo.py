"""The operator's command, given to a running demo."""

import os
import subprocess
import sys


def roost(running, *words):
    """Run the operator's command and return what it said."""
    env = os.environ | {"ROOST_URL": running.url, "ROOST_TOKEN": running.token}
    done = subprocess.run(
        [sys.executable, "-m", "roost_central.cli", *words],
        env=env, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
