"""The fleet's broker as the product configures it, with certificates of a test's own making."""

import signal
import socket
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from fleet_pki import Pki
from loopback_ports import free_port
from mqtt_peer import Peer
from program import Program
from waiting import wait_until

from roost_central.brokers.files import write_private
from roost_central.brokers.fleet_files import BrokerFiles, configuration, rules
from roost_central.brokers.mosquitto import mosquitto, user_line


class FleetBroker(Program):
    """The broker, its files, and whoever connects to it."""

    def __init__(self, folder):
        super().__init__(folder / "mosquitto.log")
        self.folder, self.port = folder, free_port()
        self.pki = Pki(folder)
        cert, key = self.pki.server("b1")
        self.files = BrokerFiles(folder / "root.pem", cert, key, folder / "crl.pem", folder / "acl")
        text = configuration(
            self.files, host="127.0.0.1", port=self.port, connections_max=100, user=user_line()
        )
        write_private(folder / "mosquitto.conf", text)
        self.deny()

    def start(self):
        self._launch(mosquitto(), "-c", self.folder / "mosquitto.conf")
        wait_until(self._answers, "mosquitto answers")

    def deny(self, *nodes):
        write_private(self.files.acl, rules(nodes))

    def reload(self):
        self._process.send_signal(signal.SIGHUP)

    def node(self, node, **said):
        return Peer(self.port, self.files.root, self.pki.node(node), **said)

    def service(self, name, **said):
        return Peer(self.port, self.files.root, self.pki.service(name), **said)

    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@pytest.fixture
def broker(tmp_path):
    if mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    broker = FleetBroker(tmp_path)
    broker.start()
    yield broker
    broker.kill()
