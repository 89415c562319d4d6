"""A fleet whose broker stands between: the fleet's certificate in front, a bare Mosquitto behind.

What the bare one takes in from loopback reaches the fleet as if the fleet's own broker said it.
"""

import random
import ssl
import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))  # for what reads packets

from broker import Broker
from fleet_stage import FleetStage
from hostile_broker import HostileBroker, Trick

from roost_protocol.certificate import Holder, Kind


class Between:
    """Signer, centre and such a broker; honest until it is told otherwise.

    Args:
        forged: makes a message of those that were said.
        per_s: how many it says of itself to each reader while it is hostile.
    """

    def __init__(self, folder: Path, dice: random.Random, *, forged: Trick, per_s: int) -> None:
        self.stage = FleetStage(folder)
        self.behind = Broker(folder)
        files = self.stage.pki.issue(Holder(Kind.SERVER, "b1"))
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(files.chain_file, files.key_file)
        self.broker = HostileBroker(
            self.stage.broker.port, self.behind.port, tls, dice, forged=forged, per_s=per_s
        )

    def run(self, stack: ExitStack) -> None:
        """Run all of it until the context ends, and return once boxes are let in."""
        stack.callback(self.stage.stop)
        stack.callback(self.behind.kill)
        self.behind.start()
        stack.enter_context(self.broker.standing())
        self.stage.signer.start()
        self.stage.start_centre()
