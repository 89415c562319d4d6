"""A path over TLS: checked against its own CA, and a refusal told from a bad network."""

import shutil
import subprocess

import pytest
from agent_process import AgentProcess
from broker import PROGRAM, Broker
from waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

if shutil.which("openssl") is None:
    pytest.skip("openssl is not installed", allow_module_level=True)


def openssl(folder, *argv):
    subprocess.run(["openssl", *argv], cwd=folder, check=True, capture_output=True, timeout=20)


def make_ca(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}",
            "-days", "2")  # fmt: skip


def make_certificate(folder, name, ca):
    (folder / f"{name}.ext").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")  # fmt: skip
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey",
            f"{ca}.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", "2",
            "-extfile", f"{name}.ext")  # fmt: skip


@pytest.fixture
def keys(tmp_path):
    for ca in ("ca", "other-ca"):
        make_ca(tmp_path, ca)
    make_certificate(tmp_path, "broker", "ca")
    make_certificate(tmp_path, "node", "ca")
    make_certificate(tmp_path, "stranger", "other-ca")
    return tmp_path


@pytest.fixture
def broker(keys):
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed")
    broker = Broker(
        keys,
        more=f"cafile {keys}/ca.pem\ncertfile {keys}/broker.pem\nkeyfile {keys}/broker.key\n"
        "require_certificate true\n",
    )
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def start(keys, broker):
    agents = []

    def start(ca, certificate):
        lines = f'ca_file = "{keys}/{ca}.pem"\n'
        if certificate:
            lines += (
                f'cert_file = "{keys}/{certificate}.pem"\nkey_file = "{keys}/{certificate}.key"\n'
            )
        agents.append(
            AgentProcess(keys, {"wan1": broker.url.replace("mqtt:", "mqtts:")}, more=lines)
        )
        agents[-1].start()
        return agents[-1]

    yield start
    for agent in agents:
        agent.kill()


def path(agent):
    return agent.status()["paths"][0]


def test_a_node_with_its_certificate_gets_through(start):
    agent = start("ca", "node")
    wait_until(lambda: path(agent)["state"] == "up", "the path up")


def test_a_refused_certificate_is_not_tried_again_within_a_minute(start):
    agent = start("ca", "stranger")
    wait_until(lambda: path(agent)["state"] == "down", "the refusal")
    assert "refused" in path(agent)["why"]


def test_a_broker_of_another_ca_is_not_spoken_to(start):
    agent = start("other-ca", "node")
    wait_until(lambda: path(agent)["state"] == "down", "the refusal")
    assert "certificate verify failed" in path(agent)["why"]
