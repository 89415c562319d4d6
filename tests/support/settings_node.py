"""An enrolled node as it is installed, without systemd: agent, helper and root's one-shot.

They run in a mount namespace of their own, in which /run is empty and /etc a copy, so that root's
real paths can be used. A script stands for systemctl: it starts the one-shot as the unit does.
"""

import shutil
import sys
from pathlib import Path

from fleet_stage import Box
from program import Program

_SYSTEMCTL = """#!/bin/sh
# start --no-block -- roost-config@DIGEST.service
for word; do last=$word; done
digest=${{last#roost-config@}}; digest=${{digest%.service}}
echo "$*" >>{folder}/systemctl.log
case $2 in
start) setsid {python} -m roost_agent.config_apply --state={state} --systemctl= \\
    apply "$digest" </dev/null >>{folder}/one-shot.log 2>&1 & ;;
esac
"""
_RUN = """set -eu
mount -t proc proc /proc
mount -t tmpfs none /run
mount --bind {folder}/etc /etc
mkdir /run/roost /run/roost-config
{python} -m roost_agent.helper --socket /run/roost-helper.sock --user 0 --state {folder}/helper \\
    --systemctl {folder}/systemctl 2>>{folder}/helper.log &
while [ ! -S /run/roost-helper.sock ]; do sleep 0.1; done
exec {python} -m roost_agent run --config {folder}/agent
"""


class SettingsNode(Program):
    """One node; ``etc`` is what it has of /etc.

    Args:
        box: that has joined.
    """

    def __init__(self, box: Box) -> None:
        self.folder = box.state_dir.parent
        super().__init__(self.folder / "agent.log")
        self.etc = self.folder / "etc"
        self.etc.mkdir()
        for name in ("resolv.conf", "hosts", "nsswitch.conf", "passwd", "group"):
            if (real := Path("/etc") / name).exists():
                shutil.copy(real, self.etc / name)
        (self.etc / "localtime").symlink_to("/usr/share/zoneinfo/UTC")
        for name in ("state-of-root", "helper", "agent"):
            (self.folder / name).mkdir()
        (self.folder / "agent/agent.toml").write_text(
            f'state_dir = "{box.state_dir}"\n[beat]\ninterval_s = 1\n'
        )
        names = {
            "python": sys.executable,
            "folder": self.folder,
            "state": self.folder / "state-of-root",
        }
        script = self.folder / "systemctl"
        script.write_text(_SYSTEMCTL.format(**names))
        script.chmod(0o755)
        self._run = _RUN.format(**names)

    def start(self) -> None:
        """Run the agent and its helper."""
        apart = ("--mount", "--pid", "--fork", "--kill-child")  # all of it ends together
        self._launch("unshare", *apart, "sh", "-c", self._run)

    def words(self) -> str:
        """Return what its programs have logged."""
        logs = ("agent.log", "helper.log", "one-shot.log", "systemctl.log")
        return "\n".join(
            f"-- {name}\n{(self.folder / name).read_text()[-2_000:]}"
            for name in logs
            if (self.folder / name).exists()
        )
