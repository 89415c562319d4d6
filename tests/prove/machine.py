"""A proof by a Hypothesis machine: so many runs, and whether any of them broke a rule."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import seed as seeded
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from proof import Proof

RUNS_MIN = 100


def proven(
    proof: Proof,
    machine: type[RuleBasedStateMachine],
    *,
    steps: int,
    share: float,
    say: Callable[[str], None],
) -> Proof:
    """Run a machine and return the proof as it came out.

    Args:
        proof: with its name, seed and note, and the runs of a whole one.
        machine: what runs.
        steps: of one run, at most.
        share: of the runs that are to be done.
        say: for what was found.
    """
    runs = max(RUNS_MIN, round(proof.runs * share))
    many = settings(
        max_examples=runs,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    failures = 0
    try:
        run_state_machine_as_test(seeded(proof.seed)(machine), settings=many)
    except AssertionError as err:
        failures = 1
        say(f"{proof.name}: {err}")
    return replace(proof, runs=runs, failures=failures)
