"""What becomes of a target's alarm over a restart of the centre: only this process can end it."""

import pytest
from alarm_feed import MemoryFeed, alarm

from roost_central.northbound.target import UNREACHABLE, TargetState, clear_forgotten
from roost_central.ports import SystemClock


@pytest.fixture
def feed():
    """A feed with an alarm of a site, in which the targets hook and gone are unreachable."""
    made = MemoryFeed()
    made.tell("raise", alarm(1))
    for number, name in enumerate(("hook", "gone"), start=2):
        entity = f"central=roost,target={name}"
        made.tell("raise", alarm(number, type=UNREACHABLE, entity=entity))
        made.raise_own(UNREACHABLE, entity, 2, {})
    return made


def state(feed, name):
    made = TargetState(name, "webhook", "", feed, SystemClock())
    made.take_over(feed.open_alarms())
    return made


def standing(feed):
    return [key.partition("target=")[2] for key in feed.own]


def test_a_target_that_was_unreachable_stays_so_until_it_takes_a_message(feed):
    hook, other = state(feed, "hook"), state(feed, "other")
    assert (hook.word, other.word) == ("unreachable", "idle")
    other.worked()
    assert standing(feed) == ["hook", "gone"]
    hook.worked()
    assert standing(feed) == ["gone"]


def test_of_a_target_that_is_configured_no_more_the_alarm_ends(feed):
    clear_forgotten(feed, [state(feed, "hook")])
    assert standing(feed) == ["hook"]
