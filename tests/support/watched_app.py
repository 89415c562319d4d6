"""app/web, a service that a node watches, and the ways in which a release of it is bad.

The program runs the files of the release that is installed and begins anew with the next one. Each
release says how bad it is by its file ``how``; the program is the same.
"""

import os
import shlex
import sys
from pathlib import Path

CRASH_S = 30  # as the proof has it
BOOT_S = 15.0  # of a machine that boots again and again: longer than an agent takes to start
LEAK_BYTES = 2 << 20  # every tenth of a second
LEAK_BYTES_MAX = 96 << 20  # the machine is others', too
TOO_MUCH_BYTES = 64 << 20  # from there on it says that it leaks
LEAKS = "750.801"

_PROGRAM = '''\
"""app/web: writes what it runs twice a second, and does what its release says."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

release, folder, parent = Path(sys.argv[1]), Path(sys.argv[2]), Path("/proc", sys.argv[3])
mine, began, kept = release.readlink(), time.monotonic(), []
how, version = (release / "how").read_text(), (release / "version").read_text()


def told_leak():
    """Raise an alarm as any application does; it ends by itself."""
    words = [sys.executable, "-m", "roost_agent", "alarm", "raise", "{leaks}", "--ttl", "20"]
    words += ["--entity", "app=web", "--severity", "major", "--text", "the service leaks memory"]
    return subprocess.Popen([*words, "--socket", str(folder / "alarm.sock")])


telling = None
while parent.exists():
    if release.readlink() != mine:  # another release was installed
        os.execv(sys.executable, [sys.executable, *sys.argv])
    runs_s = time.monotonic() - began
    if how == "ends":
        raise SystemExit("it cannot do its work")
    if how == "crashes" and runs_s > {crash_s}:
        raise SystemExit("it ends for no reason")
    if how == "leaks" and sum(map(len, kept)) < {leak_bytes_max}:
        kept.append(bytearray(b"x" * {leak_bytes}))
    if sum(map(len, kept)) > {too_much} and (telling is None or runs_s - telling > 5):
        told_leak().wait()
        telling = runs_s
    if how == "silences" and not (folder / "silenced").exists():  # who wakes it is let go on
        (folder / "silenced").touch()
        os.kill(int((folder / "agent.pid").read_text()), signal.SIGSTOP)
    if how == "boots" and runs_s > {boot_s}:
        (folder / "power").touch()
    fresh = folder / f"app.{os.getpid()}"
    fresh.write_text(version)
    fresh.replace(folder / "app")
    time.sleep(0.1)
'''
_UNIT = """\
import os, sys, time
from pathlib import Path
release, folder, parent = Path(sys.argv[1]), Path(sys.argv[2]), Path("/proc", sys.argv[3])
noted = folder / "app.pid"
runs = Path("/proc", noted.read_text().strip() if noted.exists() else "none", "cmdline")
if runs.exists() and str(folder) in runs.read_text():
    sys.exit()  # a unit that runs is not started once more
noted.write_text(f"{os.getpid()}\\n")
while parent.exists() and not (release / "bin/web").exists():
    time.sleep(0.1)
if parent.exists():
    os.execv(sys.executable, [sys.executable, str(release / "bin/web"), *sys.argv[1:4]])
"""
WATCHED = """\
[process.web]
service = "web"
pidfile = "{folder}/app.pid"
severity = "major"
restarts = 0
interval = 1
startuptime = 2
debounce = {debounce}
"""


def files(version: str, how: str) -> dict[str, bytes]:
    """Return what a release consists of.

    Args:
        version: that it writes.
        how: ``well``, ``ends`` (at once), ``crashes`` (later), ``leaks``, ``silences`` (the node's
            agent) or ``boots`` (the machine, again and again).
    """
    program = (
        _PROGRAM.replace("{leaks}", LEAKS)
        .replace("{crash_s}", str(CRASH_S))
        .replace("{boot_s}", str(BOOT_S))
        .replace("{leak_bytes_max}", str(LEAK_BYTES_MAX))
        .replace("{leak_bytes}", str(LEAK_BYTES))
        .replace("{too_much}", str(TOO_MUCH_BYTES))
    )
    said = {"bin/web": program, "how": how, "version": version}
    return {path: text.encode() for path, text in said.items()}


def unit(folder: Path, place: Path) -> str:
    """Write what starts it; return the line of a shell that does: it ends with this process."""
    file = folder / "unit.py"
    file.write_text(_UNIT)
    return shlex.join([sys.executable, *map(str, (file, place / "current", folder, os.getpid()))])
