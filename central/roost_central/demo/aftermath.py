"""Ends what a demo's agents started and nobody ends: ``... aftermath DEMO FOLDER [CGROUP]``.

The brokers and services of the real site outlive an agent that is killed, as they must. This
process waits for the demo's end, however it comes, and then ends them: services by their cgroup,
brokers by the pid that the agent noted, if that is still this broker.
"""

import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

WAIT_S = 5.0  # for a killed cgroup to become empty
LOOK_S = 0.05


def main() -> None:
    """Wait for the demo's end, then clean up."""
    demo, folder = int(sys.argv[1]), Path(sys.argv[2])
    with suppress(ProcessLookupError):
        select.select([os.pidfd_open(demo)], [], [])
    clean(folder, Path(sys.argv[3]) if sys.argv[3:] else None)


def clean(folder: Path, root: Path | None) -> None:
    """End services and brokers; what is gone already is no matter."""
    if root is not None:
        _end_group(root)
    for noted in folder.glob("*/ha/broker/pid"):
        with suppress(OSError, ValueError):
            pid = int(noted.read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if os.fsencode(noted.parent / "mosquitto.conf") in words:
                os.kill(pid, signal.SIGTERM)


def _end_group(root: Path) -> None:
    with suppress(OSError):
        (root / "cgroup.kill").write_text("1")
    for _ in range(round(WAIT_S / LOOK_S)):
        if "populated 1" not in _events(root):
            break
        time.sleep(LOOK_S)
    for folder in sorted(root.rglob("*/"), key=lambda each: -len(each.parts)):
        with suppress(OSError):
            folder.rmdir()
    with suppress(OSError):
        root.rmdir()


def _events(root: Path) -> str:
    with suppress(OSError):
        return (root / "cgroup.events").read_text()
    return ""


if __name__ == "__main__":
    main()
