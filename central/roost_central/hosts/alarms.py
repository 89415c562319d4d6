"""What a coordinator's word on its hosts means for the alarms. Pure.

The alarms of source ``site`` are the centre's to raise: a coordinator tells states, and another one
may tell the next (faults.md). Of each report that counts only what became other is told.

Invariants: what stands is what the words that count say; who locked a host, and why, is kept when
its cause is another later; a host in maintenance has no alarm of silence or failure (the end of a
window is a word of its own).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from roost_central.alarms.facts import Event, OwnCleared, OwnRaised
from roost_central.fleet.entity import entity_of
from roost_central.hosts.core import HostsWord, HostWord, words_of
from roost_protocol.host import Admin, Avail
from roost_protocol.host_verbs import HostForceLock, HostLock
from roost_protocol.severity import Severity

if TYPE_CHECKING:
    from roost_protocol.alarm import Scalar

LOCKED: Final = "200.001"
FAILED: Final = "200.004"
HEARTBEAT: Final = "200.005"
EXHAUSTED: Final = "200.801"
MANY_SILENT: Final = "200.802"
EXHAUSTED_TASK: Final = "recovery threshold reached"  # words of the node (agent/host/core.py)
WAIT_TASK: Final = "graceful recovery wait"
NOBODY: Final = "somebody"  # the cause of a locked host is of what came after its lock
LOCKS: Final = (HostLock.verb, HostForceLock.verb)
LOST: Final = "its heartbeat is lost"  # a cause begins so where the heartbeat failed the host
HEARTBEAT_REASON: Final = "heartbeat-ha"  # of one path alone each node tells 400.005 itself
_BY: Final = re.compile(r"locked by (.{1,64}?): (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Stands:
    """One alarm that the words of a site say is there."""

    severity: Severity
    params: Mapping[str, "Scalar"]
    node: str | None


def news(site: str, before: Iterable[HostsWord], after: Iterable[HostsWord]) -> list[Event]:
    """Return what is raised and cleared with the words that count of a site from now on."""
    was, now = _stand(site, before), _stand(site, after)
    events: list[Event] = [
        OwnCleared(type_, entity) for type_, entity in sorted(was.keys() - now.keys())
    ]
    for (type_, entity), each in now.items():
        old = was.get((type_, entity))
        if old == each or (old is not None and _says_less(type_, each)):
            continue
        events.append(
            OwnRaised(type_, entity, each.severity, each.params, site=site, node=each.node)
        )
    return events


def named(event: OwnRaised, by: str, reason: str) -> OwnRaised:
    """Return the alarm of a locked host with who locked it."""
    return replace(event, params={"by": by, "reason": reason})


def unnamed(event: Event) -> OwnRaised | None:
    """Return the alarm of a locked host of which its report does not say who did it, else None."""
    if isinstance(event, OwnRaised) and event.type == LOCKED and event.params["by"] == NOBODY:
        return event
    return None


def _stand(site: str, words: Iterable[HostsWord]) -> dict[tuple[str, str], _Stands]:
    kept = tuple(words)
    found = {
        (type_, entity_of(site, node)): stands
        for node, word in words_of(kept).items()
        for type_, stands in _of_host(node, word)
    }
    silent = [word.report for word in kept if word.report.is_mnfa]
    if silent:
        count = sum(each.task == WAIT_TASK for report in silent for each in report.hosts)
        params: dict[str, Scalar] = {"count": max(count, 2)}
        found[MANY_SILENT, entity_of(site, None)] = _Stands(Severity.MAJOR, params, None)
    return found


def _of_host(node: str, word: HostWord) -> Iterator[tuple[str, _Stands]]:
    said = word.said
    cause = said.cause or "no cause was told"
    if said.admin is Admin.LOCKED and said.avail is not Avail.NOT_INSTALLED:
        yield LOCKED, _Stands(Severity.WARNING, _who(said.cause), node)
    if said.task == EXHAUSTED_TASK:
        yield EXHAUSTED, _Stands(Severity.CRITICAL, {"cause": cause}, node)
    if said.maintenance_until_ms:
        return  # somebody works on it: its state is shown, and nobody is called for it
    is_dead = said.avail is Avail.POWER_OFF and said.admin is Admin.UNLOCKED
    if said.avail is Avail.FAILED or is_dead:
        task = said.task or "no recovery is under way"
        yield FAILED, _Stands(Severity.CRITICAL, {"cause": cause, "task": task}, node)
    if said.avail is Avail.FAILED and cause.startswith(LOST):
        yield HEARTBEAT, _Stands(Severity.CRITICAL, {"cause": cause}, node)
    elif HEARTBEAT_REASON in said.reasons:
        yield HEARTBEAT, _Stands(Severity.MAJOR, {"cause": cause}, node)


def _who(cause: str) -> dict[str, "Scalar"]:
    """Return who locked a host and why, by its cause; nobody where the cause is of later."""
    found = _BY.fullmatch(cause)
    if found is None:
        return {"by": NOBODY, "reason": cause or "no cause was told"}
    return {"by": found[1], "reason": found[2]}


def _says_less(type_: str, each: _Stands) -> bool:
    """Say whether what stands already says who locked the host, and this does not."""
    return type_ == LOCKED and each.params["by"] == NOBODY
