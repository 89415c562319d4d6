"""What ran and what was raised as a node was let go on: what is new since speaks against a release.

Pure. A process that ran then has to run again, and steadily; an alarm of major or worse that is new
is a failure, unless the manifest or the plan expects it, or others judge what it is about.

Design, updates.md section 6.
"""

from collections.abc import Collection, Mapping
from typing import Final, TypeAlias

import msgspec

from roost_agent.alarm_types import BMC_TYPES, HEALTH_TYPES, PROCESS_TYPES
from roost_protocol.host_report import ProcessState

STEADY_MS: Final = 30_000  # of one that was restarted: its debounce may be an hour
WAITS: Final = frozenset({ProcessState.SETTLING, ProcessState.RUNNING})
# Of processes and health scripts the node asks directly; what boards say is of other machines.
JUDGED: Final = PROCESS_TYPES | HEALTH_TYPES | BMC_TYPES
OWN: Final = ("400.", "900.")  # of local HA, which this very job moves about; of updates
Key: TypeAlias = tuple[str, str]  # type, entity


class Baseline(msgspec.Struct, frozen=True):
    """Before the first step that others notice.

    Attributes:
        ran: watched processes that ran.
        alarms: of major or worse that stood.
    """

    ran: tuple[str, ...] = ()
    alarms: tuple[Key, ...] = ()


class Stand(msgspec.Struct, frozen=True):
    """One watched process now: its state, since when (boot clock, ms), and why."""

    state: ProcessState
    since_ms: int
    reason: str = ""


def running(processes: Mapping[str, Stand]) -> tuple[str, ...]:
    """Return which run: only these have to run afterwards."""
    return tuple(name for name, each in processes.items() if each.state in WAITS)


def crashed(before: Baseline, processes: Mapping[str, Stand], now_ms: int) -> str:
    """Return which process that ran before does not run, or not steadily yet; empty: none.

    Args:
        before: see there.
        processes: as they are; one that is not watched any more is nobody's to judge.
        now_ms: the boot clock.
    """
    for name in before.ran:
        one = processes.get(name)
        if one is None or one.state is ProcessState.RUNNING:
            continue
        if one.state is ProcessState.SETTLING and now_ms - one.since_ms >= STEADY_MS:
            continue
        return f"process {name} is {one.state}{f': {one.reason}' if one.reason else ''}"
    return ""


def raised(before: Baseline, alarms: Mapping[Key, str], expected: Collection[str]) -> str:
    """Return which alarm is new since; empty: none.

    Args:
        before: see there.
        alarms: of major or worse that stand, and their texts.
        expected: types that are no failure.
    """
    for key, text in alarms.items():
        type_ = key[0]
        if key in before.alarms or type_ in JUDGED or type_.startswith(OWN) or type_ in expected:
            continue
        return f"alarm {type_} is new: {text}"
    return ""
