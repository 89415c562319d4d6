"""What a TPM says of a key: read whole, or not at all."""

import struct

import pytest

from roost_central.enrol.tpm.attestation import read_certified
from roost_protocol.errors import ProtocolError
from roost_protocol.tpm import ATTEST_CERTIFY, GENERATED, sized

NAME = b"\x00\x0b" + b"n" * 32


def attest(magic=GENERATED, kind=ATTEST_CERTIFY, rest=b""):
    body = struct.pack(">IH", magic, kind) + sized(b"signer") + sized(b"question")
    return body + bytes(17 + 8) + sized(NAME) + sized(b"qualified") + rest


def test_the_question_and_the_name_are_read():
    found = read_certified(attest())
    assert (found.question, found.name) == (b"question", NAME)


def test_what_is_cut_short_is_refused():
    whole = attest()
    for length in range(len(whole)):
        with pytest.raises(ProtocolError):
            read_certified(whole[:length])


@pytest.mark.parametrize(
    "raw",
    [
        attest(magic=0xFF544348),  # a key that is not restricted signs what it is given
        attest(kind=0x8018),  # a quote: its digest stands where a name would
        attest(rest=b"\x00"),
    ],
    ids=["not-generated", "quote", "longer"],
)
def test_what_is_no_word_on_one_key_is_refused(raw):
    with pytest.raises(ProtocolError, match="a TPM's word on one key"):
        read_certified(raw)
