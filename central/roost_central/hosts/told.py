"""A coordinator's word on its hosts, taken in with the report that brought it, in its transaction.

The report before it is gone then: the history of a host are the events of its transitions.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.alarms.facts import Event as AlarmEvent
from roost_central.fleet.entity import entity_of
from roost_central.hosts import alarms, core
from roost_central.hosts.core import HostsWord, Move, triple_of
from roost_central.storage import hosts, orders
from roost_central.storage.events import NewEvent
from roost_protocol.codec import Decoder
from roost_protocol.host import Avail, HostsReport
from roost_protocol.severity import Severity

KIND: Final = "host"  # of the events that transitions are
TYPE: Final = "200.812"  # an event: one transition of one host

_reports: Final = Decoder[HostsReport](HostsReport)
_BAD: Final = {
    Avail.FAILED: Severity.MAJOR,
    Avail.DEGRADED: Severity.MINOR,
    Avail.OFFLINE: Severity.WARNING,
    Avail.POWER_OFF: Severity.WARNING,
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What a report that counts changed.

    Attributes:
        words: all that count of the site from now on.
        moved: the transitions of its hosts.
        alarms: what is raised and cleared with it.
    """

    words: tuple[HostsWord, ...]
    moved: list[NewEvent]
    alarms: list[AlarmEvent]


async def take_in(
    connection: AsyncConnection, speaker: str, body: bytes, *, at_ms: int, now_ms: int
) -> Taken | None:
    """Keep a report where it counts; return what it changed; None: it does not count.

    Raises:
        ProtocolError: it cannot be read, or nobody may say so.
    """
    report = _reports.decode(body)
    report.check()
    site = speaker.partition(".")[0]
    kept = await hosts.of_site(connection, site)
    taken = core.take(kept, report, speaker, at_ms=at_ms, now_ms=now_ms)
    if taken is None:
        return None
    words, moves = taken
    await hosts.put(connection, site, words)
    moved = [event_of(move, now_ms) for move in moves]
    news = [await _named(connection, each) for each in alarms.news(site, kept, words)]
    return Taken(words, moved, news)


async def forget(connection: AsyncConnection, speaker: str) -> Taken:
    """Drop what a node that is being removed said of its site's hosts; return what that changes.

    Others' words count again then, whatever epoch it claimed.
    """
    site = speaker.partition(".")[0]
    kept = await hosts.of_site(connection, site)
    left = core.without(kept, speaker)
    await hosts.put(connection, site, left)
    return Taken(left, [], alarms.news(site, kept, left))


async def _named(connection: AsyncConnection, event: AlarmEvent) -> AlarmEvent:
    """Give the alarm of a locked host who ordered it: a coordinator knows the state alone."""
    raised = alarms.unnamed(event)
    if raised is None or raised.node is None:
        return event
    order = await orders.last_sent(connection, raised.node, alarms.LOCKS)
    return raised if order is None else alarms.named(raised, order.by, order.reason)


def event_of(move: Move, now_ms: int) -> NewEvent:
    """Return the event that a transition is; the history of a host is made of these."""
    said, site = move.after, move.node.partition(".")[0]
    text = ", ".join(triple_of(said))
    cause = said.cause.removeprefix(f"{said.avail}: ")  # the text says it already
    if move.before is not None:
        text = f"{', '.join(move.before)} -> {text}"
    return NewEvent(
        at_ms=said.since_ms,
        received_ms=now_ms,
        kind=KIND,
        type=TYPE,
        severity=_BAD.get(said.avail, Severity.CLEARED),
        text=f"{text}: {cause}" if cause else text,
        site=site,
        node=move.node,
        entity=entity_of(site, move.node),
        params={
            "admin": said.admin.value,
            "oper": said.oper.value,
            "avail": said.avail.value,
            "was": "" if move.before is None else "/".join(move.before),
            "cause": said.cause,
            "task": said.task,
            "epoch": move.epoch,
            "by": move.by,
        },
    )
