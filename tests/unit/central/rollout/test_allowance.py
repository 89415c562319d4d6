"""The rate of offers."""

from rollout_fleet import running

from roost_central.rollout.allowance import Allowance
from roost_central.rollout.table import RolloutState

R = RolloutState


def test_the_rate_grows_with_successes():
    plan = (
        'name = "x"\ncomponent = "app/pump"\nversion = "1.1.0"\napprovers = 0\n'
        "[[wave]]\nrest = true\nsite_soak_s = 0\nsoak_s = 0\n"
        "rate = {base = 6, factor = 2.0, max = 60, grow_after = 5}\n"
    )
    fleet = running(sites=60, plan=plan, waves=((0, 60),))
    for _ in range(30):
        fleet.turn()
    assert 5 <= len(fleet.offered) <= 8  # six a minute
    fleet.until_state(R.COMPLETED)
    assert fleet.now_ms - fleet.rollout.head.made_ms < 300_000  # not ten minutes


def test_minutes_in_which_nothing_was_offered_are_not_saved_up():
    rules = running().rollout.rules(0)  # 6,000 a minute
    allowance = Allowance(0)
    assert allowance.allowed(rules, 0, 600_000) == 6_000
    allowance.spend(6_000)
    assert allowance.allowed(rules, 0, 600_000) == 0
    assert allowance.allowed(rules, 0, 601_000) == 100


def test_a_wave_that_begins_has_its_first_offer_at_once():
    rules = running().rollout.rules(0)
    allowance = Allowance(0)
    allowance.spend(1)
    allowance.begin()
    assert allowance.allowed(rules, 0, 0) == 1
