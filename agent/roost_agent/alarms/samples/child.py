"""Runs a short command and reads what it prints; for a sampler in its thread."""

import subprocess
from collections.abc import Sequence
from typing import Final

from roost_agent.errors import ProbeError

CHILD_S: Final = 4.0  # less than a look may take
OUTPUT_CHARS_MAX: Final = 64 * 1024


def output(command: Sequence[str]) -> str:
    """Return the standard output of a command.

    Raises:
        ProbeError: it failed, took too long, or is not there.
    """
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command of ours
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=CHILD_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as err:
        raise ProbeError(f"{command[0]}: {err}") from err
    return done.stdout[:OUTPUT_CHARS_MAX].decode("utf-8", "replace")
