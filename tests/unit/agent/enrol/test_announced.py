"""An announced key: loaded, or told what is wrong with it."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from roost_agent.enrol.announced import load_announced
from roost_agent.enrol.keys import make_key
from roost_agent.errors import AgentError


def written(tmp_path, key):
    raw = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "box.key").write_bytes(raw)
    return str(tmp_path / "box.key")


def test_it_signs_by_the_key_in_the_file(tmp_path):
    found = load_announced(written(tmp_path, make_key()))
    public = load_pem_public_key(found.public.encode())
    public.verify(found.sign(b"message"), b"message", ECDSA(SHA256()))


def test_none_is_none():
    assert load_announced("") is None


@pytest.mark.parametrize(
    "make", [lambda: generate_private_key(SECP384R1()), Ed25519PrivateKey.generate]
)
def test_another_kind_of_key_is_told(tmp_path, make):
    with pytest.raises(AgentError, match="an EC key on P-256"):
        load_announced(written(tmp_path, make()))


def test_what_is_no_key_is_told(tmp_path):
    (tmp_path / "box.key").write_text("hello")
    with pytest.raises(AgentError, match="no private key"):
        load_announced(str(tmp_path / "box.key"))
    with pytest.raises(AgentError, match=r"No such file.*key_file"):
        load_announced(str(tmp_path / "none"))
