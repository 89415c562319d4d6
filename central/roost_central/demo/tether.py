"""Runs a command that dies with its parent: ``python -m roost_central.demo.tether PARENT CMD...``.

``kill -9`` of the demo leaves nobody to clean up, so each child asks the kernel for it beforehand
(prctl(2), PR_SET_PDEATHSIG), looks whether the parent went meanwhile, and becomes the command.
Nothing but the standard library: this is between the demo and everything it starts.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent, then become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"tether: prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        sys.exit("tether: the parent is gone")
    os.execvp(command[0], command)  # noqa: S606 - the command of the demo


if __name__ == "__main__":
    main()
