"""An enrolled node that installs releases: a real agent, helper, and root's one-shot behind it."""

import sys

from fleet_stage import Box
from install_stage import tree_of
from program import Program
from waiting import wait_until

_SYSTEMCTL = """#!/bin/sh
# start --no-block -- roost-install@VERB-DIGEST.service: as the unit
for word; do last=$word; done
about=${{last#roost-install@}}; about=${{about%.service}}
echo "$*" >>{folder}/systemctl.log
case $* in *" -- roost-install@"*)
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
[settings]
helper = "{folder}/helper.sock"
[processes]
health = "{folder}/health"
[updates]
trust = "{folder}/trust"
installed = "{folder}/installed"
requests = "{folder}/requests"
root = "{folder}/root"
verify_s = 10
"""


class UpdatedAgent(Program):
    """One node.

    Args:
        box: that has joined.
    """

    def __init__(self, box: Box) -> None:
        self.folder = box.state_dir.parent
        super().__init__(self.folder / "agent.log")
        self.trust = self.folder / "trust"
        self.place = self.folder / "root/opt/roost/app/web"
        for name in ("agent", "root", "installed", "requests", "helper", "health"):
            (self.folder / name).mkdir()
        names = {"folder": self.folder, "python": sys.executable, "state_dir": box.state_dir}
        (self.folder / "agent/agent.toml").write_text(_CONFIG.format(**names))
        script = self.folder / "systemctl"
        script.write_text(_SYSTEMCTL.format(**names))
        script.chmod(0o755)
        self._helper = Program(self.folder / "helper.log")

    def start(self) -> None:
        """Run helper and agent."""
        socket = self.folder / "helper.sock"
        self._helper._launch(
            sys.executable, "-m", "roost_agent.helper", f"--socket={socket}", "--user=0",
            f"--state={self.folder / 'helper'}", f"--systemctl={self.folder / 'systemctl'}",
        )  # fmt: skip
        wait_until(socket.is_socket, "the helper listens")
        config = str(self.folder / "agent")
        self._launch(sys.executable, "-m", "roost_agent", "run", "--config", config)

    def stop(self) -> None:
        """End both."""
        self.kill()
        self._helper.kill()

    def health(self, script: str) -> None:
        """Give it a health script."""
        path = self.folder / "health/web"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def current(self) -> dict[str, bytes]:
        """What runs: the files behind the link."""
        return tree_of(self.place / "current")

    @property
    def words(self) -> str:
        """Where its programs have logged."""
        return f"the rollout comes to its end: {self.folder}"
