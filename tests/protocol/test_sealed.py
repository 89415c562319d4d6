import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from roost_protocol.errors import ProtocolError
from roost_protocol.sealed import OVERHEAD_BYTES, open_sealed, seal_for

ABOUT, ONCE = b"boards lab.n1", bytes(range(32))
hpke = pytest.importorskip("cryptography.hazmat.primitives.hpke", reason="cryptography 47")


@pytest.fixture(scope="module")
def key():
    return X25519PrivateKey.generate()


def sealed(key, plain=b"canary", about=ABOUT):
    return seal_for(key.public_key().public_bytes_raw(), plain, about, once=ONCE)


def suite():
    return hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


def test_another_implementation_of_rfc_9180_opens_what_is_sealed(key):
    assert suite().decrypt(sealed(key), key, info=ABOUT) == b"canary"


def test_what_another_implementation_of_rfc_9180_seals_is_opened(key):
    message = suite().encrypt(b"canary", key.public_key(), info=ABOUT)
    assert open_sealed(key, message, ABOUT) == b"canary"


def test_only_its_holder_reads_it_and_nothing_of_it_shows(key):
    message = sealed(key)
    assert len(message) == OVERHEAD_BYTES + len(b"canary")
    assert b"canary" not in message
    for other in (X25519PrivateKey.generate(), X25519PrivateKey.generate()):
        with pytest.raises(ProtocolError, match="another key"):
            open_sealed(other, message, ABOUT)


def test_what_is_about_another_node_or_changed_or_cut_is_refused(key):
    message = sealed(key)
    with pytest.raises(ProtocolError):
        open_sealed(key, message, b"boards lab.n2")
    for at in (0, 31, 32, len(message) - 1):
        spoilt = bytearray(message)
        spoilt[at] ^= 1
        with pytest.raises(ProtocolError):
            open_sealed(key, bytes(spoilt), ABOUT)
    for length in (0, OVERHEAD_BYTES - 1, len(message) - 1):
        with pytest.raises(ProtocolError):
            open_sealed(key, message[:length], ABOUT)


def test_a_key_that_is_none_is_refused():
    for public in (b"", bytes(31), bytes(32)):  # the last is of small order: its secret is zero
        with pytest.raises(ProtocolError, match="sealed"):
            seal_for(public, b"x", ABOUT, once=ONCE)
