"""A box that nobody attends: what it tells, when it asks, and how it spares who said no."""

import pytest

from roost_agent.enrol.core import (
    LOOK_MS,
    RETRY_MS,
    Ask,
    Failed,
    Rest,
    Saw,
    Setback,
    Tell,
    Vigil,
)
from roost_agent.enrol.invitation import Choice, Invitation, Lacking

NOW = 1_000_000
PINNED = Invitation(("https://c:1",), None, b"p" * 16, "", "DNS", "agent.toml")
BARE = Invitation(("https://c:1",), None, None, "", "DNS", "")
STICK = Invitation(("https://c:1",), None, b"p" * 16, "", "/mnt", "/mnt")


def saw(outcome, *passed_over):
    return Saw(Choice(outcome, passed_over))


def texts(actions):
    return [each.text for each in actions if isinstance(each, Tell)]


def failed(why=Setback.AWAY, dice=0.0):
    return Failed(why, "no", dice)


def test_what_is_lacking_is_told_once_and_looked_for_again():
    vigil = Vigil()
    assert vigil.handle(saw(Lacking("bring one"), "odd"), NOW) == [
        Tell("odd"), Tell("bring one"), Rest(LOOK_MS),
    ]  # fmt: skip
    assert vigil.handle(saw(Lacking("bring one"), "odd"), NOW) == [Rest(LOOK_MS)]


def test_without_a_pin_nobody_is_asked():
    actions = Vigil().handle(saw(BARE), NOW)
    assert "nothing says whom to trust" in texts(actions)[0]
    assert actions[-1] == Rest(LOOK_MS)


def test_with_a_pin_it_asks_at_once():
    told, ask = Vigil().handle(saw(PINNED), NOW)
    assert ask == Ask(PINNED)
    assert told == Tell("https://c:1 by DNS, trusted by agent.toml")


@pytest.mark.parametrize("why", [Setback.AWAY, Setback.REFUSED])
def test_it_asks_again_less_and_less_often_and_never_more_than_it_may(why):
    vigil, now = Vigil(), NOW
    first, longest = RETRY_MS[why]
    waits = []
    for _ in range(20):
        *_, ask = vigil.handle(saw(PINNED), now)
        assert ask == Ask(PINNED)
        asked = now
        [told] = vigil.handle(failed(why, 0.5), now)
        assert "again in" in told.text
        while (actions := vigil.handle(saw(PINNED), now))[-1] != Ask(PINNED):
            [rest] = actions
            assert 0 < rest.ms <= LOOK_MS
            now += rest.ms
        waits.append(now - asked)
    assert waits[0] == first * 3 // 4
    assert waits == sorted(waits)
    assert waits[-1] == longest * 3 // 4


def test_while_nobody_has_decided_it_goes_on_at_once():
    vigil = Vigil()
    vigil.handle(saw(PINNED), NOW)
    assert vigil.handle(failed(Setback.UNDECIDED, 0.9), NOW) == [Tell("no")]
    assert vigil.handle(saw(PINNED), NOW) == [Ask(PINNED)]


def test_another_medium_counts_at_once_whatever_failed_before():
    vigil = Vigil()
    vigil.handle(saw(PINNED), NOW)
    vigil.handle(failed(Setback.REFUSED), NOW)
    assert vigil.handle(saw(PINNED), NOW) == [Rest(LOOK_MS)]
    assert vigil.handle(saw(STICK), NOW)[-1] == Ask(STICK)


def test_another_setback_counts_from_one():
    vigil = Vigil()
    vigil.handle(saw(PINNED), NOW)
    for _ in range(5):
        vigil.handle(failed(Setback.AWAY), NOW)
    vigil.handle(failed(Setback.REFUSED), NOW)
    *_, rest = vigil.handle(saw(PINNED), NOW + RETRY_MS[Setback.REFUSED][0] - 1)
    assert rest == Rest(1)
