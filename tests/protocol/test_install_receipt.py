import msgspec
import pytest

from roost_protocol.codec import encode
from roost_protocol.errors import ProtocolError
from roost_protocol.install_receipt import (
    InstallReceipt,
    SignedInstall,
    follows,
    hash_of,
    read_receipt,
)

FIRST = InstallReceipt(
    v=1, node="lab.n1", job="a" * 32, attempt=1, outcome="succeeded", boot_id="b" * 32,
    counter=1_800_000_000, component="app/web", digest="0a" * 32,
)  # fmt: skip


def signed(receipt):
    return SignedInstall(encode(receipt), b"s")


def next_(**more):
    said = {"counter": FIRST.counter + 1, "before": hash_of(signed(FIRST))}
    return msgspec.structs.replace(FIRST, **(said | more))


def test_a_receipt_is_read_as_it_was_signed_and_within_its_bounds():
    assert read_receipt(signed(FIRST)) == FIRST
    for change in ({"boot_id": "x"}, {"counter": 0}, {"outcome": "fine"}, {"digest": "0a"}):
        with pytest.raises(ProtocolError):
            read_receipt(signed(msgspec.structs.replace(FIRST, **change)))
    with pytest.raises(ProtocolError):
        read_receipt(SignedInstall(b"x" * 1_025, b""))


def test_the_first_is_taken_and_the_next_has_its_hash():
    assert follows(FIRST, None, "lab.n1") == ""
    assert follows(next_(), signed(FIRST), "lab.n1") == ""


def test_what_is_missing_between_two_is_told_and_what_is_old_is_refused():
    last = signed(FIRST)
    missing = follows(next_(counter=FIRST.counter + 3, before="f" * 64), last, "lab.n1")
    assert missing == "receipts between 1800000000 and 1800000003 are missing"
    anew = follows(next_(counter=FIRST.counter + 9, before=""), last, "lab.n1")
    assert anew == "receipts begin anew at 1800000009, after 1800000000"
    for counter in (FIRST.counter, FIRST.counter - 1, 1):
        with pytest.raises(ProtocolError, match=r"receipt, at counter.*it is an old one"):
            follows(next_(counter=counter), last, "lab.n1")
    with pytest.raises(ProtocolError, match="receipt, at node"):
        follows(next_(), last, "lab.n2")
