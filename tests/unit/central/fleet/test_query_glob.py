"""Globs against a slow oracle, and their time on hostile patterns."""

import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost_central.fleet.query_glob import compile_glob, fold


def fits(pattern, value):
    """The definition, one character at a time."""

    @cache
    def rest(p, v):
        if p == len(pattern):
            return v == len(value)
        if pattern[p] == "*":
            return rest(p + 1, v) or (v < len(value) and rest(p, v + 1))
        return v < len(value) and pattern[p] in ("?", value[v]) and rest(p + 1, v + 1)

    return rest(0, 0)


@settings(max_examples=400, deadline=None)
@given(st.text("ab*?", max_size=9), st.text("ab", max_size=9))
def test_a_glob_fits_what_its_definition_says(pattern, value):
    assert compile_glob(pattern)(value) is fits(pattern, value)


@settings(deadline=None)
@given(st.text("a*?ä😀", max_size=7), st.text("aä😀", max_size=7))
def test_a_mark_stands_for_one_character_beyond_ascii_too(pattern, value):
    assert compile_glob(pattern)(value) is fits(pattern, value)


def test_only_ascii_letters_fold():
    assert fold("AbZ[\\]ÄİK") == "abz[\\]Äİ\N{KELVIN SIGN}".replace("\N{KELVIN SIGN}", "k")
    assert fold("\N{KELVIN SIGN}Z") == "\N{KELVIN SIGN}z"
    assert compile_glob("EDGE*")("edge-1")
    assert not compile_glob("ä")("Ä")


@pytest.mark.parametrize("pattern", ["*a*a*a*a*a*a*a*b", "?*?*?*?*a?*?*?b", "*" + "?a" * 200 + "b"])
def test_a_hostile_glob_takes_linear_time(pattern):
    glob = compile_glob(pattern)

    def seconds(length):
        value = "a" * length
        start = time.process_time()
        assert not glob(value)
        return time.process_time() - start

    seconds(1000)
    assert seconds(100_000) < 2, "quadratic time would be minutes"
