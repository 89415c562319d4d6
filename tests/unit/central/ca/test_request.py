"""What a request for a certificate may be, byte by byte."""

import base64

import pytest
from ca import new_key, request_of
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from roost_central.ca.request import key_of_pem, key_of_request
from roost_protocol.errors import ProtocolError


def pem_of(der):
    return (
        "-----BEGIN CERTIFICATE REQUEST-----\n"
        + base64.encodebytes(bytes(der)).decode()
        + "-----END CERTIFICATE REQUEST-----\n"
    )


def public_pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_a_flipped_bit_gives_no_other_key():
    key = new_key()
    good = x509.load_pem_x509_csr(request_of(key).encode()).public_bytes(Encoding.DER)
    assert key_of_request(pem_of(good)) == key.public_key()
    taken = 0
    for at in range(len(good) * 8):
        bad = bytearray(good)
        bad[at // 8] ^= 1 << at % 8
        try:
            taken += key_of_request(pem_of(bad)) == key.public_key()
        except ProtocolError:
            continue
    assert taken <= 7  # the count of unused bits before the signature is not signed


def test_a_public_key_is_taken_as_it_stands():
    key = new_key()
    assert key_of_pem(public_pem(key)) == key.public_key()


@pytest.mark.parametrize(
    ("pem", "code"),
    [
        ("", "key"),
        ("hello", "key"),
        (public_pem(ec.generate_private_key(ec.SECP521R1())), "key"),
        ("x" * 4_097, "oversize"),
        ("ü", "oversize"),
    ],
)
def test_what_is_no_key_of_ours_is_refused(pem, code):
    with pytest.raises(ProtocolError) as refused:
        key_of_pem(pem)
    assert refused.value.code == code
