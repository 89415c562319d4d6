"""What stands for a machine in the demo: settings change files below a folder and nothing else.

Each node of the real site has a helper and root's one-shots as an installed node has them, except
that all of them run as the demo's user, on a tree of files. A script stands for systemctl; it knows
the one-shots and the unit of the demo's application alone, so no order of the demo reboots this
machine or touches its services.
"""

import os
import shlex
import sys
from pathlib import Path
from typing import Final

from roost_central.demo import sensor
from roost_central.demo.children import Command

TREE: Final = {
    "proc/sys/vm/swappiness": "60\n",
    "proc/sys/vm/dirty_ratio": "20\n",
    "etc/resolv.conf": "nameserver 192.0.2.1\n",
    "etc/roost/agent.toml": '[ha]\nfile = "/etc/roost/ha.toml"\n',
    "sys/class/net/eth0/address": "02:00:5e:00:53:01\n",
    "usr/share/zoneinfo/UTC": "",
    "usr/share/zoneinfo/Europe/Berlin": "",
}
LINKS: Final = {"etc/localtime": "/usr/share/zoneinfo/UTC"}
SWAPPINESS: Final = "proc/sys/vm/swappiness"  # what the demo's user is told to change
PROFILE: Final = """\
# What the nodes of site lab should be. In the demo it changes files below lab.*/machine alone.
[profile]
name = "lab"
site = "{site}"
[kernel.sysctl]
"vm.swappiness" = 10
[dns]
servers = ["192.0.2.53"]
[thresholds."node.cpu.high"]
major = 99
critical = 100
"""
FOLDERS: Final = ("jobs", "told", "root", "helper", "installed", "requests")
STABILISE_S: Final = 4  # five minutes are all that the demo has
VERIFY_S: Final = 60  # three beats of the demo's agents, and what a busy machine takes
_SYSTEMCTL: Final = """\
#!/bin/sh
# Written by roost demo, for roost-helper: .. start --no-block -- roost-config@DIGEST.service, and
# .. kill --signal=SIGURG --kill-whom=main -- the same, where the node is reached; the same of
# roost-install@VERB-DIGEST.service, and .. start|stop -- sensor.service.
for unit; do :; done
case "$*" in
*" start -- sensor.service" | *" stop -- sensor.service") {sensor} ;;
*" start "*" roost-install@"*.service)
  about=${{unit#roost-install@}}
  setsid {python} -m roost_agent.install --root={root} --state={installed} \\
    --requests={requests} --trust={trust} --mirror={mirror} --systemctl= \\
    run "${{about%.service}}" </dev/null >>{install_log} 2>&1 &
  exit 0 ;;
*" start "*" roost-config@"*.service) ;;
*" kill "*" roost-config@"*.service) exec kill -URG "$(cat {pid})" ;;
*) echo "the demo has no service manager: $*" >&2; exit 1 ;;
esac
digest=${{unit#roost-config@}}
{python} -m roost_agent.config_apply --root {root} --state {state} --jobs {jobs} --told {told} \\
    --systemctl= apply "${{digest%.service}}" </dev/null >>{log} 2>&1 &
echo $! >{pid}
"""


class Machine:
    """One node's.

    Args:
        folder: the node's state folder.
        node: its name.
    """

    def __init__(self, folder: Path, node: str) -> None:
        self.root = folder / "machine"
        self.helper = folder / "helper.sock"
        self.trust = folder / "trust"
        self._node = node
        self._folder = folder
        self._units = folder / "helper/units.toml"

    def settings(self) -> list[str]:
        """Return what the agent's configuration says of them, each list item a line."""
        return [
            f'[settings]\nhelper = "{self.helper}"\njobs = "{self._folder / "jobs"}"\n'
            f'told = "{self._folder / "told"}"\nroot = "{self.root}"',
            f'[updates]\ntrust = "{self.trust}"\ninstalled = "{self._folder / "installed"}"\n'
            f'requests = "{self._folder / "requests"}"\nroot = "{self.root}"\n'
            f"verify_s = {VERIFY_S}\nstabilise_s = {STABILISE_S}",
        ]

    def processes(self) -> str:
        """Return what ``[processes]`` says of who starts what is watched, each line a key."""
        return f'units = "{self._units}"\nhelper = "{self.helper}"\n'

    def made(self) -> Command:
        """Write its files where there are none, and return the command of its helper."""
        self._folder.mkdir(mode=0o700, exist_ok=True)  # the agent's keys come in here, too
        for path, text in TREE.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                file.write_text(text)
        site_file = self._folder.parent / f"{self._node}.ha.toml"  # as lab.py writes it
        for path, target in (LINKS | {"etc/roost/ha.toml": str(site_file)}).items():
            if not (self.root / path).is_symlink():
                (self.root / path).symlink_to(target)
        folders = {name: self._folder / name for name in FOLDERS}
        for folder in folders.values():
            folder.mkdir(mode=0o700, exist_ok=True)
        self._units.write_text('[unit]\nsensor = "sensor.service"\n')
        words = {
            "--socket": self.helper,
            "--user": os.getuid(),
            "--units": self._units,
            "--state": folders["helper"],
            "--systemctl": self._systemctl(folders),
        }
        argv = [str(word) for option in words.items() for word in option]
        name = f"helper-{self._node}"
        return Command(name, (sys.executable, "-m", "roost_agent.helper", *argv))

    def _systemctl(self, folders: dict[str, Path]) -> Path:
        script = folders["helper"] / "systemctl"
        places = {
            "python": sys.executable,
            "root": self.root,
            "state": folders["root"],
            "jobs": folders["jobs"],
            "told": folders["told"],
            "log": folders["root"] / "log",
            "pid": folders["root"] / "pid",
            "installed": folders["installed"],
            "requests": folders["requests"],
            "trust": self.trust,
            "mirror": self._folder / "updates/mirror",
            "install_log": folders["root"] / "install.log",
        }
        quoted = {name: shlex.quote(str(place)) for name, place in places.items()}
        quoted["sensor"] = sensor.unit_lines(folders["helper"], self.root)
        script.write_text(_SYSTEMCTL.format(**quoted))
        script.chmod(0o700)
        return script
