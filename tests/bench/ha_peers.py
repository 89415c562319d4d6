"""keepalived and corosync as peers: real nodes of theirs, in namespaces laid out as a site's are.

Neither is configured beyond what a guide to it says; their own logs and scripts tell what they
decided, as nothing else can: a membership of corosync's, a state of keepalived's.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path

from ha_netns import connect, ip
from ha_plan import NETWORKS
from waiting import wait_until

PRIVATE = 'for at in /dev/shm /run; do mount -t tmpfs none $at; done; exec "$@"'
UPTIME_NS = 10_000_000  # the kernel's uptime has two digits
VIP = "10.78.0.100"
MADE = count()


def missing(*programs: str) -> str:
    """Return why they cannot be measured; empty: they can."""
    absent = [name for name in programs if shutil.which(name, path=PLACES) is None]
    return f"{', '.join(absent)} not installed" if absent else ""


PLACES = f"{os.environ['PATH']}:/usr/sbin:/sbin"


class Machine:
    """One node: a network namespace on both networks, and one program in it."""

    def __init__(self, nodes: "Machines", number: int) -> None:
        self.number, self.space = number, f"{nodes.prefix}{number}"
        self.index = number - 1  # as faults count
        self.folder = nodes.folder / str(number)
        self.folder.mkdir()
        self.log = self.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        connect(self.space, nodes.switch, (
            (network, f"n{number}{place}", f"10.78.{place}.{number}")
            for place, network in enumerate(NETWORKS)
        ))  # fmt: skip

    @property
    def pid(self) -> int:
        """Of its program."""
        assert self._process is not None
        return self._process.pid

    def start(self, *argv: str) -> None:
        """Start its program, which has memory and sockets of its own."""
        for network in range(len(NETWORKS)):
            ip("link", "set", f"e{network}", "up", inside=self.space)
        words = ("nsenter", f"--net=/run/netns/{self.space}", "unshare", "--mount",
                 "--propagation", "private", "sh", "-c", PRIVATE, "sh", *argv)  # fmt: skip
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=os.environ | {"PATH": PLACES}, cwd=self.folder,
            )  # fmt: skip

    def inside(self, *argv: str, text: str | None = None) -> None:
        """Run a command on its network."""
        words = ("nsenter", f"--net=/run/netns/{self.space}", *argv)
        subprocess.run(words, check=True, capture_output=True, text=True, input=text)

    def power_off(self) -> None:
        """Kill all that runs on it, and take it off the networks."""
        for network in range(len(NETWORKS)):
            ip("link", "set", f"e{network}", "down", inside=self.space, check=False)
        for pid in ip("netns", "pids", self.space, check=False).stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Machines:
    """So many nodes on two networks."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder = folder
        self.prefix = f"rp{os.getpid()}-{next(MADE)}-"
        self.switch = f"{self.prefix}sw"
        ip("netns", "add", self.switch)
        for network in NETWORKS:
            ip("link", "add", network, "type", "bridge", inside=self.switch)
            ip("link", "set", network, "up", inside=self.switch)
        self.nodes = [Machine(self, each + 1) for each in range(number)]

    def network(self, name: str, state: str) -> None:
        """Cut a network for all, or mend it."""
        ip("link", "set", name, state, inside=self.switch)

    def close(self) -> None:
        for node in self.nodes:
            node.power_off()
            ip("netns", "del", node.space, check=False)
        ip("netns", "del", self.switch, check=False)


@contextlib.contextmanager
def machines(folder: Path, number: int) -> Iterator[Machines]:
    """Nodes that end with all that runs on them."""
    made = Machines(folder, number)
    try:
        yield made
    finally:
        made.close()


