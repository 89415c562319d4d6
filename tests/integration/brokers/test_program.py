"""``roost-central broker`` as operators run it, beside its signer."""

import os
import signal
import subprocess
import sys

import psutil
import pytest
from ca import Pki, SignerProcess
from loopback_ports import free_port
from mqtt_peer import Peer
from program import Program
from waiting import wait_until

from roost_central.brokers.mosquitto import mosquitto
from roost_protocol.certificate import Holder, Kind
from roost_protocol.topics import NodeTopics

pytestmark = [pytest.mark.broker, pytest.mark.soak, pytest.mark.timeout(240)]

ROOST = (sys.executable, "-m", "roost_central", "broker", "--config")


class BrokerProgram(Program):
    def __init__(self, folder, pki):
        super().__init__(folder / "broker.log")
        self.port = free_port()
        self.config = folder / "central.toml"
        self.config.write_text(
            f'data_dir = "{folder}/data"\n[fleet]\ndomain = "{pki.domain}"\n'
            f'[signer]\nsocket = "{pki.socket}"\n'
            f'[fleet_broker]\nhost = "127.0.0.1"\nport = {self.port}\nconnections_max = 100\n'
        )

    def start(self):
        self._launch(*ROOST, self.config)

    def mosquittos(self):
        return [child for child in psutil.Process(self.pid).children() if "mosq" in child.name()]


class Centre(Program):
    def __init__(self, folder):
        super().__init__(folder / "central.log")

    def start(self, config):
        self._launch(
            sys.executable, "-m", "roost_central", "run", "--config", config, "--port", "0"
        )


@pytest.fixture
def pki(tmp_path):
    if mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    return Pki(tmp_path / "pki")


@pytest.fixture
def program(tmp_path, pki):
    program = BrokerProgram(tmp_path, pki)
    program.start()
    yield program
    program.kill()


def says_something(program, pki):
    issued = pki.issue(Holder(Kind.NODE, "lab.n1"))
    try:
        with Peer(program.port, pki.root_file, (issued.chain_file, issued.key_file)) as peer:
            return peer.publish(NodeTopics.of("lab.n1").beat) < 128
    except OSError:
        return False


def test_it_waits_for_its_signer_and_serves_then(program, pki):
    wait_until(lambda: "cannot start yet" in program.log.read_text(), "it says what it waits for")
    signer = SignerProcess(pki)
    signer.start()
    try:
        wait_until(lambda: says_something(program, pki), "it serves")
        signer.kill()
        program.kill(signal.SIGTERM)
        program.start()  # without its signer, by what it has
        wait_until(lambda: says_something(program, pki), "it serves again")
    finally:
        signer.kill()


def test_a_killed_one_leaves_no_broker_behind_and_a_killed_broker_comes_back(program, pki):
    signer = SignerProcess(pki)
    signer.start()
    try:
        wait_until(lambda: says_something(program, pki), "it serves")
        (first,) = program.mosquittos()
        os.kill(first.pid, signal.SIGKILL)
        wait_until(lambda: says_something(program, pki), "it serves again")
        (second,) = program.mosquittos()
        program.kill()
        wait_until(lambda: not second.is_running(), "the broker ends with it")
    finally:
        signer.kill()


def test_the_centre_comes_to_it_by_itself(program, pki, tmp_path):
    signer, centre = SignerProcess(pki), Centre(tmp_path)
    signer.start()
    try:
        centre.start(program.config)
        wait_until(
            lambda: "broker b1: connected" in centre.log.read_text(), "the centre is connected"
        )
    finally:
        centre.kill()
        signer.kill()


def refusal(path, *more):
    done = subprocess.run(
        [*ROOST, path, *more], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stderr


def test_without_a_table_or_with_too_few_files_it_says_what_to_do(tmp_path):
    path = tmp_path / "central.toml"
    path.write_text(f'data_dir = "{tmp_path}/data"\n')
    code, said = refusal(path)
    assert code == 1
    assert "fleet_broker" in said
    path.write_text(
        f'data_dir = "{tmp_path}/data"\n[fleet]\ndomain = "a.b"\n'
        "[fleet_broker]\nconnections_max = 200000\n"
    )
    done = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -n 4096; exec "$@"', "sh", *ROOST, path],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "LimitNOFILE" in done.stderr
