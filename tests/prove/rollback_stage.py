"""A node and its centre in network namespaces, and what systemd and the helper do for a node."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

from config_root import ConfigRoot

from roost_agent.config_apply import state
from roost_agent.config_apply.carrier import CONFIRM
from roost_agent.config_apply.job_file import Job, job_file
from roost_protocol.codec import Decoder

HERE = Path(__file__).parent
NUMBER = count()
CENTRE, PORT = "203.0.113.9", 7_000
CONFIRM_MS = 1_500
STARTS_MAX = 5  # StartLimitBurst of the unit
LIFE_S = 60.0  # a one-shot takes seconds, on a busy machine more
SERVER = """
import socketserver
class One(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(b"receipt\\n")
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
Server(("203.0.113.9", 7000), One).serve_forever()
"""
KNOCK = "import socket; socket.create_connection(('203.0.113.9', 7000), 1).close()"


def ip(*words):
    return subprocess.run(("ip", *words), check=True, capture_output=True, text=True).stdout


class Stage:
    """One node with an uplink e0 and a second port e1 where nobody is.

    Args:
        folder: of root's part and the agent's.
    """

    def __init__(self, folder):
        self.node = f"roost-rb-{os.getpid()}-{next(NUMBER)}"
        self.centre = f"{self.node}c"
        self.folder = folder
        self.root = ConfigRoot(folder)
        self._processes = []
        ip("netns", "add", self.centre)
        self._wire()
        self._server = self._run(self.centre, "-c", SERVER)

    def _wire(self):
        """Make what a boot finds: the distribution's own network."""
        ip("netns", "add", self.node)
        for number, at in ((0, "192.0.2.1/24"), (1, "")):
            link, peer = f"e{number}", f"c{number}"
            ip("-n", self.node, "link", "add", link, "type", "veth", "peer", peer,
               "netns", self.centre)  # fmt: skip
            ip("-n", self.centre, "link", "set", peer, "arp", "on" if at else "off", "up")
            ip("-n", self.node, "link", "set", link, "up")
            if at:
                ip("-n", self.centre, "addr", "add", at, "dev", peer)
        ip("-n", self.centre, "link", "set", "lo", "up")
        ip("-n", self.centre, "addr", "replace", f"{CENTRE}/32", "dev", "lo")
        ip("-n", self.node, "link", "set", "lo", "up")
        ip("-n", self.node, "addr", "add", "192.0.2.7/24", "brd", "+", "dev", "e0")
        ip("-n", self.node, "route", "add", "default", "via", "192.0.2.1")

    def reboot(self):
        """Have the kernel forget everything, as without power."""
        for each in self._processes:
            end(each)
        ip("netns", "del", self.node)
        with suppress(subprocess.CalledProcessError):
            ip("-n", self.centre, "link", "del", "c0")
            ip("-n", self.centre, "link", "del", "c1")
        self._wire()

    def close(self):
        for each in (*self._processes, self._server):
            end(each)
        for space in (self.node, self.centre):
            subprocess.run(("ip", "netns", "del", space), check=False, capture_output=True)

    def network(self):
        """What iproute2 says of the node."""
        links = json.loads(ip("-n", self.node, "-j", "link"))
        routes = json.loads(ip("-n", self.node, "-j", "route", "show", "table", "all"))
        addresses = json.loads(ip("-n", self.node, "-j", "-4", "addr"))
        return {
            "links": {
                each["ifname"]: (each["mtu"], each.get("master"), "UP" in each["flags"])
                for each in links
            },
            "addresses": sorted(
                (each["ifname"], info["local"], info["prefixlen"])
                for each in addresses
                for info in each["addr_info"]
            ),
            "routes": sorted(
                (each["dst"], each.get("gateway", ""), each["dev"], each.get("metric", 0))
                for each in routes
                if each.get("protocol") != "kernel" and each.get("type", "unicast") == "unicast"
            ),
        }

    def is_reached(self):
        """Whether a new connection to the centre comes about."""
        words = ("ip", "netns", "exec", self.node, sys.executable, "-Ic", KNOCK)
        return subprocess.run(words, check=False, capture_output=True).returncode == 0

    def order(self, sections):
        """Write the order of a document for the agent; return its number and digest."""
        digest = self.root.job(sections)
        path = job_file(self.root.given.jobs, digest)
        job = Decoder(Job, limit=1 << 20).decode(path.read_bytes())
        (self.folder / "message").write_bytes(job.message)
        path.unlink()
        return self.root.seq, digest

    def agent(self, seq, digest):
        """Start the agent's part."""
        place = (str(self.folder), CENTRE, str(PORT), str(seq), digest)
        return self._run(self.node, str(HERE / "rollback_agent.py"), *place)

    def life(self, digest, kill_at=0):
        """Start root's one-shot."""
        words = (str(self.folder), digest, str(kill_at), str(CONFIRM_MS))
        return self._run(self.node, str(HERE / "rollback_life.py"), *words)

    def _run(self, space, *words):
        environment = os.environ | {"PYTHONPATH": str(HERE.parent / "support")}
        words = ("ip", "netns", "exec", space, sys.executable, *words)
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                words, stdout=subprocess.DEVNULL, stderr=log, env=environment
            )
        if space == self.node:
            self._processes.append(process)
        return process

    def asked(self, verb):
        """Whether the agent has asked the helper for a verb since this was asked last."""
        path = self.folder / f"asked-{verb}"
        is_there = path.exists()
        path.unlink(missing_ok=True)
        return is_there

    @property
    def applied(self):
        """The digest of what root keeps as applied."""
        kept = state.load(self.root.given.state).applied
        return "" if kept is None else kept.digest.hex()

    @property
    def is_journaled(self):
        return state.load(self.root.given.state).journal is not None


class Root:
    """Plays the helper and systemd for root's one-shot: starts it, and again when it died.

    Args:
        stage: the node.
        digest: of the document.
        kill_at: the moment at which its first life ends; 0: none.
    """

    def __init__(self, stage, digest, kill_at):
        self._stage = stage
        self._digest = digest
        self._kill_at = kill_at
        self.process = None
        self.starts = 0
        self.kills = 0

    def turn(self):
        """Do what is asked; return whether the one-shot has come to its end."""
        stage = self._stage
        if self.process is None:
            if stage.asked("config_apply"):
                self._start()
            return False
        if stage.asked("config_confirm"):
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, CONFIRM)
        status = self.process.poll()
        if status is None:
            return False
        if status == 0 or self.starts >= STARTS_MAX:
            return True
        self.kills += status == -signal.SIGKILL
        self._start()
        return False

    def _start(self):
        self.process = self._stage.life(self._digest, self._kill_at if not self.starts else 0)
        self.starts += 1

    def kill(self):
        """End the one-shot where it is."""
        if self.process is not None:
            end(self.process)


def end(process):
    process.kill()
    process.wait()


def wait(seconds, done):
    """Turn until ``done``, at most so long; return whether it is."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if done():
            return True
        time.sleep(0.02)
    return False
