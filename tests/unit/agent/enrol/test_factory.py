"""What a maker put into files: loaded whole, and what does not belong together is told."""

import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from maker import Maker, pem, rsa_key

from roost_agent.enrol.factory import load_factory
from roost_agent.errors import AgentError


def files(tmp_path, key, chain):
    (tmp_path / "c.pem").write_text(chain)
    (tmp_path / "c.key").write_bytes(key)
    return str(tmp_path / "c.pem"), str(tmp_path / "c.key")


@pytest.mark.parametrize("key", [None, rsa_key()], ids=["ec", "rsa"])
def test_a_certificate_and_its_key_are_taken(tmp_path, key):
    key, chain = Maker().below().box(key=key)
    found = load_factory(*files(tmp_path, pem(key), chain))
    assert found is not None
    assert found.chain == chain
    assert found.sign(b"message")


def test_none_is_none():
    assert load_factory("", "") is None


def test_what_does_not_belong_together_is_told(tmp_path):
    key, chain = Maker().box()
    other, _ = Maker().box()
    with pytest.raises(AgentError, match="not the key of"):
        load_factory(*files(tmp_path, pem(other), chain))
    with pytest.raises(AgentError, match="no certificate and its key"):
        load_factory(*files(tmp_path, b"x", chain))
    with pytest.raises(AgentError, match="no certificate and its key"):
        load_factory(*files(tmp_path, pem(key), "x"))
    with pytest.raises(AgentError, match="neither an EC nor an RSA"):
        load_factory(*files(tmp_path, pem(Ed25519PrivateKey.generate()), chain))
    with pytest.raises(AgentError, match=r"bound 16384"):
        load_factory(*files(tmp_path, pem(key), chain * 40))
    with pytest.raises(AgentError, match=r"No such file.*factory_cert"):
        load_factory(str(tmp_path / "none"), str(tmp_path / "none"))
