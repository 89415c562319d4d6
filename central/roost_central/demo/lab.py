"""Local HA of the demo's real site: its files, its guards, and a place for its services.

The services need a folder of cgroup v2 that this user may write, as anywhere: root has one, others
only where the system gives them one. Without it the site has its lease, paths and pages, but runs
no service, and the demo says why.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from roost_central.demo import cast
from roost_central.demo.brokers import free_port
from roost_central.demo.children import ChildFailedError, Command

HOSTS = cast.NODES[:2]  # of the 2N group; the third node votes, and runs what runs everywhere
GROUP = "web"
LEASE_MS, TICK_MS = 6_000, 100  # of profile default
SERVICE = """\
import os, pathlib, sys, time
nodes = sys.argv[3:]  # all run on this machine: the cgroup tells which of them this is
groups = pathlib.Path("/proc/self/cgroup").read_text().strip().split("/")
name = next(each for each in groups if each in nodes)
file, demo = pathlib.Path(sys.argv[1].format(node=name)), int(sys.argv[2])
while pathlib.Path(f"/proc/{demo}").exists():
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text(f"{name} epoch {os.environ['HA_EPOCH']} {time.strftime('%H:%M:%S')}\\n")
    fresh.replace(file)
    time.sleep(1)
"""
SCOPE = "systemd-run --user --scope -p Delegate=yes roost demo"


@dataclass(frozen=True, slots=True)
class Lab:
    """What one demo's site works with.

    Attributes:
        root: its folder of cgroup v2, None where there is none; ``why`` says why.
        mqtt_port: of the brokers that the agents run.
    """

    folder: Path
    root: Path | None
    why: str
    keys: str
    mqtt_port: int
    udp_port: int

    def file(self, node: str) -> Path:
        """Write the HA files of a node and return the site's."""
        key_file = self.folder / f"{node}.keys"
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(self.keys)
        file = self.folder / f"{node}.ha.toml"
        file.write_text(
            f'key_file = "{key_file}"\nguard_socket = "{self._guard(node)}.sock"\n'
            + _site(self.mqtt_port, self.udp_port)
            + ("" if self.root is None else _groups(self.folder))
        )
        file.chmod(0o600)
        return file

    def guards(self) -> list[Command]:
        """Return the commands of the guards, none where there is nothing to guard."""
        return [] if self.root is None else [self._command(node, self.root) for node in cast.NODES]

    def _command(self, node: str, root: Path) -> Command:
        exclusive = root / node / "exclusive"
        exclusive.mkdir(parents=True, exist_ok=True)
        options = {
            "--lease-ms": LEASE_MS,
            "--tick-ms": TICK_MS,
            "--socket": f"{self._guard(node)}.sock",
            "--state": f"{self._guard(node)}.state",
            "--cgroup-root": exclusive,
            "--agent-uid": os.getuid(),
        }
        words = [str(word) for option in options.items() for word in option]
        return Command(f"guard-{node}", (sys.executable, "-m", "roost_agent.guard", *words), 0.5)

    def _guard(self, node: str) -> Path:
        return self.folder / f"{node}-guard"


async def prepared(folder: Path) -> Lab:
    """Return what a demo's site works with; its keys are made anew."""
    root, why = cgroup_root(f"roost-demo-{os.getpid()}")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "roost_agent", "ha", "keygen", *cast.NODES,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    keys, _ = await process.communicate()
    if process.returncode != 0:
        raise ChildFailedError("roost-agent ha keygen failed; see above")
    (folder / "service.py").write_text(SERVICE)
    ports = (free_port(f"{next(iter(cast.NETWORKS.values()))}.1") for _ in range(2))
    return Lab(folder, root, why, keys.decode(), *ports)


def cgroup_root(name: str, proc: Path = Path("/proc/self")) -> tuple[Path | None, str]:
    """Make a folder of cgroup v2 below this process's own; or None, and why not."""
    mount = next(
        (
            Path(line.split(" ")[4])
            for line in (proc / "mountinfo").read_text().splitlines()
            if line.partition(" - ")[2].startswith("cgroup2 ")
        ),
        None,
    )
    if mount is None:
        return None, "this system mounts no cgroup v2"
    own = next(
        (
            line.removeprefix("0::/")
            for line in (proc / "cgroup").read_text().splitlines()
            if line.startswith("0::/")
        ),
        "",
    )
    folder = mount / own / name
    try:
        folder.mkdir()
    except OSError as err:
        return None, f"{folder.parent} cannot be written ({err.strerror}); try `{SCOPE}`, or root"
    if not (folder / "cgroup.kill").exists():
        folder.rmdir()
        return None, "cgroup v2 of this kernel has no cgroup.kill (Linux 5.14 has)"
    return folder, ""


def active(folder: Path) -> Path:
    """Return the file into which the 2N service writes who it is."""
    return folder / "lab.active"


def _site(mqtt_port: int, udp_port: int) -> str:
    names = ", ".join(f'"{node}"' for node in cast.NODES)
    networks = ", ".join(f'{{name="{name}"}}' for name in cast.NETWORKS)
    paths = [
        f'{{driver="mqtt", broker="{node}", network="{network}"}}'
        for node, network in zip(HOSTS, cast.NETWORKS, strict=True)
    ] + [f'{{driver="udp", network="{network}"}}' for network in cast.NETWORKS]
    return (
        f"voters = [{names}]\nmqtt_port = {mqtt_port}\nudp_port = {udp_port}\n"
        f"networks = [{networks}]\npaths = [{', '.join(paths)}]\n"
    ) + "".join(
        f'[[node]]\nname = "{node}"\nindex = {index}\naddress = {{'
        + ", ".join(f'{name}="{net}.{index + 1}"' for name, net in cast.NETWORKS.items())
        + "}\n"
        for index, node in enumerate(cast.NODES)
    )


def _groups(folder: Path) -> str:
    """Return the groups and services, the same on each node as they must be."""
    return _group(GROUP, "2N", HOSTS, _words(folder, active(folder))) + _group(
        "logs", "N", cast.NODES, _words(folder, folder / "{node}.logs")
    )


def _words(folder: Path, file: Path) -> Sequence[str]:
    program = str(folder / "service.py")
    return (sys.executable, "-S", program, str(file), str(os.getpid()), *cast.NODES)


def _group(name: str, model: str, hosts: Sequence[str], words: Sequence[str]) -> str:
    start = ", ".join(f"'{word}'" for word in words)
    return (
        f'[[group]]\nname = "{name}"\nmodel = "{model}"\nhosts = {list(hosts)!r}\n'
        f'[[service]]\nname = "{name}-service"\ngroup = "{name}"\n'
        f"run = {{start=[{start}]}}\nbudget = {{start_s=5, stop_s=0.5}}\n"
    )
