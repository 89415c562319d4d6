"""What people read of a voter's no."""

import pytest

from roost_protocol import voter_cfg, voter_rules
from roost_protocol.voter_words import lateness, refusal

EVERY = {
    word
    for module in (voter_rules, voter_cfg)
    for name, word in vars(module).items()
    if name.isupper() and isinstance(word, str) and name not in {"SITE_LEASE", "DISK_GONE"}
}


@pytest.mark.parametrize("word", sorted(EVERY | {"unlike"}))
def test_each_word_of_a_voter_is_a_sentence_for_people(word):
    assert refusal(word, None, 0) != f"says {word}"
    assert " " in refusal(word, None, 0)


def test_a_word_of_a_later_version_is_told_as_it_is():
    assert refusal("new", None, 0) == "says new"


def test_whom_it_is_bound_to_and_for_how_long_is_told():
    assert refusal("promised", 2, 3_240) == "is bound to node 2 for 3.2 s more"
    assert refusal("promised", 2, 0) == "is bound to node 2"
    endless = "is bound to node 2 until that one gives it back or is proven to be off"
    assert refusal("promised", 2, None) == endless


def test_a_voter_that_starts_says_when_it_votes():
    said = "started a moment ago: it votes in 4.2 s, or once every node says what it holds"
    assert refusal("boot-wait", None, 4_200) == said


def test_what_came_late_is_told_with_how_late():
    assert lateness(1_400, 1_000) == ": it was 1.4 s old, and counts for 1.0 s"
    assert lateness(None, 1_000).endswith("having heard this start of the agent")
    assert lateness(1_000, 1_000) == ": a later one came before it"
