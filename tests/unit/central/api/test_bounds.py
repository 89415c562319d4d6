"""Rules in words, from what msgspec really says."""

from enum import Enum
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from roost_central.api.bounds import in_words
from roost_central.api.grants import NAME_PATTERN
from roost_central.api.routes import API


class State(Enum):
    ON = "on"
    OFF = "off"


class Body(msgspec.Struct):
    for_s: Annotated[int, Meta(ge=60, le=7 * 86_400)] = 60
    wait_s: Annotated[int, Meta(ge=90, le=5_400)] = 90
    count: Annotated[int, Meta(ge=0, le=100_000)] = 0
    share: Annotated[float, Meta(gt=0.25, lt=1)] = 0.5
    reason: Annotated[str, Meta(min_length=1, max_length=255)] = "x"
    note: Annotated[str, Meta(pattern=r"\S")] = "x"
    code: Annotated[str, Meta(pattern="^a+$")] = "a"
    ids: Annotated[list[str], Meta(max_length=2)] = []
    flag: bool = False
    owner: str | None = None
    page: Literal["a", "b"] = "a"
    state: State | None = None
    name: Annotated[str, Meta(pattern=NAME_PATTERN)] = "a"
    why: Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")] = ""


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("for_s", 777_600, "must be at most 7 d (604,800 s)"),
        ("for_s", 5, "must be at least 1 min (60 s)"),
        ("wait_s", 9_999, "must be at most 90 min (5,400 s)"),
        ("wait_s", 5, "must be at least 90 s"),
        ("count", -1, "must be at least 0"),
        ("count", 100_001, "must be at most 100,000"),
        ("count", "x", "must be a whole number, not text"),
        ("share", 0.1, "must be more than 0.25"),
        ("share", 3, "must be less than 1.0"),
        ("reason", "", "must not be empty"),
        ("reason", "x" * 256, "must have at most 255 characters"),
        ("note", " ", "must not be blank"),
        ("code", "b", "must match '^a+$'"),
        ("ids", ["x"] * 3, "must have at most 2 entries"),
        ("ids", 7, "must be a list, not a whole number"),
        ("flag", "x", "must be true or false, not text"),
        ("owner", 7, "must be text or null, not a whole number"),
        ("page", "c", "must be a or b, not 'c'"),
        ("state", "up", "must be on or off, not 'up'"),
        ("name", "J D", "must have 1 to 64 of a-z 0-9 . _ @ -, the first a letter or a digit"),
        ("why", "a\nb", "must not have control characters or line ends"),
    ],
)
def test_a_broken_rule_is_said_in_words(field, value, words):
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert({field: value}, Body)
    said, _, _ = str(refused.value).partition(" - at ")
    assert in_words(field, said, Body) == words


def test_without_its_type_a_word_is_refused_all_the_same():
    assert in_words("page", "Invalid enum value 'c'") == "may not be 'c'"


def test_every_pattern_that_a_caller_meets_has_words():
    def patterns(type_):
        if isinstance(type_, msgspec.inspect.StrType) and type_.pattern is not None:
            yield type_.pattern
        for below in ("fields", "types", "type", "item_type", "value_type"):
            found = getattr(type_, below, ())
            for each in found if isinstance(found, tuple | list) else (found,):
                if isinstance(each, msgspec.inspect.Type | msgspec.inspect.Field):
                    yield from patterns(each)

    for route in API:
        for of in (route.body, route.query):
            if isinstance(of, type) and issubclass(of, msgspec.Struct):
                for pattern in patterns(msgspec.inspect.type_info(of)):
                    said = in_words("x", f"Expected `str` matching regex {pattern!r}")
                    assert not said.startswith("must match"), (route.path, pattern)
