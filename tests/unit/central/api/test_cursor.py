"""Cursors are opaque, and nothing but our own is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_central.api.cursor import CURSOR_CHARS_MAX, Cursor, pack, scope_of, unpack
from roost_central.api.problem import ApiError

SCOPE = scope_of("node", "-heard", "site=a")


@given(
    st.none()
    | st.text(max_size=40)
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=60),
)
def test_a_cursor_comes_back_as_it_was(value, name):
    cursor = Cursor(SCOPE, value, name)
    text = pack(cursor)

    assert text.replace("-", "").replace("_", "").isalnum()
    if len(text) <= CURSOR_CHARS_MAX:
        assert unpack(text, scope=SCOPE) == cursor


@given(st.text(max_size=600))
def test_any_other_text_is_refused(text):
    with pytest.raises(ApiError) as refused:
        unpack(text, scope=SCOPE)

    assert refused.value.code == "bad-cursor"


def test_a_cursor_of_another_scope_is_refused():
    with pytest.raises(ApiError, match="another list"):
        unpack(pack(Cursor(scope_of("node", "", ""), None, "a")), scope=SCOPE)
