"""The operator's command, given to a running demo."""

import os
import subprocess
import sys
from itertools import pairwise


def roost(running, *words):
    """Run the operator's command and return what it said."""
    env = os.environ | {"ROOST_URL": running.url, "ROOST_TOKEN": running.token}
    done = subprocess.run(
        [sys.executable, "-m", "roost_central.cli", *words],
        env=env, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def steps(running, node):
    """The steps of a node's updates, each with the time at which it was begun, oldest first."""
    command = [sys.executable, "-m", "roost_agent", "update"]
    done = subprocess.run(
        [*command, "--state-dir", str(running.folder / f"lab.{node}"), "history"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    return [(row[0], row[2]) for row in rows]


def changed_alone(running, nodes):
    """Check that no two nodes were between their install and their commit at once.

    Returns:
        the nodes in the order of their installs.
    """
    spans = []
    for node in nodes:
        begun = ""
        for at, step in steps(running, node):
            begun = at if step == "install" else begun
            if step == "unlock" and begun:
                spans.append((begun, at, node))
                begun = ""
        spans += [(begun, "9", node)] if begun else []
    spans.sort()
    for (_, end, one), (begin, _, other) in pairwise(spans):
        assert end <= begin, f"{one} and {other} changed at once: {spans}"
    return [node for *_, node in spans]
