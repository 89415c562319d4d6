"""An enrolled node that installs releases: a real agent, helper, and root's one-shot behind it."""

import sqlite3
import sys

from fleet_stage import Box
from install_stage import tree_of
from program import Program
from waiting import wait_until

from roost_agent.errors import StorageError
from roost_agent.update.journal import Journal
from roost_agent.update.kept import Line

_SYSTEMCTL = """#!/bin/sh
# start --no-block -- roost-install@VERB-DIGEST.service: as the unit
for word; do last=$word; done
about=${{last#roost-install@}}; about=${{about%.service}}
echo "$*" >>{folder}/systemctl.log
case $* in
{cases}*" -- roost-install@"*)
setsid {python} -m roost_agent.install --root={folder}/root --state={folder}/installed \\
  --requests={folder}/requests --trust={folder}/trust --systemctl= \\
  --mirror={state_dir}/updates/mirror run "$about" </dev/null >>{folder}/one-shot.log 2>&1 & ;;
esac
"""
_CONFIG = """
state_dir = "{state_dir}"
[beat]
interval_s = 1
[alarms]
socket = "{folder}/alarm.sock"
off = {off}
[settings]
helper = "{folder}/helper.sock"
[processes]
health = "{folder}/health"
{processes}[updates]
trust = "{folder}/trust"
installed = "{folder}/installed"
requests = "{folder}/requests"
root = "{folder}/root"
verify_s = {verify_s}
"""


class UpdatedAgent(Program):
    """One node.

    Args:
        box: that has joined.
    """

    VERIFY_S = 10
    # How busy the tests' machine is, what its disks and clock are like: a site with such an alarm
    # is offered nothing, and a host that is degraded by it takes nothing over.
    OFF = ("100.101", "100.103", "100.104", "100.114", "100.808", "100.809", "100.810")

    def __init__(self, box: Box) -> None:
        self.folder = box.state_dir.parent
        super().__init__(self.folder / "agent.log")
        self.trust = self.folder / "trust"
        self.place = self.folder / "root/opt/roost/app/web"
        for name in ("agent", "root", "installed", "requests", "helper", "health"):
            (self.folder / name).mkdir()
        names = {"folder": self.folder, "python": sys.executable, "state_dir": box.state_dir}
        names |= {
            "off": list(self.OFF),
            "verify_s": self.VERIFY_S,
            "cases": self._cases(),
            "processes": self._processes(),
        }
        (self.folder / "agent/agent.toml").write_text(_CONFIG.format(**names))
        script = self.folder / "systemctl"
        script.write_text(_SYSTEMCTL.format(**names))
        script.chmod(0o755)
        self._helper = Program(self.folder / "helper.log")

    def start(self) -> None:
        """Run helper and agent."""
        self._start_helper()
        words = (sys.executable, "-m", "roost_agent", "run", "--config", self.folder / "agent")
        self._launch(*self._inside(), *words)

    def stop(self) -> None:
        """End both."""
        self.kill()
        self._helper.kill()
        (self.folder / "helper.sock").unlink(missing_ok=True)

    def _start_helper(self) -> None:
        socket = self.folder / "helper.sock"
        self._helper._launch(
            sys.executable, "-m", "roost_agent.helper", f"--socket={socket}", "--user=0",
            f"--state={self.folder / 'helper'}", f"--systemctl={self.folder / 'systemctl'}",
            f"--units={self.folder / 'units.toml'}",
        )  # fmt: skip
        wait_until(socket.is_socket, "the helper listens")

    def _cases(self) -> str:
        """Return what else its systemctl knows, as branches of a shell's ``case``."""
        return ""

    def _processes(self) -> str:
        """Return what else it says of the processes that it watches."""
        return ""

    def _inside(self) -> tuple[str, ...]:
        """Return the words that the agent is started by."""
        return ()

    def health(self, script: str) -> None:
        """Give it a health script."""
        path = self.folder / "health/web"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def current(self) -> dict[str, bytes]:
        """What runs: the files behind the link."""
        return tree_of(self.place / "current")

    def lines(self) -> list[Line]:
        """What its journal of updates has, oldest first; nothing while there is none."""
        journal = Journal(self.folder / "state/updates")
        try:
            journal.open_to_read()
        except StorageError:
            return []
        try:
            return journal.lines()
        except (StorageError, sqlite3.Error):
            return []
        finally:
            journal.close()

    @property
    def words(self) -> str:
        """Where its programs have logged."""
        return f"the rollout comes to its end: {self.folder}"
