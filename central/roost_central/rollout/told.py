"""What becomes of a rollout, in the event log and among the alarms."""

from typing import Final

from roost_central.alarms.book import AlarmBook
from roost_central.rollout.head import Head
from roost_central.rollout.table import Pause, RolloutState
from roost_central.storage.events import NewEvent
from roost_protocol.severity import Severity

KIND: Final = "rollout"
TYPE: Final = "900.810"  # an event: where a rollout or its wave stands
HALTED: Final = "900.802"
TEXT_MAX: Final = 400
_WELL: Final = frozenset(
    {RolloutState.SCHEDULED, RolloutState.RUNNING, RolloutState.COMPLETED, RolloutState.ABORTED}
    | {RolloutState.AWAITING_APPROVAL, RolloutState.ROLLED_BACK}
)
_HALTS: Final = frozenset({RolloutState.PAUSED, RolloutState.ROLLING_BACK, RolloutState.ABORTING})


def entity_of_rollout(rollout: str) -> str:
    """Return the entity of a rollout: it is the centre's, not a site's."""
    return f"central=roost,rollout={rollout}"


def event_of(head: Head, news: str, now_ms: int) -> NewEvent:
    """Return the event that a piece of news is."""
    is_bad = "failed" in news or head.state not in _WELL
    return NewEvent(
        at_ms=now_ms,
        received_ms=now_ms,
        kind=KIND,
        type=TYPE,
        severity=Severity.WARNING if is_bad else Severity.CLEARED,
        text=f"rollout {head.name} of {head.component} {head.version}: {news}"[:TEXT_MAX],
        site=None,
        node=None,
        entity=entity_of_rollout(head.id),
        params={"rollout": head.id, "state": str(head.state)},
    )


def sign(book: AlarmBook, head: Head) -> None:
    """Raise the alarm of a rollout that stopped by itself, or end it."""
    is_halted = head.state in _HALTS and bool(head.why) and head.pause is not Pause.OPERATOR
    if is_halted:
        params = {"reason": head.why[:TEXT_MAX]}
        book.raise_own(HALTED, entity_of_rollout(head.id), Severity.MAJOR, params)
    else:
        book.clear_own(HALTED, entity_of_rollout(head.id), str(head.state))
