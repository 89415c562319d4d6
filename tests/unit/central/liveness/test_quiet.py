"""Whether to suspect ourselves, and for how long."""

from roost_central.liveness.facts import Limits
from roost_central.liveness.mass import Mass
from roost_central.liveness.quiet import Quiet

LIMITS = Limits()
SETTLE_MS = LIMITS.settle_ms


def quiet(*brokers):
    found = Quiet(LIMITS, frozenset(brokers), 0, Mass(LIMITS))
    for broker in brokers:
        found.broker_up(broker, 0)
    return found


def turns(found, now_ms):
    return [(turn.on, turn.why) for turn in found.review(10, now_ms)]


def test_a_start_is_over_after_its_time():
    found = quiet("b1")
    assert turns(found, SETTLE_MS - 1) == []
    assert turns(found, SETTLE_MS) == [(False, "start")]
    assert not found.is_on


def test_one_of_two_brokers_without_its_canary_is_a_doubt_and_not_deafness():
    found = quiet("b1", "b2")
    turns(found, SETTLE_MS)
    found.canary("b1", SETTLE_MS, is_well=False)
    assert turns(found, SETTLE_MS) == [(True, "canary")]
    assert not found.is_deaf
    found.canary("b2", SETTLE_MS, is_well=False)
    assert found.is_deaf
