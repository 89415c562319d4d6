"""Directed scenarios, one test each: a planted fault names the one that must notice it."""

from dataclasses import replace

import pytest
from sim.scenarios import FLEET, SCENARIOS
from sim.world import run

pytestmark = pytest.mark.timeout(600)  # seconds on a quiet machine


@pytest.mark.parametrize(
    ("plan", "script"), SCENARIOS, ids=[plan.name.replace(" ", "-") for plan, _ in SCENARIOS]
)
def test_a_scenario_keeps_every_promise_and_converges(plan, script):
    outcome = run(plan, script)
    assert not outcome.violations, str(outcome)
    assert outcome.settled_s is not None


def test_a_fleet_on_lossy_links_keeps_every_promise():
    outcome = run(replace(FLEET, safety_s=300.0))
    assert not outcome.violations, str(outcome)
