import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_agent.discovery.cpuset import CPUS_MAX, parse_list, parse_mask
from roost_agent.discovery.section import TOO_BIG, UNSUPPORTED, Missing


@pytest.mark.parametrize(
    ("text", "members"),
    [("", []), ("(null)", []), ("0", [0]), ("0-2,8", [0, 1, 2, 8]), ("3,1, 3", [1, 3])],
)
def test_a_list_has_its_members(text, members):
    assert parse_list(text) == members


@pytest.mark.parametrize("text", ["-1", "1-", "a", "0x1", "1--2", ",", "\u0661"])
def test_a_list_of_something_else_is_unsupported(text):
    assert parse_list(text) == Missing(UNSUPPORTED)


def test_a_list_cannot_take_all_memory():
    assert parse_list("0-99999999999") == Missing(TOO_BIG)
    assert parse_list(str(CPUS_MAX)) == Missing(TOO_BIG)


@pytest.mark.parametrize(
    ("text", "members"), [("3", [0, 1]), ("1,00000002", [1, 32]), ("00000000", [])]
)
def test_a_mask_has_its_members(text, members):
    assert parse_mask(text) == members


@pytest.mark.parametrize("text", ["", "g", "-1", "1_0", "0x"])
def test_a_mask_of_something_else_is_unsupported(text):
    assert parse_mask(text) == Missing(UNSUPPORTED)


def test_a_mask_cannot_take_all_memory():
    assert parse_mask("f" * (CPUS_MAX // 4 + 1)) == Missing(TOO_BIG)


@given(st.sets(st.integers(0, CPUS_MAX - 1), max_size=64))
def test_a_mask_and_a_list_of_the_same_set_agree(members):
    text = ",".join(map(str, sorted(members)))
    mask = f"{sum(1 << member for member in members):x}"
    assert parse_list(text) == parse_mask(mask) == sorted(members)


@given(st.text(max_size=40))
def test_junk_never_raises(text):
    parse_list(text)
    parse_mask(text)
