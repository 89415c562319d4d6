"""Foreign text in a terminal and in a spreadsheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_central.cli.plain import csv_cell, plain
from roost_central.cli.times import age


@given(st.text())
def test_nothing_that_is_shown_moves_the_cursor(text):
    assert plain(text).isprintable()


@given(st.text().filter(str.isprintable))
def test_printable_text_is_shown_as_it_is(text):
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-5", "-5"),
        ("-5+cmd", "'-5+cmd"),
        ("lab", "lab"),
    ],
)
def test_a_spreadsheet_reads_no_formula(text, cell):
    assert csv_cell(text) == cell


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (4.25, "4.2 s"),
        (59, "59 s"),
        (61, "1 m 1 s"),
        (7800, "2 h 10 m"),
        (90061, "1 d 1 h"),
    ],
)
def test_an_age_has_at_most_two_units(seconds, text):
    assert age(seconds) == text
