"""A site of real nodes: each a network namespace with a guard, an agent and a broker of its own.

Two networks are two bridges in a namespace of their own, so that nothing of the host is touched.
The service of group `main` writes (boot time in ns, node, epoch) into one file: the oracle that
sees whether two ever ran at once.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from cgroups import WHY_NONE, private
from guard_process import Guard
from program import Program
from waiting import wait_until

from roost_agent.ha.timing import preset

AGENT = (sys.executable, "-m", "roost_agent")
NETWORKS = ("mgmt", "cluster")
MQTT_PORT, UDP_PORT = 1884, 4884
THREE = 3  # nodes of the site that everything but the cost is tried on
SERVICE = """
import os, sys, time
node = open("/proc/self/cgroup").read().split("0::")[1].split("/exclusive/")[0].split("/")[-1]
out = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
while True:
    now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    os.write(out, f"{now} {node} {os.environ['HA_EPOCH']}\\n".encode())
    time.sleep(0.005)
"""


def ip(*words, inside=None, check=True):
    """Run ip(8), in a namespace or here."""
    where = ("-n", inside) if inside else ()
    return subprocess.run(("ip", *where, *words), check=check, capture_output=True, text=True)


def why_none():
    """Why no such site can be made here; empty: it can."""
    if WHY_NONE:
        return WHY_NONE
    name = f"roost-why-{os.getpid()}"
    try:
        done = ip("netns", "add", name, check=False)
        if done.returncode:
            return f"kernel lacks network namespaces that we may make: {done.stderr.strip()}"
        try:
            return _why_no_links(name)
        finally:
            ip("netns", "del", name)
    except FileNotFoundError:
        return "iproute2 is not installed"
    return ""


def _why_no_links(space):
    links = (("b0", "type", "bridge"), ("v0", "type", "veth", "peer", "name", "v1"))
    for words in links:
        done = ip("link", "add", *words, inside=space, check=False)
        if done.returncode:
            return f"kernel lacks {words[2]} links: {done.stderr.strip()}"
    inside = ("nsenter", f"--net=/run/netns/{space}", "nft", "add", "table", "inet", "roost")
    done = subprocess.run(inside, check=False, capture_output=True, text=True)
    return f"kernel lacks nftables: {done.stderr.strip()}" if done.returncode else ""


WHY_NO_SITE = why_none()
needs_netns = pytest.mark.skipif(bool(WHY_NO_SITE), reason=WHY_NO_SITE or "it can")


class Agent(Program):
    """One node's agent; each start is a new process on the same state."""

    def __init__(self, folder, inside):
        super().__init__(folder / "agent.log")
        self._folder, self._inside = folder, inside

    def start(self):
        env = os.environ | {"MALLOC_ARENA_MAX": "2"}
        self._launch(*self._inside, *AGENT, "run", "--config", self._folder / "agent.toml", env=env)

    def ask(self, *words):
        """Run a command of the agent; its output, or None."""
        done = subprocess.run(
            (*AGENT, *words, "--config", str(self._folder / "agent.toml")),
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        return done.stdout if done.returncode == 0 else None


class Node:
    """One node."""

    def __init__(self, site, index, name):
        self.name, self.index = name, index
        self.space = f"{site.prefix}{name}"
        self.folder = site.folder / name
        self.folder.mkdir()
        ip("netns", "add", self.space)
        ip("link", "set", "lo", "up", inside=self.space)
        for number, network in enumerate(NETWORKS):
            end = f"{name}{number}"
            ip("link", "add", "name", f"e{number}", "netns", self.space, "type", "veth",
               "peer", "name", end, "netns", site.switch)  # fmt: skip
            ip("addr", "add", f"{site.address(network, index)}/24", "dev", f"e{number}",
               inside=self.space)  # fmt: skip
            ip("link", "set", f"e{number}", "up", inside=self.space)
            ip("link", "set", end, "master", network, "up", inside=site.switch)
        inside = ("nsenter", f"--net=/run/netns/{self.space}")  # `ip netns exec` hides cgroups
        self.cgroups = site.cgroups / name
        (self.cgroups / "exclusive").mkdir(parents=True)
        options = ("--lease-ms", site.timing.lease_ms, "--tick-ms", site.timing.tick_ms)
        self.guard = Guard(
            self.folder, self.cgroups / "exclusive", *map(str, options), inside=inside
        )
        self.agent = Agent(self.folder, inside)

    def write(self, site_text, keys):
        """Write its configuration."""
        key_file = self.folder / "keys"
        key_file.write_text(keys)
        key_file.chmod(0o600)
        file = self.folder / "ha.toml"
        head = f'key_file = "{key_file}"\nguard_socket = "{self.guard.socket}"\n'
        file.write_text(head + site_text)
        (self.folder / "agent.toml").write_text(
            f'site = "lab"\nnode = "{self.name}"\nstate_dir = "{self.folder}/state"\n'
            '[[path]]\nname = "wan1"\nkind = "wan"\nbroker = "mqtt://127.0.0.1:1"\n'
            f'[ha]\nfile = "{file}"\n'
        )

    def start(self):
        self.guard.start()
        self.agent.start()

    def status(self):
        """What its agent says of local HA; None while it does not answer."""
        told = self.agent.ask("ha", "status", "-o", "json")
        return None if told is None else json.loads(told)

    def told(self):
        """What its agent says, once it answers."""
        return wait_until(self.status, f"{self.name} answers")

    def power_off(self):
        """Kill all of it at once, services and broker too."""
        self._kill_all()
        self.agent.kill()
        self.guard.kill()
        wait_until(lambda: self._kill_all() == 0, f"everything on {self.name} has ended")

    def _kill_all(self):
        """Kill what runs now; return how much that was: it may have started more."""
        (self.cgroups / "cgroup.kill").write_text("1")
        pids = self.pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(pids)

    def pids(self):
        """All processes of the node."""
        return [int(each) for each in ip("netns", "pids", self.space).stdout.split()]


class Site:
    """Three nodes: c0 and c1 host, w1 votes."""

    def __init__(self, folder: Path, cgroups: Path, profile, names):
        self.folder, self.cgroups = folder, cgroups
        self.profile, self.timing = profile, preset(profile)
        self.prefix = f"rh{os.getpid() % 100_000}-"
        self.switch = f"{self.prefix}sw"
        self.oracle = folder / "oracle"
        self.nodes = {}
        ip("netns", "add", self.switch)
        for network in NETWORKS:
            ip("link", "add", network, "type", "bridge", inside=self.switch)
            ip("link", "set", network, "up", inside=self.switch)
        for index, name in enumerate(names):
            self.nodes[name] = Node(self, index, name)
        keys = subprocess.run(
            (*AGENT, "ha", "keygen", *names), check=True, capture_output=True, text=True
        ).stdout
        for node in self.nodes.values():
            node.write(self.text(names), keys)

    def address(self, network, index):
        return f"10.77.{NETWORKS.index(network)}.{index + 1}"

    def text(self, names):
        """The site's file, the same for all."""
        service = self.folder / "service.py"
        service.write_text(SERVICE)
        words = ", ".join(f'"{each}"' for each in (sys.executable, "-S", service, self.oracle))
        nodes = "".join(
            f'[[node]]\nname = "{name}"\nindex = {index}\naddress = {{'
            + ", ".join(f'{net} = "{self.address(net, index)}"' for net in NETWORKS)
            + "}\n"
            for index, name in enumerate(names)
        )
        ways = [  # five nodes beat on three paths, as the goal of the agent's cost says
            f'{{driver="mqtt", broker="{broker}", network="{network}"}}'
            for place, broker in enumerate(names[:2])
            for network in (NETWORKS if len(names) == THREE else NETWORKS[place : place + 1])
        ]
        udp = [f'{{driver="udp", network="{network}"}}' for network in NETWORKS]
        paths = ", ".join([*ways, *(udp if len(names) == THREE else udp[1:])])
        return (
            f'profile = "{self.profile}"\nvoters = {list(names)!r}\nwitness = "node"\n'
            f"mqtt_port = {MQTT_PORT}\nudp_port = {UDP_PORT}\n"
            'networks = [{name="mgmt", weight=4}, {name="cluster", weight=2}]\n'
            f"paths = [{paths}]\n{nodes}"
            '[[group]]\nname = "main"\nmodel = "2N"\nhosts = ["c0", "c1"]\n'
            '[[service]]\nname = "writer"\ngroup = "main"\n'
            f"run = {{start=[{words}]}}\nbudget = {{start_s=5, stop_s=0.3}}\n"
        )

    def start(self):
        for node in self.nodes.values():
            node.start()
        self.until(self.active, "the group runs")
        return self

    def until(self, look, what):
        """Wait; what failed is told with every node's log."""
        try:
            return wait_until(look, what)
        except AssertionError as err:
            raise AssertionError(f"{err}\n{self.logs()}") from None

    def lines(self):
        """What the services wrote: (ns, node, epoch), as it came."""
        if not self.oracle.exists():
            return []
        rows = (line.split() for line in self.oracle.read_text().splitlines())
        return [(int(ns), node, int(epoch)) for ns, node, epoch in rows]

    def active(self):
        """Who wrote within the last 100 ms; None for nobody."""
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        last = self.lines()[-1:]
        return last[0][1] if last and now - last[0][0] < 100_000_000 else None

    def settled(self):
        """Wait until all nodes see each other and every voter votes; return who is active."""
        self.until(self._is_settled, "all see each other")
        return self.active()

    def _is_settled(self):
        told = [node.status() for node in self.nodes.values()]
        return self.active() is not None and all(
            each is not None
            and all(member["state"] in {"joining", "alive"} for member in each["members"])
            and {lease["holder"] for lease in each["leases"]}.isdisjoint({None})
            and all(path["open"] for path in each["paths"])
            for each in told
        )

    def gap_s(self, since_ns):
        """The longest time after ``since_ns`` in which no service wrote."""
        times = [ns for ns, _, _ in self.lines() if ns >= since_ns]
        steps = zip([since_ns, *times], times, strict=False)
        return max((after - before for before, after in steps), default=0) / 1e9

    def overlap_ns(self):
        """For how long two turns ran at once: 0, or something is very wrong."""
        turns = {}
        for ns, node, epoch in self.lines():
            first, last = turns.get((node, epoch), (ns, ns))
            turns[node, epoch] = (min(first, ns), max(last, ns))
        ordered = sorted(turns.values())
        return sum(max(0, before[1] - after[0]) for before, after in pairwise(ordered))

    def epochs(self):
        """The epochs in the order in which they ran, each with its node."""
        return list(dict.fromkeys((node, epoch) for _, node, epoch in self.lines()))

    def network(self, name, state):
        """Cut a network for all, or mend it."""
        ip("link", "set", name, state, inside=self.switch)

    def logs(self):
        """The end of every log, for a failure."""
        return "\n".join(
            f"--- {node.name}\n" + "\n".join(node.agent.log.read_text().splitlines()[-60:])
            for node in self.nodes.values()
        )

    def close(self):
        for node in self.nodes.values():
            with contextlib.suppress(AssertionError):  # the others are ended all the same
                node.power_off()
            ip("netns", "del", node.space, check=False)
        ip("netns", "del", self.switch, check=False)


@contextlib.contextmanager
def site(folder, profile="default", names=("c0", "c1", "w1")):
    """A site that is not started yet, and ends with all that it has."""
    with private() as cgroups:
        made = Site(folder, cgroups, profile, names)
        try:
            yield made
        finally:
            made.close()
