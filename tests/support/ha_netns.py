"""A site of real nodes: each with namespaces, a guard, an agent and a broker of its own.

Two networks are two bridges in a network namespace of their own, so that nothing of the host is
touched. A node has its own mounts, for a boot id that changes when it loses its power and for a
disk of HA that can refuse. The service of group `main` writes into one file: see ha_oracle.py.
"""

import contextlib
import os
import signal
import subprocess
import sys
import uuid
from itertools import count
from pathlib import Path

import pytest
from cgroups import WHY_NONE, private
from guard_process import Guard
from ha_oracle import SERVICE, Oracle
from ha_plan import NETWORKS, Plan, address
from ha_reaper import Reaper
from lan_boxes import Fleet
from program import Program
from waiting import wait_until

from roost_agent.alarms.local_client import AlarmClient
from roost_agent.config_file import load
from roost_agent.control.client import ask
from roost_agent.control.message import HaExplain, HaStatus
from roost_agent.errors import AgentError

WAN_PORT = 1883
ALARMS_S = 2.0  # for an answer
ALARMS_STEP_S = 0.1  # an agent takes 16 questions a second, and refuses what passes that
AGENT = (sys.executable, "-m", "roost_agent")
WALLED = Path(__file__).with_name("walled_agent.py")
SITES = count()
ENTER = """
echo $$ > "$1/cgroup.procs" && mount --bind "$2" /proc/sys/kernel/random/boot_id &&
mount --bind "$3" "$3" && shift 3 && exec "$@"
"""


def ip(*words, inside=None, check=True):
    """Run ip(8), in a namespace or here."""
    where = ("-n", inside) if inside else ()
    return subprocess.run(("ip", *where, *words), check=check, capture_output=True, text=True)


