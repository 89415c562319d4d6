"""The demo's application: what its releases consist of, and who runs it on the nodes of site lab.

Each node watches a process ``sensor`` that runs the files of the release that is installed below
its folder, and begins anew with the next one. The bad release lacks its calibration: it ends as
soon as it starts, as a real one would that was never tried.
"""

import os
import shlex
import sys
from pathlib import Path
from typing import Final

COMPONENT: Final = "app/sensor"
FIRST: Final = "2.0.0"  # what simulated nodes run from the beginning
GOOD, BAD = "2.1.0", "2.2.0"
PLACE: Final = "opt/roost/app/sensor/current"  # below a node's machine, as on any node
READING: Final = "run/sensor"
PID: Final = "run/sensor.pid"
ROWS: Final = 4_096  # of the calibration: some 40 KiB, so that there is something to fetch

_PROGRAM: Final = '''\
"""sensor {version}: writes what it measures into a file, once a second."""

import os
import sys
import time
from pathlib import Path

release, reading, demo = Path(sys.argv[1]), Path(sys.argv[2]), Path("/proc", sys.argv[3])
rows = Path("etc/calibration.csv").read_text().splitlines()[1:]
if not rows:
    raise SystemExit("sensor {version}: etc/calibration.csv has no rows: nothing can be measured")
while demo.exists():
    if not os.path.samefile(release, "."):  # another release was installed
        os.chdir(release)
        os.execv(sys.executable, [sys.executable, "-S", *sys.argv])
    raw, value = rows[int(time.time()) % len(rows)].split(",")
    fresh = reading.with_suffix(".new")
    fresh.write_text(f"sensor {version} reads {{value}} at {{time.strftime('%H:%M:%S')}}\\n")
    fresh.replace(reading)
    time.sleep(0.5)
'''
# Stands for the unit: it waits for the first release, then becomes the program, within its folder:
# what is read below it is of one release, also where the link moves in between.
_UNIT: Final = """\
import os
import sys
import time
from pathlib import Path

release, demo, pid = Path(sys.argv[1]), Path("/proc", sys.argv[3]), Path(sys.argv[4])
pid.write_text(f"{os.getpid()}\\n")
program = release / "bin/sensor"
while demo.exists() and not program.exists():
    time.sleep(0.5)
if demo.exists():
    os.chdir(release)
    os.execv(sys.executable, [sys.executable, "-S", "bin/sensor", *sys.argv[1:4]])
"""
# Of systemctl, for the words start and stop: a unit that runs is not started once more.
_UNIT_WORDS: Final = """\
runs=$(cat {pid} 2>/dev/null)
[ -n "$runs" ] && grep -q sensor "/proc/$runs/cmdline" 2>/dev/null || runs=
case "$*" in
*" stop "*) [ -z "$runs" ] || kill "$runs" ;;
*) [ -n "$runs" ] || setsid {words} </dev/null >>{log} 2>&1 & ;;
esac
exit 0
"""


def sources(folder: Path) -> dict[str, Path]:
    """Write what the releases are made of; return their folders by version."""
    found = {}
    for version in (GOOD, BAD):
        found[version] = folder / f"sensor-{version}"
        for path, text in _files(version).items():
            file = found[version] / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    return found


def unit_lines(folder: Path, root: Path) -> str:
    """Write a node's unit; return the lines of a shell that start or stop it.

    Args:
        folder: that root's part of the node has.
        root: of the node's files.
    """
    root = root.absolute()
    (root / READING).parent.mkdir(parents=True, exist_ok=True)
    unit = folder / "sensor-unit.py"
    unit.write_text(_UNIT)
    given = (unit, root / PLACE, root / READING, os.getpid(), root / PID)
    words = shlex.join([sys.executable, "-S", *map(str, given)])
    log = shlex.quote(str(folder / "sensor.log"))
    return _UNIT_WORDS.format(pid=shlex.quote(str(root / PID)), words=words, log=log)


def watched(root: Path) -> str:
    """Return how a node watches it: after one start that did not help it has failed."""
    return (
        f'[process.sensor]\nservice = "sensor"\npidfile = "{root / PID}"\nseverity = "major"\n'
        "restarts = 1\ninterval = 1\nstartuptime = 2\ndebounce = 3\n"
    )


def _files(version: str) -> dict[str, str]:
    rows = "" if version == BAD else "".join(f"{n},{n * 0.0125:.4f}\n" for n in range(ROWS))
    return {
        "bin/sensor": _PROGRAM.format(version=version),
        "etc/calibration.csv": f"raw,value\n{rows}",
    }
