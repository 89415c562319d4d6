"""A stand-in for systemd and for a container engine, where neither can run: a fake.

It knows the few words that local HA says to them. What it starts is real: processes in cgroups
below a slice, with the environment of the unit's drop-in. A start is done by a process of its own,
as PID 1 does it, so that it goes on when whoever asked for it is gone; a unit with ``Delay=`` waits
so long before. Run as a file it is the program itself.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PROGRAM = """\
import sys
sys.path.insert(0, {path!r})
from fake_engine import command
sys.exit(command({word!r}, {places!r}, sys.argv[1:]))
"""


class Engines:
    """One node's, on a cgroup of its own.

    Args:
        folder: for what it keeps.
        root: see below.
        mount: of cgroup v2.

    Attributes:
        root: where all cgroups of the node are.
        units: systemd's folder of drop-ins.
    """

    def __init__(self, folder, root, mount):
        self.folder, self.root, self.units = folder, root, folder / "units"
        self.slices = root / "roost.slice/roost-ha.slice"
        self.slices.mkdir(parents=True)
        for word in ("systemctl", "podman"):
            program = folder / word
            places = tuple(map(str, (folder, root, mount)))
            text = PROGRAM.format(path=str(Path(__file__).parent), word=word, places=places)
            program.write_text(f"#!{sys.executable} -IS\n{text}")
            program.chmod(0o755)

    def unit(self, name, start, **more):
        """Make a unit: ``ExecStart`` words, and other settings."""
        file = self.units / name
        file.parent.mkdir(exist_ok=True)
        settings = {"ExecStart": "\x1f".join(start), **more}
        file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))

    def container(self, name, start, **more):
        """Make a container: ``parent`` and ``policy`` as an engine has them."""
        self.unit(f"{name}.container", start, Slice=more.get("parent", ""),
                  Restart=more.get("policy", "no"))  # fmt: skip

    def told(self):
        """All that was asked, and each start that was begun."""
        file = self.folder / "told"
        return file.read_text().splitlines() if file.exists() else []


def command(word, places, words):
    """Do what one command line says, and return its exit status."""
    host = _Host(*map(Path, places))
    host.tell(f"{word} {' '.join(words)}")
    return host.systemctl(*words) if word == "systemctl" else host.podman(*words)


class _Host:
    def __init__(self, folder, root, mount):
        self.folder, self.root, self.mount = folder, root, mount

    def tell(self, line):
        with (self.folder / "told").open("a") as told:
            told.write(f"{line}\n")

    def systemctl(self, verb, *rest):
        name = rest[-1] if rest else ""
        if verb == "daemon-reload":
            return 0
        if name.endswith(".slice"):
            self._slice(name).mkdir(parents=True, exist_ok=True)
            return 0
        if verb == "show":
            said = self._said(name)
            is_up = self._is_up(name)
            group = self._group(name).relative_to(self.mount) if is_up else ""
            state = {
                "LoadState": "loaded" if (self.folder / "units" / name).is_file() else "not-found",
                "UnitFileState": said.get("UnitFileState", "static"),
                "Restart": said.get("Restart", "on-failure"),
                "Slice": said.get("Slice", "system.slice"),
                "ControlGroup": f"/{group}" if is_up else "",
            }
            sys.stdout.write("".join(f"{key}={value}\n" for key, value in state.items()))
            return 0
        return self._does(verb, name)

    def podman(self, verb, *rest):
        name = f"{next(each for each in reversed(rest) if each != 'pid')}.container"
        said = self._said(name)
        if verb == "inspect":
            if not said:
                sys.stderr.write("Error: no such object\n")
                return 125
            pids = self._pids(name)
            sys.stdout.write(f"{said['Slice']}|{said['Restart']}|{(*pids, 0)[0]}\n")
            return 0
        return self._does({"top": "is-active"}.get(verb, verb), name)

    def _does(self, verb, name):
        if verb == "start":
            return self._start(name)
        if verb == "is-active":
            return 0 if self._is_up(name) else 3
        for pid in self._pids(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if verb == "kill" else signal.SIGTERM)
        while verb == "stop" and self._is_up(name):
            time.sleep(0.01)
        return 0

    def _start(self, name):
        if self._is_up(name):
            return 0
        said = self._said(name)
        job = os.fork()
        if job == 0:
            os.setsid()
            self.tell(f"job {name}")
            time.sleep(float(said.get("Delay", 0)))
            self._group(name).mkdir(parents=True, exist_ok=True)
            self._run(name, said)
            os._exit(0)
        _, status = os.waitpid(job, 0)
        return os.waitstatus_to_exitcode(status)

    def _run(self, name, said):
        env = {"PATH": os.environ["PATH"]}
        note = Path(said.get("EnvironmentFile", "-/nowhere").removeprefix("-"))
        if note.is_file():
            env |= dict(line.split("=", 1) for line in note.read_text().splitlines())
        enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
        subprocess.Popen(
            ("/bin/sh", "-c", enter, str(self._group(name)), *said["ExecStart"].split("\x1f")),
            env=env, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        ends = time.monotonic() + 1  # type exec: it is started once it runs
        while not self._is_up(name) and time.monotonic() < ends:
            time.sleep(0.005)

    def _said(self, name):
        drop_ins = sorted((self.folder / "units" / f"{name}.d").glob("*.conf"))
        found = {}
        for file in (self.folder / "units" / name, *drop_ins):
            lines = file.read_text().splitlines() if file.is_file() else []
            found |= dict(line.split("=", 1) for line in lines if "=" in line)
        return found

    def _slice(self, name):
        is_ours = name.startswith("roost-ha-")
        return self.root / ("roost.slice/roost-ha.slice" if is_ours else "") / name

    def _group(self, name):
        """Where it runs, wherever its settings would put it now; else where it would run."""
        for found in self.root.rglob(f"{name}/cgroup.procs"):
            if found.read_text():
                return found.parent
        parent = self._said(name).get("Slice", "system.slice")
        return (self.mount / parent.lstrip("/") if "/" in parent else self._slice(parent)) / name

    def _pids(self, name):
        try:
            return [int(pid) for pid in (self._group(name) / "cgroup.procs").read_text().split()]
        except OSError:
            return []

    def _is_up(self, name):
        return bool(self._pids(name))
