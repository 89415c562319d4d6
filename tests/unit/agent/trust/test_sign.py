import io
import sys

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from roost_agent.enrol.keys import make_key, private_pem
from roost_agent.enrolled import FACTS, FOLDER, NODE_KEY, Facts
from roost_agent.errors import AgentError
from roost_agent.trust import sign
from roost_protocol.codec import encode
from roost_protocol.hardware import Hardware
from roost_protocol.install_receipt import DOMAIN, InstallReceipt

RECEIPT = InstallReceipt(
    v=1, node="lab.n1", job="a" * 32, attempt=1, outcome="succeeded", boot_id="b" * 32,
    counter=100, component="app/web", digest="0a" * 32,
)  # fmt: skip


@pytest.fixture
def key(tmp_path):
    folder = tmp_path / FOLDER
    folder.mkdir()
    made = make_key()
    (folder / NODE_KEY).write_bytes(private_pem(made))
    facts = Facts(
        fleet_domain="f.example", site="lab", node="n1", generation=1, box=1, hw_fp=Hardware(),
        brokers=(), enrolled_ms=1, not_after_ms=2, image_root="none", centre="https://c",
    )  # fmt: skip
    (folder / FACTS).write_bytes(msgspec.json.encode(facts))
    return made


@pytest.fixture
def asks(tmp_path, monkeypatch):
    def asked(body):
        out = io.TextIOWrapper(io.BytesIO())
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))
        monkeypatch.setattr(sys, "stdout", out)
        assert sign.run([f"--state-dir={tmp_path}"]) == 0
        return out.buffer.getvalue()

    return asked


def test_a_receipt_of_this_node_is_signed_and_its_domain_with_it(key, asks):
    body = encode(RECEIPT)
    signature = asks(body)
    key.public_key().verify(signature, DOMAIN + body, ECDSA(SHA256()))
    with pytest.raises(InvalidSignature):
        key.public_key().verify(signature, body, ECDSA(SHA256()))


def test_nothing_else_is_signed(key, asks):
    with pytest.raises(AgentError, match=r"it is a receipt of lab\.n2, this is lab\.n1"):
        asks(encode(msgspec.structs.replace(RECEIPT, node="lab.n2")))
    with pytest.raises(AgentError, match="nothing is signed"):
        asks(b"an order, or a certificate")


def test_a_box_without_an_identity_says_so(tmp_path):
    with pytest.raises(AgentError, match="no identity to sign with"):
        sign.run([f"--state-dir={tmp_path}"])
