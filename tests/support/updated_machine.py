"""An enrolled node that is a machine of its own: a service, and power that is taken and given back.

It stands in for what a process cannot do: to boot. Its agent has a mount namespace with a boot id
of its own, as the nodes of ha_netns.py have; a boot ends agent, helper and service with SIGKILL,
writes another boot id and begins them again.
"""

import contextlib
import os
import shlex
import signal
import threading
import uuid

import watched_app
from fleet_stage import Box
from program import Program
from updated_agent import UpdatedAgent

POLL_S = 0.1
ENTER = 'mount --bind "$1" /proc/sys/kernel/random/boot_id && shift && exec "$@"'


class UpdatedMachine(UpdatedAgent):
    """One node.

    Args:
        box: that has joined.

    Attributes:
        boots: how often it booted since its first start.
    """

    DEBOUNCE_S = 60  # of its service
    VERIFY_S = 90  # a service that was begun anew has to be steady for 30 s

    def __init__(self, box: Box) -> None:
        super().__init__(box)
        self.boots = 0
        self._boot_id = self.folder / "boot_id"
        self._new_boot_id()
        self._app = Program(self.folder / "app.log")
        (self.folder / "processes.d").mkdir()
        watched = watched_app.WATCHED.format(folder=self.folder, debounce=self.DEBOUNCE_S)
        (self.folder / "processes.d/web.toml").write_text(watched)
        (self.folder / "units.toml").write_text('[unit]\nweb = "web.service"\n')
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Give it power."""
        self._begin()
        self._thread.start()

    def stop(self) -> None:
        """Take it, for good."""
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join()
        self._end()

    def wake(self) -> None:
        """Let a stopped agent go on."""
        os.kill(self.pid, signal.SIGCONT)

    @property
    def runs(self) -> str:
        """The version that the service says."""
        file = self.folder / "app"
        return file.read_text() if file.exists() else ""

    def _begin(self) -> None:
        self._app._launch(*shlex.split(self._unit()), in_own_session=True)
        super().start()
        (self.folder / "agent.pid").write_text(str(self.pid))

    def _end(self) -> None:
        super().stop()
        self._app.kill()
        with contextlib.suppress(OSError, ValueError):  # one that the helper started
            os.kill(int((self.folder / "app.pid").read_text()), signal.SIGKILL)

    def _watch(self) -> None:
        """Boot the machine whenever somebody asks for it."""
        power = self.folder / "power"
        while not self._ends.wait(POLL_S):
            if power.exists():
                self._end()
                power.unlink()
                self._new_boot_id()
                self.boots += 1
                self._begin()

    def _new_boot_id(self) -> None:
        self._boot_id.write_text(f"{uuid.uuid4()}\n")

    def _cases(self) -> str:
        app = f"setsid {self._unit()} </dev/null >>{self.folder}/app.log 2>&1 &"
        return f'*" -- web.service") {app} ;;\n*" reboot") touch {self.folder}/power ;;\n'

    def _processes(self) -> str:
        return (
            f'folders = ["{self.folder}/processes.d"]\nunits = "{self.folder}/units.toml"\n'
            f'helper = "{self.folder}/helper.sock"\n'
        )

    def _unit(self) -> str:
        return watched_app.unit(self.folder, self.place)

    def _inside(self) -> tuple[str, ...]:
        """Return the words that start a program on the machine: it keeps its pid."""
        own = ("unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, "sh")
        return (*own, str(self._boot_id))
