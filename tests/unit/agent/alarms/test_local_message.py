"""Packets of the local API."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_agent.alarms.local_message import (
    PACKET_BYTES_MAX,
    Answer,
    ListRequest,
    PingRequest,
    RaiseRequest,
    decode,
    encode,
    refused,
)
from roost_protocol.errors import ProtocolError


def packet(**fields):
    return json.dumps(fields).encode()


def refusal(raw):
    with pytest.raises(ProtocolError) as caught:
        decode(raw)
    return caught.value


def test_a_request_is_read():
    raw = packet(do="raise", type="750.801", severity="major", entity="app=x", ttl_s=5)
    assert decode(raw) == RaiseRequest("750.801", "major", "app=x", ttl_s=5)
    assert decode(packet(do="ping")) == PingRequest()
    assert decode(packet(do="list")) == ListRequest()


@pytest.mark.parametrize(
    ("raw", "code", "word"),
    [
        (b"", "syntax", "packet"),
        (b"\xff", "syntax", "packet"),
        (b"[" * 3_000, "syntax", "packet"),
        (packet(do="sing"), "syntax", "sing"),
        (packet(do="ping", more=1), "syntax", "more"),
        (packet(do="raise", type="750", severity="major"), "syntax", "type"),
        (packet(do="raise", type="750.801", severity="dire"), "severity", "dire"),
        (packet(do="raise", type="750.801", severity="cleared"), "severity", "cleared"),
        (packet(do="raise", type="750.801", severity="major", ttl_s=0), "syntax", "ttl_s"),
        (packet(do="raise", type="750.801", severity="major", ttl_s=1e9), "syntax", "ttl_s"),
        (packet(do="raise", type="1.1", severity="major", params={"a": []}), "syntax", ""),
        (
            b'{"do":"raise","type":"750.801","severity":"major","params":{"a":%d}}' % 2**70,
            "syntax",
            "params",
        ),
        (b'{"do":"log","text":"\\ud800"}', "syntax", ""),
        (b" " * (PACKET_BYTES_MAX + 1), "oversize", "packet"),
    ],
)
def test_what_is_wrong_is_named(raw, code, word):
    err = refusal(raw)
    assert err.code == code
    assert word in str(err)
    answer = json.loads(encode(refused(err)))
    assert (answer["ok"], answer["error"]) == (False, code)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (
            packet(do="sing"),
            "do is refused; allowed: one of raise, clear, clear_all, list, log, ping",
        ),
        (packet(do="clear", type="foo"), "type is refused; allowed: GGG.EEE, six digits"),
        (
            packet(do="raise", type="750.801", severity="minor", ttl_s=-4),
            "ttl_s is refused; allowed: 1 to 604800 seconds",
        ),
    ],
)
def test_a_refusal_names_the_field_and_what_it_takes(raw, sentence):
    assert refused(refusal(raw)).detail == sentence


@given(st.binary(max_size=PACKET_BYTES_MAX + 10))
def test_no_packet_raises_anything_else(raw):
    try:
        decode(raw)
    except ProtocolError as err:
        assert len(encode(refused(err))) <= PACKET_BYTES_MAX  # noqa: PT017


def test_an_answer_says_no_more_than_there_is():
    assert encode(Answer(ok=True, seq=4)) == b'{"ok":true,"seq":4}'
