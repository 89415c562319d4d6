"""Words, quotes, operators, values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost_central.fleet.query_error import QueryError
from roost_central.fleet.query_lexer import (
    Scanner,
    is_bare_text,
    is_bare_value,
    op_of,
    quote,
)


@settings(deadline=None)
@given(st.text())
def test_a_quoted_text_reads_back_as_it_was(text):
    scan = Scanner(quote(text) + " rest")
    token = scan.quoted()
    assert (token.text, token.is_quoted, scan.pos) == (text, True, len(quote(text)))


@settings(deadline=None)
@given(st.text(min_size=1))
def test_a_bare_value_reads_back_as_it_was(text):
    if is_bare_value(text):
        assert Scanner(text).value().text == text


@pytest.mark.parametrize("text", ["a", "a!b", "a-b.c/d*?", "ä", "ands", "sev"])
def test_plain_words_need_no_quotes(text):
    assert is_bare_text(text)


@pytest.mark.parametrize("text", ["", "!a", "a:b", "a!=b", "a b", "or", "Not", 'a"', "a,b", "{"])
def test_texts_that_would_read_as_something_else_need_quotes(text):
    assert not is_bare_text(text)


def test_an_operator_is_the_longest_that_fits():
    scan = Scanner("sev:>=major")
    written = scan.split(scan.word())
    assert (written.text, written.span) == (":>=", (3, 3))
    assert op_of(written.text) == ">="
    assert op_of(":") == ":"
    assert scan.split(Scanner("a!b").word()) is None


def test_the_word_null_is_not_the_text_null():
    assert Scanner("null").value().is_null
    assert not Scanner('"null"').value().is_null


def test_an_open_quote_is_blamed_to_the_end_of_the_text():
    with pytest.raises(QueryError) as caught:
        Scanner('"abc').quoted()
    assert (caught.value.code, caught.value.offset, caught.value.length) == ("unclosed-quote", 0, 4)
