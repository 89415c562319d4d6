import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_protocol.errors import ProtocolError
from roost_protocol.join_token import (
    CLAIM_PATTERN,
    JoinToken,
    claim_id,
    from_text,
    is_secret,
    parse_token,
    secret_hash,
    to_text,
)

TOKEN = JoinToken("abcdefghij_-", bytes(range(32)), bytes(range(16)))


def test_a_token_comes_back_from_its_text():
    assert parse_token(f"  {TOKEN}\n") == TOKEN


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_token_that_was_not_copied_whole_is_refused_without_being_repeated(cut):
    text = str(TOKEN)[:-cut]
    with pytest.raises(ProtocolError, match="copied whole") as caught:
        parse_token(text)
    assert text[20:30] not in str(caught.value)


def test_nothing_shows_the_secret_by_accident():
    assert to_text(TOKEN.secret) not in repr(TOKEN)
    assert repr(TOKEN.secret) not in repr(TOKEN)


def test_the_centre_keeps_a_hash_and_knows_the_secret_by_it():
    kept = secret_hash(TOKEN.secret)
    assert TOKEN.secret not in kept
    assert is_secret(kept, TOKEN.secret)
    assert not is_secret(kept, bytes(32))


@given(st.binary(max_size=40))
def test_text_is_another_way_to_write_bytes(raw):
    assert from_text(to_text(raw)) == raw


@pytest.mark.parametrize("text", ["a", "ab=", "a+b/", "ab ", "aB"])
def test_text_has_one_way_to_be_written(text):
    with pytest.raises(ProtocolError, match="base64"):
        from_text(text)


@given(st.text())
def test_whatever_the_text_a_token_is_refused_as_one(text):
    try:
        parse_token(text)
    except ProtocolError as err:
        assert err.code == "token"  # noqa: PT017


def test_the_id_of_a_claim_is_never_like_an_option_of_a_command():
    for first in range(256):
        text = claim_id(bytes([first]) + b"\xff" * 8)
        assert text[0] != "-"
        assert re.fullmatch(CLAIM_PATTERN, text)
