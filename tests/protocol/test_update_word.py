import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_protocol.update_word import OUTCOMES, STEPS, UpdateWord, job_mark, pack, unpack

WORDS = st.builds(
    UpdateWord, st.integers(1, (1 << 24) - 1), st.sampled_from(STEPS), st.sampled_from(OUTCOMES),
    st.booleans(), st.booleans(), st.booleans(), st.none() | st.booleans(),
    st.booleans(), st.just("") | st.integers(1, 999_999).map(
        lambda number: f"{number // 1_000:03}.{number % 1_000:03}"
    ),
)  # fmt: skip


@given(WORDS, st.integers(0, (1 << 5) - 1))
def test_a_word_is_read_as_it_was_told_whatever_a_later_version_adds(word, more):
    assert unpack(pack(word)) == word
    assert unpack(pack(word) | more << 58) == word
    assert pack(word) < 1 << 58, "a count of the wire has 63 bits"


@given(st.integers(0, (1 << 63) - 1))
def test_any_number_says_something_known_or_nothing(number):
    word = unpack(number)
    assert word is None or (word.step in STEPS and word.outcome in OUTCOMES and word.job)


@pytest.mark.parametrize(
    ("word", "number"),
    [
        (UpdateWord(1, "precheck"), 1),
        (UpdateWord(1, "staged"), 0x3000001),
        (UpdateWord(0xABCDEF, "end", "succeeded", is_committed=True), 0x230ABCDEF),
        (UpdateWord(2, "end", "rolled_back", has_failed=True), 0x150000002),
        (UpdateWord(2, "staged", is_reached=False), 0x803000002),
        (UpdateWord(2, "staged", is_reached=True), 0x1803000002),
        (UpdateWord(2, "staged", is_shut=True), 0x2003000002),
        (UpdateWord(2, "staged", alarm="200.006"), 0xC3518003000002),
    ],
)
def test_the_numbers_of_the_wire(word, number):
    assert pack(word) == number


def test_attempts_of_a_job_are_told_apart():
    assert job_mark("a" * 32, 1) != job_mark("a" * 32, 2)
    assert unpack(0) is None
    assert unpack(1 | 31 << 24) is None


@pytest.mark.parametrize("alarm", ["disk", "200", "200.6", "2000.006", "x00.006", "200.006.1"])
def test_a_type_of_another_form_is_told_as_none_and_ends_no_loop(alarm):
    assert pack(UpdateWord(2, "staged", alarm=alarm)) == pack(UpdateWord(2, "staged"))
