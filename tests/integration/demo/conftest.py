"""A demo as a process of its own, on free ports, and the centre it starts."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

READY_S = 60
NODES_A_SITE = 3


class RunningDemo:
    """A demo that has printed its block."""

    def __init__(self, folder, *args):
        self.folder = folder
        self.out = folder.with_suffix(".out")
        self.err = folder.with_suffix(".err")
        command = [sys.executable, "-m", "roost_central.cli", "demo", "--port", "0"]
        command += ["--data-dir", str(folder), *args]
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err)
        self.url = self.wait(lambda: self._url() or None)
        self.token = (folder / "central" / "admin.token").read_text().strip()

    def _url(self):
        if self.process.poll() not in {None, 0}:
            raise AssertionError(self.err.read_text())
        found = re.search(r"dashboard  (\S+)", self.out.read_text())
        return found[1] if found else None

    def get(self, path):
        request = urllib.request.Request(f"{self.url}/api/v1{path}")  # noqa: S310 - of the demo
        request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - see above
            return json.load(answer)

    def node(self, name):
        return self.get(f"/nodes/lab.{name}")

    def wait(self, asked, *, for_s=READY_S):
        """Ask until the answer is true, and return it."""
        deadline = time.monotonic() + for_s
        while time.monotonic() < deadline:
            with suppress(OSError):
                if answer := asked():
                    return answer
            time.sleep(0.3)
        raise AssertionError(f"not within {for_s} s:\n{self.err.read_text()[-2000:]}")

    def family(self):
        """Return the pids of this demo's children, by what stands on their command line."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                line = entry.read_bytes().replace(b"\0", b" ").decode()
                if str(self.folder) in line and int(entry.parent.name) != self.process.pid:
                    found[int(entry.parent.name)] = line
        return found

    def pid_of(self, file):
        return next(pid for pid, line in self.family().items() if file in line)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@pytest.fixture
def demo(tmp_path):
    """Start demos; whatever a test does to them, they end with it."""
    started = []

    def start(*args):
        started.append(RunningDemo(tmp_path / f"demo{len(started)}", *args))
        return started[-1]

    yield start
    for running in started:
        running.end()
        running.wait(lambda it=running: not it.family(), for_s=10)
