"""What a node tells the centre of the processes that it watches: a state, sent on change.

An item ``host`` of the bulk lane. It stands in place of the one before it; the alarms (200.006) are
told apart, in their own lane.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from roost_protocol.envelope import Count, ShortText
from roost_protocol.limits import ALARM_TEXT_BYTES_MAX, HOST_FAULTS_MAX, HOST_PROCESSES_MAX

Sentence = Annotated[str, Meta(max_length=ALARM_TEXT_BYTES_MAX)]


class ProcessState(StrEnum):
    """How it stands with one process.

    ``starting``: it was told to start, or the agent was, and it is not there yet. ``settling``: it
    runs again, and has not for as long as its debounce says. ``failed``: its restarts are used up,
    or nobody restarts it; its severity counts. ``ignored``: nobody watches it, ``reason`` says why.
    """

    STARTING = "starting"
    RUNNING = "running"
    SETTLING = "settling"
    RESTARTING = "restarting"
    FAILED = "failed"
    IGNORED = "ignored"


class ProcessReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One watched process.

    Attributes:
        mode: how it is watched, such as ``passive`` or ``probe``; ``ignore``: not at all.
        severity: ``minor``, ``major`` or ``critical``: what it is worth once it has failed.
        since_ms: of the state, UTC by the node's clock.
        pid: 0: none is known.
        restarts: how often it began anew since the agent started, whoever did it.
        in_row: of these, since it last ran as long as its debounce says.
        reason: why it is not simply running.
        file: that defines it.
    """

    name: ShortText
    state: ProcessState
    mode: ShortText
    severity: ShortText
    since_ms: Count
    pid: Count = 0
    restarts: Count = 0
    in_row: Count = 0
    reason: Sentence = ""
    file: Sentence = ""


class HostReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One node; the item's ``at_ms`` is when.

    Attributes:
        degrade: why the node is less than it should be: reason, such as ``process``, to severity.
        faults: of files that define processes and were not taken, and of their watching.
    """

    v: int
    processes: Annotated[list[ProcessReport], Meta(max_length=HOST_PROCESSES_MAX)] = []
    degrade: Annotated[dict[ShortText, ShortText], Meta(max_length=16)] = {}
    faults: Annotated[list[Sentence], Meta(max_length=HOST_FAULTS_MAX)] = []
