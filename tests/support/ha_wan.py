"""A site's way to the centre, where each node has a network of its own: through a socket file.

In a node's namespace a relay listens on loopback, where the agent's WAN path ends, and carries on
to the central broker's socket. Stopped, it is a WAN that is silent.
"""

from pathlib import Path

import relay
from broker import Broker
from waiting import wait_until

PORT = 1883


class WanBroker(Broker):
    """The central broker: on loopback for the centre, on a file for the relays."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "wan.sock"
        super().__init__(folder, more=f"listener 0 {self.file}\n")

    def start(self):
        self.file.unlink(missing_ok=True)
        super().start()
        wait_until(self.file.exists, "the broker's file is there")


class Relay(relay.Relay):
    """One node's way to it."""

    def __init__(self, node, file: Path) -> None:
        within = ("nsenter", f"--net=/run/netns/{node.space}")
        super().__init__(node.folder / "relay.log", PORT, file, within=within)
