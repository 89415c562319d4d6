"""The words that a field may be are found by where it stands, and put into a sentence."""

from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from roost_central.choices import choices, one_of


def test_the_words_of_a_field_below_others_are_found():
    class Part(msgspec.Struct):
        page: Literal["a", "b"]

    class Whole(msgspec.Struct):
        parts: Annotated[list[Part], Meta(max_length=9)]

    assert choices(Whole, "parts[3].page") == ["a", "b"]
    assert choices(Whole, "parts[3]") == choices(Whole, "page") == []


def test_the_keys_of_a_table_are_words_too():
    class Whole(msgspec.Struct):
        retry: dict[Literal["boot", "health"], int]

    assert choices(Whole, "retry") == ["boot", "health"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c"),
        (["", "a", "b"], "a or b"), ([], ""),
    ],
)  # fmt: skip
def test_words_stand_in_a_sentence_and_left_out_is_not_one_of_them(words, said):
    assert one_of(words) == said