def connect(space, switch, ends):
    """Make a node's namespace, on the bridges of a switch.

    Args:
        ends: for each network its bridge, the link's name at the switch, the node's address.
    """
    ip("netns", "add", space)
    ip("link", "set", "lo", "up", inside=space)
    for number, (bridge, end, at) in enumerate(ends):
        ip("link", "add", "name", f"e{number}", "netns", space, "type", "veth",
           "peer", "name", end, "netns", switch)  # fmt: skip
        ip("addr", "add", f"{at}/24", "dev", f"e{number}", inside=space)
        ip("link", "set", f"e{number}", "up", inside=space)
        ip("link", "set", end, "master", bridge, "up", inside=switch)


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

    def __init__(self, folder, inside, wall=None):
        super().__init__(folder / "agent.log")
        self._folder, self._inside, self._wall = folder, inside, wall

    def start(self):
        env = os.environ | {"MALLOC_ARENA_MAX": "2"}
        words = [*AGENT, "run", "--config", self._folder / "agent.toml"]
        if self._wall:  # a look at the box would start another Python, by the true clock
            words = [sys.executable, WALLED, self._wall, *words[len(AGENT) :], "--checked", "yes"]
        self._launch(*self._inside, *words, env=env)

    def order(self, *words):
        """Run a command of the agent: whether it was obeyed, and what it said."""
        done = subprocess.run(
            (*AGENT, *words, "--config", str(self._folder / "agent.toml")),
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        return done.returncode == 0, done.stdout or done.stderr

    def ask(self, *words):
        """Run a command of the agent; its output, or None."""
        is_done, text = self.order(*words)
        return text if is_done else None


class Node:
    """One node.

    Attributes:
        watchdog: of a site that is ``hard``.
        wall: a file with the seconds by which its agent's wall clock is off; None: it cannot be.
    """

    def __init__(self, site, index, name):
        self.name, self.index, self._plan = name, index, site.plan
        self._wan = WAN_PORT if site.plan.has_wan_witness else 1  # of a relay, or nothing
        self.space, self.switch = f"{site.prefix}{name}", site.switch
        self.folder = site.folder / name
        self.disk = self.folder / "state/ha"
        self.disk.mkdir(parents=True, mode=0o700)
        self.cgroups = site.cgroups / name
        for part in ("exclusive", "system"):
            (self.cgroups / part).mkdir(parents=True)
        self._boot = self.folder / "boot_id"
        self._new_boot()
        connect(self.space, self.switch, (
            (network, f"{self.name}{number}", address(network, self.index))
            for number, network in enumerate(NETWORKS)
        ))  # fmt: skip
        self.wall = self.folder / "wall" if site.plan.has_own_wall else None
        if self.wall:
            self.wall.write_text("0")
        self._clock = None
        ahead_s = dict(site.plan.ahead_s).get(name)
        inside = self._inside(ahead_s)
        self.agent = Agent(self.folder, inside, self.wall)
        self.watchdog, options = None, []
        if site.plan.watchdog_ms:
            fifo = self.folder / "watchdog"
            self.watchdog = Reaper(fifo, site.plan.watchdog_ms, self._kill_all)
            options = ["--watchdog-s", str(site.plan.watchdog_ms // 1000)]
        timing = site.plan.timing
        options += ["--lease-ms", str(timing.lease_ms), "--tick-ms", str(timing.tick_ms)]
        root = self.cgroups / "exclusive"
        fifo = self.folder / "watchdog" if self.watchdog else None
        self.guard = Guard(self.folder, root, *options, fifo=fifo, inside=inside)

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
            f'[[path]]\nname = "wan1"\nkind = "wan"\nbroker = "mqtt://127.0.0.1:{self._wan}"\n'
            f'[ha]\nfile = "{file}"\n'
        )

    def start(self):
        self.guard.start()
        self.agent.start()

    def status(self):
        """What its agent says of local HA; None while it does not answer."""
        return self._asked(HaStatus())

    def explained(self):
        """The sentences of its last decisions."""
        told = self._asked(HaExplain(200))
        return [each["sentence"] for each in told["explained"]] if told else []

    def alarms(self):
        """The types of the alarms that stand on it, once its agent says.

        One that came and went four times in ten minutes stands for five more (alarms/track.py).
        """
        what = f"{self.name} tells its alarms"
        told = wait_until(self._asked_alarms, what, step_s=ALARMS_STEP_S)
        return {each["type"] for each in told["result"]["alarms"]}

    def told(self):
        """What its agent says, once it answers."""
        return wait_until(self.status, f"{self.name} answers")

    def power_off(self):
        """Take all of it at once, services and broker too, and what only memory held."""
        self._kill_all()
        self.agent.kill()
        self.guard.kill()
        wait_until(lambda: self._kill_all() == 0, f"everything on {self.name} has ended")
        if self.watchdog:
            self.watchdog.reset()
            wait_until(self.watchdog.is_at_rest, "the watchdog counts anew")
        self.guard.state_file.unlink(missing_ok=True)
        self._new_boot()

    def link(self, network, state):
        """Pull or plug one of its cables, at the switch."""
        ip("link", "set", f"{self.name}{NETWORKS.index(network)}", state, inside=self.switch)

    def pids(self):
        """All processes of the node."""
        return [int(each) for each in ip("netns", "pids", self.space).stdout.split()]

    def inside(self, *argv, text=None):
        """Run a command on the node's network."""
        words = ("nsenter", f"--net=/run/netns/{self.space}", *argv)
        return subprocess.run(words, check=True, capture_output=True, text=True, input=text)

    def set_disk(self, mode):
        """Make the disk of HA ``ro`` or ``rw`` for the agent that runs."""
        enter = ("nsenter", f"--mount=/proc/{self.agent.pid}/ns/mnt")
        words = (*enter, "mount", "-o", f"remount,bind,{mode}", str(self.disk))

        def is_set():  # busy while a file of it is written
            return subprocess.run(words, check=False, capture_output=True).returncode == 0

        wait_until(is_set, f"the disk of {self.name} is {mode}")

    def close(self):
        with contextlib.suppress(AssertionError):  # the others are ended all the same
            self.power_off()
        if self._clock:
            self._clock.kill()
            self._clock.wait()
        if self.watchdog:
            self.watchdog.close()
        ip("netns", "del", self.space, check=False)

    def _asked_alarms(self):
        """The agent's answer; None where it refused, or did not answer."""
        client = AlarmClient(load(self.folder / "agent.toml").alarms.socket)
        try:
            told = client.request({"do": "list", "after": ""}, ALARMS_S)
        finally:
            client.close()
        return told if told and told["ok"] else None

    def _asked(self, request):
        try:
            answer = ask(self.folder / "state", request)
        except AgentError:
            return None
        return None if answer.error else answer.result

    def _inside(self, ahead_s):
        """Return the words that start a program on the node: it keeps its pid."""
        enter = ["nsenter", f"--net=/run/netns/{self.space}"]  # `ip netns exec` hides cgroups
        if ahead_s is not None:
            words = ("unshare", "--time", "--boottime", str(ahead_s), "--monotonic", str(ahead_s))
            self._clock = subprocess.Popen(
                (*words, "--fork", "--kill-child", "sleep", "infinity"), stdin=subprocess.DEVNULL
            )
            children = Path(f"/proc/{self._clock.pid}/task/{self._clock.pid}/children")
            child = wait_until(children.read_text, "there is a clock").split()[0]
            enter.append(f"--time=/proc/{child}/ns/time")
        own = ("unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, "sh")
        return (*enter, *own, self.cgroups / "system", self._boot, self.disk)

    def _new_boot(self):
        self._boot.write_text(f"{uuid.uuid4()}\n")

    def _kill_all(self):
        """Kill what runs now; return how much that was: it may have started more."""
        (self.cgroups / "cgroup.kill").write_text("1")
        pids = self.pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(pids)


class Site:
    """The nodes of a plan on two networks."""

    def __init__(self, folder: Path, cgroups: Path, plan: Plan):
        self.folder, self.cgroups, self.plan = folder, cgroups, plan
        self.prefix = f"rh{os.getpid()}-{next(SITES)}-"
        self.switch = f"{self.prefix}sw"
        self.oracle = Oracle(folder / "oracle")
        self.oracle.ahead_ns = {name: each * 10**9 for name, each in plan.ahead_s}
        self.nodes = {}
        ip("netns", "add", self.switch)
        for network in NETWORKS:
            ip("link", "add", network, "type", "bridge", inside=self.switch)
            ip("link", "set", network, "up", inside=self.switch)
        for index, name in enumerate(plan.names):
            self.nodes[name] = Node(self, index, name)
        self.fleet = Fleet(folder / "fleet") if plan.has_lan else None
        service = folder / "service.py"
        service.write_text(SERVICE)
        self.command = (sys.executable, "-S", service, self.oracle.file)
        named = (*plan.names, *(["witness"] * plan.has_wan_witness))
        self.keys = subprocess.run(
            (*AGENT, "ha", "keygen", *named), check=True, capture_output=True, text=True
        ).stdout
        for node in self.nodes.values():
            node.write(plan.text(self.command), self.keys)
            if self.fleet:
                self.fleet.enrol(node.folder / "state", "lab", node.name)

    def start(self):
        for node in self.nodes.values():
            node.start()
        self.until(self.active, "the group runs")
        return self

    def until(self, look, what, **patience):
        """Wait; what failed is told with every node's log."""
        try:
            return wait_until(look, what, **patience)
        except AssertionError as err:
            raise AssertionError(f"{err}\n{self.logs()}") from None

    def active(self):
        """Who wrote within the last 100 ms; None for nobody."""
        return self.oracle.active()

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

    def epochs(self):
        """The epochs in the order in which they ran, each with its node."""
        return list(dict.fromkeys((node, epoch) for _, node, epoch in self.oracle.lines()))

    def network(self, name, state):
        """Cut a network for all, or mend it."""
        ip("link", "set", name, state, inside=self.switch)

    def logs(self):
        """The end of every log, for a failure."""
        return "\n".join(
            f"--- {node.name}\n" + "\n".join(node.agent.log.read_text().splitlines()[-60:])
            for node in self.nodes.values()
            if node.agent.log.exists()
        )

    def close(self):
        for node in self.nodes.values():
            node.close()
        ip("netns", "del", self.switch, check=False)


@contextlib.contextmanager
def site(folder, plan=None):
    """A site that is not started yet, and ends with all that it has."""
    with private() as cgroups:
        made = None
        try:
            made = Site(folder, cgroups, plan or Plan())
            yield made
        finally:
            if made is not None:
                made.close()
