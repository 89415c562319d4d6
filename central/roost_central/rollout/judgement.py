"""What the nodes of a site show: who runs the release, which alarms speak against it. Pure.

Leaves to others: what follows for the job (site_steps.py), what nodes say of it (site_word.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from roost_central.rollout.head import AlarmSeen, Standing
from roost_central.rollout.job import Job
from roost_central.rollout.plan import Plan
from roost_central.rollout.rules import Settled
from roost_protocol.severity import Severity

UNDONE: Final = frozenset({"900.021", "900.801"})  # the next release that succeeds ends them

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a job is judged by.

    Attributes:
        digest: of the release that it should run.
        deadline_ms: of its wave.
        is_retrying: failures get another attempt: the rollout goes on.
    """

    plan: Plan
    rules: Settled
    digest: str
    deadline_ms: int
    is_retrying: bool = True


def blocking(standing: Standing, terms: Terms) -> AlarmSeen | None:
    """Return an alarm that a site is not updated with; None: it may be (StarlingX's words)."""
    return stopping(standing.alarms, terms.rules, terms.plan)


def stopping(alarms: Iterable[AlarmSeen], rules: Settled, plan: Plan) -> AlarmSeen | None:
    """Return the alarm that holds a site back by the gates of its wave; None: none does.

    That the update before failed or was undone is none: the release that mends it has to come.
    """
    mode = rules.gates.alarms
    if mode == "permissive":
        return None
    fine = UNDONE | set(plan.ignore_alarms)
    found = (each for each in alarms if each.type not in fine)
    return next((each for each in found if each.stops or mode == "strict"), None)


def worse(job: Job, standing: Standing, plan: Plan) -> AlarmSeen | None:
    """Return an alarm that a site has since its update and should not have; None: none."""
    fine = {*plan.ignore_alarms, *plan.expected_alarms}
    return next(
        (
            each
            for each in standing.alarms
            if each.severity >= Severity.MAJOR
            and each.key not in job.alarms
            and each.type not in fine
        ),
        None,
    )


def runs(job: Job, standing: Standing, terms: Terms) -> bool:
    """Say whether every node says that it runs the release; one that is left out need not."""
    found = judged(job, standing.runs, terms.plan)
    return bool(found) and all(each is not None and each[1] == terms.digest for each in found)


def judged(job: Job, each: Sequence[T], plan: Plan) -> Sequence[T]:
    """Return what there is of the nodes that count, of what there is of all of the job's.

    A node says itself that its role is left out: it alone knows what it is for. It is believed
    where the plan leaves a role out at all, and escapes by that no more than what it could refuse.
    """
    if "ignore" not in {plan.controllers, plan.storage, plan.workers}:
        return each
    out = {node for node, said in job.said.items() if said.is_left_out}
    return [one for node, one in zip(job.nodes, each, strict=False) if node not in out]


def is_measured(job: Job, standing: Standing, terms: Terms) -> bool:
    """Say whether every node runs the release, after another boot where it takes one."""
    if not runs(job, standing, terms):
        return False
    return not terms.plan.reboot or not {*judged(job, standing.boots, terms.plan)} & {*job.boots}
