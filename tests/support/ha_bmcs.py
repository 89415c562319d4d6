"""BMCs for a site of real nodes: fakes on a network of their own that cut and give real power.

Power is what the site makes of it: `Off` kills all that runs on the node and ends its boot, `On`
starts its guard and agent.
"""

import contextlib
import ctypes
import os
import socket
import threading

from ha_netns import ip
from redfish_bmc import Bmc, certificate, credentials, pin

BRIDGE, HOST = "bmc", "10.77.9.254"
CLONE_NEWNET = 0x40000000
UUIDS = {name: f"5a5a5a5a-0000-4000-8000-00000000000{n}" for n, name in enumerate(("c0", "c1"))}


def listening_in(space):
    """Return a socket that listens in another network namespace.

    A thread enters the namespace and ends there; the socket stays.
    """
    found = []

    def enter():
        libc = ctypes.CDLL(None, use_errno=True)
        fd = os.open(f"/run/netns/{space}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if libc.setns(fd, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            found.append(socket.create_server((HOST, 0)))
        finally:
            os.close(fd)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return found[0]


def join_boards(site):
    """Make a network that each node shares with the boards at HOST, whatever else is cut."""
    ip("link", "add", BRIDGE, "type", "bridge", inside=site.switch)
    ip("addr", "add", f"{HOST}/24", "dev", BRIDGE, inside=site.switch)
    ip("link", "set", BRIDGE, "up", inside=site.switch)
    for node in site.nodes.values():
        end = f"{node.name}b"
        ip("link", "add", "name", "eb", "netns", node.space, "type", "veth",
           "peer", "name", end, "netns", site.switch)  # fmt: skip
        ip("addr", "add", f"10.77.9.{node.index + 1}/24", "dev", "eb", inside=node.space)
        ip("link", "set", "eb", "up", inside=node.space)
        ip("link", "set", end, "master", BRIDGE, "up", inside=site.switch)


class Bmcs:
    """The BMCs of c0 and c1, each reached from every node whatever else is cut.

    Args:
        site: not started yet; its files get the fences.
        head: lines for the top of the site's file.
        replaced: pairs of old and new text of the rest of it.
    """

    def __init__(self, site, head="", replaced=()):
        self._site = site
        folder = site.folder / "bmc"
        folder.mkdir()
        join_boards(site)
        self.pem = certificate(folder, HOST)
        self._secret = credentials(folder)
        self.of = {}
        for name, machine in UUIDS.items():
            switched = self._switch(name)
            self.of[name] = Bmc(self.pem, machine, listening_in(site.switch), switched)
            self.of[name].__enter__()
        for node in site.nodes.values():
            file = node.folder / "ha.toml"
            text = file.read_text()
            for old, new in replaced:
                assert old in text
                text = text.replace(old, new, 1)
            file.write_text(head + text + self._fences())

    def close(self):
        for bmc in self.of.values():
            with contextlib.suppress(OSError):
                bmc.die()

    def _switch(self, name):
        def switch(power):
            node = self._site.nodes[name]
            node.power_off() if power == "Off" else node.start()

        return switch

    def _fences(self):
        """One trusts the certificate by its pin, the other by its CA."""
        trust = {"c0": f'certificate_sha256 = "{pin(self.pem)}"', "c1": f'ca_file = "{self.pem}"'}
        return "".join(
            f'[[fence]]\nnode = "{name}"\ndriver = "redfish"\nurl = "{self.of[name].url}"\n'
            f'uuid = "{UUIDS[name]}"\ncredentials = "{self._secret}"\n{trust[name]}\n'
            "timeout_s = 30\n"
            for name in UUIDS
        )


@contextlib.contextmanager
def with_bmcs(site, **how):
    """The BMCs of a site, until the site ends."""
    made = Bmcs(site, **how)
    try:
        yield made
    finally:
        made.close()