class Keepalived:
    """Two nodes that share a virtual address, on one network; whoever is MASTER has it."""

    def __init__(self, made: Machines, advert_s: float) -> None:
        self.nodes = made.nodes
        self._told = made.folder / "told"
        self._told.touch()
        note = made.folder / "note"
        note.write_text(f'#!/bin/sh\nread up rest </proc/uptime\necho "$up $1 $2" >>{self._told}\n')
        note.chmod(0o700)
        for node in self.nodes:
            file = node.folder / "keepalived.conf"
            file.write_text(keepalived_conf(node.number, advert_s, note))
            file.chmod(0o600)

    def start(self, node: Machine) -> None:
        """Start one."""
        node.start("keepalived", "--dont-fork", "--log-console", "--vrrp",
                   "--use-file", str(node.folder / "keepalived.conf"))  # fmt: skip

    def changes(self, since_ns: int = 0) -> list[tuple[int, int, str]]:
        """Return who became what since a moment: (ns of the boot clock, node, state)."""
        rows = (line.split() for line in self._told.read_text().splitlines())
        found = ((round(float(up) * 1e9), int(node), state) for up, node, state in rows)
        return [each for each in found if each[0] >= since_ns - UPTIME_NS]

    def masters(self, since_ns: int = 0) -> list[tuple[int, int]]:
        """Return who became MASTER since a moment: (ns, node)."""
        return [(ns, node) for ns, node, state in self.changes(since_ns) if state == "MASTER"]

    def master(self) -> Machine | None:
        """Return the only node that is MASTER now, None for none or two."""
        last = {node: state for _, node, state in self.changes()}
        found = [node for node in self.nodes if last.get(node.number) == "MASTER"]
        return found[0] if len(found) == 1 else None

    def dual_s(self, since_ns: int, until_ns: int) -> float:
        """Return for how long both were MASTER between two moments."""
        states: dict[int, str] = {}
        dual_ns, before_ns = 0, since_ns
        for ns, node, state in [*self.changes(), (until_ns, 0, "")]:
            if list(states.values()).count("MASTER") == len(self.nodes):
                dual_ns += max(0, min(ns, until_ns) - max(before_ns, since_ns))
            states[node], before_ns = state, ns
        return dual_ns / 1e9


def keepalived_conf(number: int, advert_s: float, note: Path) -> str:
    """Return its configuration: equal but for the priority; no preemption, as a site has none."""
    states = "\n".join(
        f'  notify_{word.lower()} "{note} {number} {word}"' for word in ("MASTER", "BACKUP")
    )
    return (
        "global_defs {\n  script_user root\n  enable_script_security\n}\n"
        f"vrrp_instance peer {{\n  state BACKUP\n  nopreempt\n  interface e0\n"
        f"  virtual_router_id 51\n  priority {200 - number}\n  advert_int {advert_s}\n"
        f"  version 3\n  virtual_ipaddress {{\n    {VIP}/24\n  }}\n{states}\n}}\n"
    )


class Corosync:
    """Three nodes with a link on each network; who is a member is in their logs."""

    def __init__(self, made: Machines, token_ms: int) -> None:
        self.nodes = made.nodes
        self._file = made.folder / "corosync.conf"
        self._file.write_text(corosync_conf(len(self.nodes), token_ms))

    def start(self, nodes: Sequence[Machine]) -> None:
        """Start some, and wait until they are members of one another."""
        for node in nodes:
            node.start("corosync", "-f", "-c", str(self._file))
        wait_until(self.is_whole, "all are members")

    def lost(self, node: Machine, since_s: float) -> list[float]:
        """Return when a node formed memberships that somebody had left: wall clock, s."""
        lines = node.log.read_text().splitlines()
        times = [stamp(line) for line in lines if "Members left" in line]
        return [at_s for at_s in times if at_s >= since_s]

    def is_whole(self) -> bool:
        """Whether every node counts all as members."""
        whole = f"Members[{len(self.nodes)}]"
        return all(whole in last_members(node) for node in self.nodes)


def last_members(node: Machine) -> str:
    """Return the last line of a node's log that counts its members."""
    lines = [line for line in node.log.read_text().splitlines() if "Members[" in line]
    return lines[-1] if lines else ""


def stamp(line: str) -> float:
    """Return when a line of corosync's log was written, 0 where it has no time."""
    found = re.match(r"(\w{3} \d\d \d\d:\d\d:\d\d\.\d{3})", line)
    if found is None:
        return 0.0
    now = datetime.now().astimezone()
    at = datetime.strptime(f"{now.year} {found[1]}", "%Y %b %d %H:%M:%S.%f")  # noqa: DTZ007
    return at.astimezone().timestamp()


def corosync_conf(number: int, token_ms: int) -> str:
    """Return its configuration: passive links, as it is by default; no encryption."""
    nodes = "".join(
        f"  node {{\n    nodeid: {each}\n    name: n{each}\n"
        + "".join(f"    ring{net}_addr: 10.78.{net}.{each}\n" for net in range(len(NETWORKS)))
        + "  }\n"
        for each in range(1, number + 1)
    )
    return (
        "totem {\n  version: 2\n  cluster_name: peer\n  transport: knet\n  crypto_cipher: none\n"
        f"  crypto_hash: none\n  token: {token_ms}\n}}\n"
        f"nodelist {{\n{nodes}}}\nquorum {{\n  provider: corosync_votequorum\n}}\n"
        "logging {\n  to_stderr: yes\n  to_syslog: no\n  timestamp: hires\n}\n"
    )
