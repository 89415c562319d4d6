"""A path over TLS: checked against its own CA, and a refusal told from a bad network."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from agent_process import AgentProcess
from broker import PROGRAM, Broker
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
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


def revoke(folder, name, ca):
    """Write a list of the CA's that has the certificate."""
    issuer, revoked = (
        x509.load_pem_x509_certificate((folder / f"{each}.pem").read_bytes()) for each in (ca, name)
    )
    now, day = datetime.now(UTC), timedelta(days=1)
    entry = x509.RevokedCertificateBuilder().serial_number(revoked.serial_number)
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now - day)
        .next_update(now + day)
        .add_revoked_certificate(entry.revocation_date(now - day).build())
        .sign(load_pem_private_key((folder / f"{ca}.key").read_bytes(), None), SHA256())
    )
    (folder / f"{ca}.crl").write_bytes(crl.public_bytes(Encoding.PEM))


@pytest.fixture
def keys(tmp_path):
    for ca in ("ca", "other-ca"):
        make_ca(tmp_path, ca)
    make_certificate(tmp_path, "broker", "ca")
    make_certificate(tmp_path, "node", "ca")
    make_certificate(tmp_path, "revoked", "ca")
    make_certificate(tmp_path, "stranger", "other-ca")
    revoke(tmp_path, "revoked", "ca")
    return tmp_path


@pytest.fixture
def broker(keys):
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed")
    broker = Broker(
        keys,
        more=f"cafile {keys}/ca.pem\ncertfile {keys}/broker.pem\nkeyfile {keys}/broker.key\n"
        f"require_certificate true\ncrlfile {keys}/ca.crl\n",
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
    why = path(agent)["why"]
    # The broker's word is lost where its hanging up overtakes it.
    assert "its issuer is none of the broker's" in why or "most likely for our certificate" in why


def test_a_node_that_was_revoked_or_replaced_says_so(start):
    agent = start("ca", "revoked")
    wait_until(lambda: path(agent)["state"] == "down", "the refusal")
    assert "certificate: revoked, or replaced by another box's" in path(agent)["why"]
    assert "roost node identity" in path(agent)["why"]
    lines = agent.log.read_text().splitlines()
    assert not [line for line in lines if line.startswith("ERROR")], "an alarm of the library's own"
    assert any(line.startswith("WARNING path wan1: the broker refuses") for line in lines)


def test_a_broker_of_another_ca_is_not_spoken_to(start):
    agent = start("other-ca", "node")
    wait_until(lambda: path(agent)["state"] == "down", "the refusal")
    assert "certificate verify failed" in path(agent)["why"]
