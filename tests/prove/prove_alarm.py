"""Proof: alarms take effect once and none is stuck, whatever is lost, late, again or reordered."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test
from proof import Proof

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/central/alarms"))

from test_machine import AlarmMachine

RUNS = 1_000
STEPS = 50


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Run the machine against its oracle."""
    runs = max(100, round(RUNS * share))
    many = settings(
        max_examples=runs,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    failures = 0
    try:
        run_state_machine_as_test(seeded(seed)(AlarmMachine), settings=many)
    except AssertionError as err:
        failures = 1
        say(f"alarm.machine: {err}")
    yield Proof(
        "alarm.machine",
        runs=runs,
        failures=failures,
        seed=seed,
        note=f"P2: runs of {STEPS} steps of raise, change, clear, ack, shelve, mask, loss and "
        "repetition equal a reducer; two beats mend every set",
    )
