"""What a node reports while a human has to choose about it: kept apart, applied nowhere.

Of two boxes with one identity nobody knows which tells the truth, so neither changes the fleet's
alarms, inventory or events. Their words are receipted all the same: a node must not lose what it
has to say, nor fill its disk. Once it is let out, its beats' digests bring alarms and inventory.
A node on probation after its certificate ended is itself, and is applied: it has to be seen well.
"""

from typing import TYPE_CHECKING, Final

from roost_central.enrol.states import SHUT
from roost_central.storage.held_items import NewHeldItem
from roost_protocol.alarm import Alarm, Event
from roost_protocol.codec import Decoder, unpack
from roost_protocol.envelope import Item, ItemKind, Report
from roost_protocol.errors import ProtocolError

if TYPE_CHECKING:
    from roost_central.fleet.view import NodeRow

_events: Final = Decoder[Event](Event)
_alarms: Final = Decoder[Alarm](Alarm)


def is_shut(row: "NodeRow | None") -> bool:
    """Return whether a human has to choose about a node before its reports count."""
    return row is not None and row.quarantine in SHUT


def held_items(report: Report, *, now_ms: int) -> list[NewHeldItem]:
    """Return the items of a report as they are kept apart.

    Args:
        report: in order, of a node that is shut.
        now_ms: UTC.
    """
    return [
        NewHeldItem(
            node=report.node,
            received_ms=now_ms,
            at_ms=item.at_ms,
            boot_id=report.boot_id,
            incarnation=report.incarnation,
            lane=report.lane.value,
            item_seq=item.seq,
            kind=item.kind.value,
            text=_words(item),
            body=item.body,
        )
        for item in report.items
    ]


def _words(item: Item) -> str:
    """Return what an item says in one line; empty where it is a document."""
    try:
        if item.kind is ItemKind.EVENT:
            event = _events.decode(unpack(item.body, compressed=item.compressed))
            return f"{event.type} {event.severity.word}: {event.text}"
        if item.kind is ItemKind.ALARM:
            alarm = _alarms.decode(unpack(item.body, compressed=item.compressed))
            return f"{alarm.type} {alarm.change.value} {alarm.severity.word}: {alarm.text}"
    except ProtocolError as err:
        return f"cannot be read: {err}"
    return ""
