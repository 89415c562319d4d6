"""Each error of tuf's is told in an operator's words: what is wrong, since when, what to do."""

from datetime import UTC, datetime, timedelta

import pytest
from tuf.api import exceptions
from tuf.api.exceptions import BadVersionNumberError, DownloadHTTPError, UnsignedMetadataError
from tuf.api.serialization import DeserializationError

from roost_agent.trust import words
from roost_protocol.remedy import Refusal

NOW = datetime(2026, 11, 30, 2, 30, tzinfo=UTC)
ENDED = NOW - timedelta(days=12, hours=3)
KINDS = [
    kind
    for kind in vars(exceptions).values()
    if isinstance(kind, type) and issubclass(kind, Exception)
]
SAID = {  # what tuf says, in its own words
    "ExpiredMetadataError": "timestamp.json is expired",
    "BadVersionNumberError": "New timestamp version 3 must be >= 5",
    "UnsignedMetadataError": "targets was signed by 1/2 keys",
    "LengthOrHashMismatchError": "Observed hash a does not match expected hash b",
    "DownloadLengthMismatchError": "Downloaded 9 bytes exceeding the maximum allowed length of 8",
}


def made(kind):
    text = SAID.get(kind.__name__, "some words of a library")
    return kind(text, 404) if kind is DownloadHTTPError else kind(text)


@pytest.mark.parametrize("kind", [*KINDS, DeserializationError])
@pytest.mark.parametrize("name", ["image", "director"])
def test_each_error_has_a_word_for_programs_and_a_sentence_that_names_the_repository(kind, name):
    err = made(kind)
    told = words.sentence(name, err, ENDED, NOW)
    assert words.NAMES[name] in told
    assert len(told) <= words.TEXT_CHARS_MAX
    if kind.__name__ in SAID:
        assert SAID[kind.__name__] not in told
    assert words.code_of(err) in {*Refusal}
    assert words.of_stick(words.code_of(err))


@pytest.mark.parametrize("role", [*words.ROLES, "config.acme"])
def test_what_has_ended_is_told_with_its_time_its_zone_and_its_age(role):
    err = exceptions.ExpiredMetadataError(f"New {role} is expired")
    told = words.sentence("image", err, ENDED, NOW)
    assert role in told
    assert told.endswith("ended on 2026-11-17 23:30 UTC, 12 days ago by this node's clock")
    assert "2026-11-30 02:30 UTC" in words.sentence("image", err, None, NOW)


def test_versions_of_the_signer_are_told_as_the_times_that_they_are():
    old, new = 1_790_000_000_000, 1_796_000_000_000
    err = BadVersionNumberError(f"Expected snapshot.json version {old}, got {new}.")
    told = words.sentence("director", err, None, NOW)
    assert told == (
        "the director brings a word of 2026-09-21 14:13 UTC, and one of 2026-11-30 00:53 UTC was "
        "seen here before"
    )
    told = words.sentence("image", BadVersionNumberError("Expected app v7, got v6."), None, NOW)
    assert "a word of version 6, and one of version 7 was seen" in told


def test_who_has_not_signed_is_told_by_numbers():
    err = UnsignedMetadataError("app was signed by 1/2 keys")
    told = words.sentence("image", err, None, NOW)
    assert "1 of its holders signed the releases of app, and 2 must" in told


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(seconds=60), "1 minute"),
        (timedelta(hours=47), "1 day"),
        (timedelta(hours=23), "23 hours"),
        (timedelta(days=120), "120 days"),
    ],
)
def test_an_age_is_in_its_largest_whole_unit(passed, told):
    assert words.age(passed) == told


def test_a_complaint_is_a_line_of_why_and_one_of_what_to_do():
    assert words.complaint("clock", "it is wrong", "set it") == (
        "clock: it is wrong\nwhat to do: set it\n"
    )
    assert words.complaint("floor", "too low").count("\n") == 2
