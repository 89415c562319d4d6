"""What becomes of a staged change, in the event log and among the alarms."""

from typing import Final

from roost_central.staged.core import StagedChange, State
from roost_central.storage.events import NewEvent
from roost_protocol.severity import Severity

KIND: Final = "config"
TYPE: Final = "250.811"  # an event: where a staged change stands
STOPPED_TYPE: Final = "250.803"
_WELL: Final = frozenset({State.RUNNING, State.DONE})


def entity_of_change(change: StagedChange) -> str:
    """Return the entity of a change: it is the centre's, not a site's."""
    return f"central=roost,change={change.id}"


def event_of(change: StagedChange, now_ms: int) -> NewEvent:
    """Return the event of where a change stands now."""
    groups = len(change.sizes)
    stage = min(change.stage + 1, groups)
    names = ", ".join(sorted(change.profiles))[:200]
    text = f"change {change.id} of {names}: {change.state}, group {stage} of {groups}"
    if change.why:
        text += f", {change.why}"
    return NewEvent(
        at_ms=now_ms,
        received_ms=now_ms,
        kind=KIND,
        type=TYPE,
        severity=Severity.CLEARED if change.state in _WELL else Severity.WARNING,
        text=text,
        site=None,
        node=None,
        entity=entity_of_change(change),
        params={"change": change.id, "state": str(change.state), "group": stage},
    )
