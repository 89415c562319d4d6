"""One life of root's one-shot, killed at a moment of choice: ``FOLDER DIGEST KILL_AT CONFIRM_MS``.

The moments are before and after each word to the kernel, each write of the state and each telling.
The product's own program over the namespace that it is started in; only its patience is shorter.
"""

import os
import signal
import sys
from pathlib import Path

from roost_agent.config_apply import core, state, told
from roost_agent.config_apply.network import kernel
from roost_agent.config_apply.program import Given, Program

MOMENT = 0


def dying(real, at):
    """Return a function that dies before or after its work, at the moment of choice."""

    def work(*given, **more):
        come(at)
        done = real(*given, **more)
        come(at)
        return done

    return work


def come(at):
    """Count a moment, and end there as a kill does."""
    global MOMENT  # noqa: PLW0603 - of this process
    MOMENT += 1
    if at == MOMENT:
        os.kill(os.getpid(), signal.SIGKILL)


def main(folder, digest, at, confirm_ms):
    core.CONFIRM_MS = confirm_ms
    kernel.do = dying(kernel.do, at)
    state.save = dying(state.save, at)
    told.write = dying(told.write, at)
    given = Given("/", folder / "state", folder / "jobs", folder / "told", systemctl="")
    program = Program(given)
    status = program.boot() if digest == "boot" else program.apply(digest)
    (folder / "moments").write_text(str(MOMENT))
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
