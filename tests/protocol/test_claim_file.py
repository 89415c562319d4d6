"""A claim file: what is taken, and that what is refused is named without its secret."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_protocol.claim_file import BYTES_MAX, ClaimFile, decode, encode
from roost_protocol.errors import ProtocolError
from roost_protocol.join_token import JoinToken, to_text

PIN = bytes(range(16))
TOKEN = str(JoinToken("abcdefghijkl", b"s" * 32, PIN))
WHOLE = ClaimFile("https://c.example:8471", TOKEN, name="n1", keep=True)


def raw(**said):
    return json.dumps(said).encode()


def test_what_is_written_is_read():
    assert decode(encode(WHOLE)) == WHOLE
    assert decode(b"\xef\xbb\xbf" + encode(WHOLE)) == WHOLE  # as an editor of another system saves
    assert decode(b"{}") == ClaimFile()


def test_the_pin_is_the_tokens_or_stands_alone():
    assert decode(raw(token=TOKEN)).trusted == PIN
    assert decode(raw(pin=to_text(PIN))).trusted == PIN
    assert decode(raw(token=TOKEN, pin=to_text(PIN))).trusted == PIN
    assert decode(raw(url="https://x")).trusted is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not JSON"),
        (b'{"url": "https://x"', "not JSON: .* line 1, column"),
        (b"\xff{}", "not UTF-8"),
        (b"[" * BYTES_MAX, "nested too deep"),
        (b'{"url": "a", "url": "b"}', "a key stands twice"),
        (raw(url=1), r"Expected `str`, got `int` - at `\$.url`"),
        (raw(run="rm"), "unknown field `run`"),
        (raw(url="x" * 300), "length <= 256"),
        (raw(token="rst1.short"), "at token, bound rst1"),
        (raw(pin="AAAA"), "at pin, bound 16 bytes"),
        (raw(pin="@"), "at pin, bound 16 bytes"),
        (raw(token=TOKEN, pin=to_text(b"x" * 16)), "at pin: the token is of another fleet"),
        (b" " * (BYTES_MAX + 1), f"oversize, got '{BYTES_MAX + 1}', bound {BYTES_MAX}"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_claim_is_named(content, told):
    with pytest.raises(ProtocolError, match=told):
        decode(content)


def test_a_broken_token_is_not_repeated():
    secret = TOKEN.split(".")[2]
    for content in (raw(token=TOKEN + "x"), raw(token=[TOKEN]), encode(WHOLE)[:-5]):
        with pytest.raises(ProtocolError) as refused:
            decode(content)
        assert secret not in str(refused.value)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_claim_or_its_one_error(content):
    with suppress(ProtocolError):
        assert isinstance(decode(content), ClaimFile)
