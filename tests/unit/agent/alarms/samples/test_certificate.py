"""The validity of a certificate, against one that openssl made."""

import base64
import subprocess
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_agent.alarms.samples.certificate import CERTIFICATES_MAX, validities

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-keyout", folder / "key", "-out", folder / "pem", "-days", "30",
        "-subj", "/CN=lab.n1",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=20)
    return (folder / "pem").read_text()


def test_its_life_is_as_long_as_it_was_made(made):
    ((begin, end),) = validities(made)
    assert end - begin == 30 * DAY_MS
    assert begin % 1000 == 0


def test_a_chain_is_read_in_order_and_not_without_end(made):
    assert len(list(validities("text before\n" + made * 3))) == 3
    assert len(list(validities(made * (CERTIFICATES_MAX + 1)))) == CERTIFICATES_MAX
    assert list(validities("nothing")) == []


def pem(der):
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"


def element(tag, *parts):
    body = b"".join(parts)
    size = bytes([len(body)]) if len(body) < 128 else b"\x82" + len(body).to_bytes(2, "big")
    return bytes([tag]) + size + body


def certificate(begin, end, *, version=True):
    head = [element(0xA0, element(2, b"\2"))] if version else []
    rest = [element(2, b"\1"), element(0x30), element(0x30, b"x" * 150)]
    return element(0x30, element(0x30, *head, *rest, element(0x30, begin, end)))


def test_both_forms_of_time_and_a_first_version_without_its_number():
    begin, end = element(0x17, b"700101000000Z"), element(0x18, b"20500101000000Z")
    for version in (True, False):
        ((first, last),) = validities(pem(certificate(begin, end, version=version)))
        assert first == 0
        assert last == 2_524_608_000_000
    ((first, _),) = validities(pem(certificate(element(0x17, b"491231235959Z"), end)))
    assert first == 2_524_607_999_000


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x30\x05\x30",
        b"\x30\x80\x00",
        b"\x30\x89" + b"\1" * 9,
        b"\x31\x02\x05\x00",
        certificate(element(0x16, b"700101000000Z"), element(0x17, b"700101000000Z")),
        certificate(element(0x17, b"7001010000Z"), element(0x17, b"700101000000Z")),
        certificate(element(0x17, b"701301000000Z"), element(0x17, b"700101000000Z")),
    ],
)
def test_what_is_no_certificate_is_told(der):
    with pytest.raises(ValueError):  # noqa: PT011 - of many kinds
        list(validities(pem(der)))


def test_what_is_no_base64_is_told():
    with pytest.raises(ValueError, match="base64"):
        list(validities("-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----"))


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_else(der):
    with suppress(ValueError):
        list(validities(pem(der)))
