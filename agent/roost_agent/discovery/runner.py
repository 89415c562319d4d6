"""Runs probes one after the other, each under a deadline, and makes the document of them.

Leaves confining the process and writing the document to ``command``.

Invariants:
- one class that raises or hangs costs no other: its own section is empty and says why;
- a run ends within its deadline, whatever hangs; a thread stuck in the kernel is left behind, so
  the process must end with ``os._exit`` when ``is_stuck``.
"""

import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Final

from roost_agent.discovery.bounds import bound
from roost_agent.discovery.reader import Reader, reason_of
from roost_agent.discovery.registry import Probe
from roost_agent.discovery.section import PROBE_ERROR, TIMEOUT, Section
from roost_agent.ports import Clock
from roost_protocol.limits import INVENTORY_SECTIONS_MAX

DOCUMENT_VERSION: Final = 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long probing may take; inventory.md, rule 5."""

    class_ms: int = 5_000  # one class: a disk that answers at all answers by then
    run_ms: int = 30_000  # all classes: the parent kills the child soon after


DEADLINES: Final = Deadlines()


@dataclass(frozen=True, slots=True)
class Run:
    """What a run found.

    Attributes:
        document: ``{"v", "sections": {name: {"items", "missing", "as_of_ms", "cost_ms"}}}``; a
            section that did not fit the wire's limits also has ``dropped``, a count.
        is_stuck: a probe passed its deadline and its thread may still hang.
    """

    document: dict[str, Any]
    is_stuck: bool


def run_probes(
    reader: Reader,
    probes: Mapping[str, Probe],
    clock: Clock,
    deadlines: Deadlines = DEADLINES,
) -> Run:
    """Run each probe in turn in a thread of its own executor and collect their sections."""
    if len(probes) > INVENTORY_SECTIONS_MAX:
        raise ValueError(f"{len(probes)} classes, at most {INVENTORY_SECTIONS_MAX} in a document")
    executor = ThreadPoolExecutor(max_workers=max(1, len(probes)), thread_name_prefix="probe")
    sections: dict[str, dict[str, Any]] = {}
    is_stuck = False
    end_ms = clock.mono_ms() + deadlines.run_ms
    try:
        for name, probe in probes.items():
            as_of_ms, start_ms = clock.wall_ms(), clock.mono_ms()
            left_ms = min(deadlines.class_ms, end_ms - start_ms)
            if left_ms > 0:
                future = executor.submit(probe, reader)
                wait([future], timeout=left_ms / 1_000)
                section = _outcome(name, future)
                is_stuck = is_stuck or not future.done()
            else:
                section = Section.empty(TIMEOUT)
            cost_ms = clock.mono_ms() - start_ms
            sections[name] = _entry(section, as_of_ms=as_of_ms, cost_ms=cost_ms)
    finally:
        executor.shutdown(wait=False)
    return Run({"v": DOCUMENT_VERSION, "sections": sections}, is_stuck)


def _outcome(name: str, future: Future[Section]) -> Section:
    """Return the probe's section, or an empty one with the reason it has none."""
    if not future.done():
        _log.warning("class %s is empty: its probe passed the deadline", name)
        return Section.empty(TIMEOUT)
    failure = future.exception()
    if failure is None:
        return future.result()
    _log.error("class %s is empty: its probe failed", name, exc_info=failure)
    return Section.empty(reason_of(failure) if isinstance(failure, OSError) else PROBE_ERROR)


def _entry(section: Section, *, as_of_ms: int, cost_ms: int) -> dict[str, Any]:
    fitted, dropped = bound(section)
    entry: dict[str, Any] = {
        "items": fitted.items,
        "missing": fitted.missing,
        "as_of_ms": as_of_ms,
        "cost_ms": cost_ms,
    }
    if dropped:
        entry["dropped"] = dropped
    return entry
