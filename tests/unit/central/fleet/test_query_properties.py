"""Promises about every query: it parses or says why, has one text, and one meaning in both twins.

The twin on Node answers the same generated queries over the same rows; it is asked line by line,
so that Hypothesis can shrink what they disagree on.
"""

import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from query_strategies import NOW_MS, any_query, queries, rows

TWIN_CASES = 300  # `make prove` asks 100,000


def question(text, many=()):
    return {"query": text, "rows": list(many), "now_ms": NOW_MS}


@settings(deadline=None)
@given(st.text() | any_query)
def test_any_text_is_a_query_or_an_error_inside_the_text(ask_python, text):
    answer = ask_python(question(text))
    if "code" in answer:
        assert answer["message"]
        assert 0 <= answer["offset"] <= answer["offset"] + answer["length"] <= len(text)


@settings(deadline=None)
@given(any_query, st.lists(rows, max_size=2))
def test_the_canonical_text_is_the_same_query_and_never_longer(ask_python, text, many):
    answer = ask_python(question(text, many))
    if canonical := answer.get("canonical"):
        assert len(canonical.encode()) <= len(text.encode())
        again = ask_python(question(canonical, many))
        assert again["ast"] == answer["ast"]
        assert again["canonical"] == canonical
        if isinstance(answer["matches"], list):
            assert again["matches"] == answer["matches"]


@settings(deadline=None)
@given(queries, rows)
def test_a_query_and_its_negation_never_agree(ask_python, text, row):
    answers = [ask_python(question(each, [row])) for each in (text, f"!({text})")]
    found = [answer.get("matches") for answer in answers]
    if isinstance(found[0], list) and found[1] is not None:
        assert found[0] != found[1]


@settings(max_examples=TWIN_CASES, deadline=None)
@given(any_query, st.lists(rows, max_size=3))
def test_both_twins_answer_alike(ask_python, ask_node, extra_fields, text, many):
    asked = {**question(text, many), "fields": extra_fields}
    assert ask_node(asked) == ask_python(asked)
