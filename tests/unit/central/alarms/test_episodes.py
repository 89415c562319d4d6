"""One alarm from its raise to its clear."""

from alarms import S, cleared, said


def test_an_episode_begins_changes_and_ends_and_the_next_one_is_another(driven):
    assert driven.do(said()) == ["raise"]
    first = driven.row().id
    assert driven.do(said(severity=S.CRITICAL), wait_ms=1_000) == ["change"]
    assert driven.do(cleared(), wait_ms=1_000) == ["clear"]
    assert driven.row() is None
    driven.do(said(), wait_ms=1_000)
    assert driven.row().id != first


def test_a_clear_of_what_is_not_there_is_counted_and_told_to_nobody(driven):
    assert driven.do(cleared()) == []
    assert driven.core.clears_unknown == 1
