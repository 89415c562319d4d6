import json

import pytest

from roost_protocol.errors import ProtocolError
from roost_protocol.release.approval import (
    APPROVAL_LIFE_MS_MAX,
    Approval,
    read_approval,
    read_operators,
    write_approval,
)


def approval(**more):
    base = {
        "v": 2, "operator": "ana", "rollout": "a" * 32, "plan": "b" * 64, "digest": "c" * 64,
        "sites": "d" * 64, "count": 3, "late_max": 1,
        "not_before_ms": 1, "not_after_ms": 2,
    }  # fmt: skip
    return Approval(**(base | more))


def test_an_approval_is_read_as_it_was_written():
    assert read_approval(write_approval(approval())) == approval()


@pytest.mark.parametrize(
    "bad",
    [
        write_approval(approval(v=1)),
        write_approval(approval(count=0)),
        write_approval(approval(late_max=1_001)),
        write_approval(approval(not_after_ms=1)),
        write_approval(approval(not_after_ms=APPROVAL_LIFE_MS_MAX + 2)),
        write_approval(approval(operator="Ana\n")),
        b"{}",
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_one_that_is_none_or_lasts_too_long_is_refused(bad):
    with pytest.raises(ProtocolError):
        read_approval(bad)


def test_two_operators_with_one_key_are_one_person_and_refused():
    keys = {"ana": "A" * 43 + "=", "bea": "A" * 43 + "="}
    with pytest.raises(ProtocolError, match="ana and bea have the same key"):
        read_operators(json.dumps({"format": 1, "operators": keys}).encode())


def test_operators_are_names_with_keys():
    raw = json.dumps({"format": 1, "operators": {"ana": "A" * 43 + "="}}).encode()
    assert read_operators(raw).operators == {"ana": bytes(32)}
    for bad in (b"{}", raw.replace(b"1", b"2", 1), raw.replace(b"AAAA", b"", 1), b"["):
        with pytest.raises(ProtocolError, match="operators"):
            read_operators(bad)
