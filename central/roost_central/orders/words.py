"""What an order's end is in the event log."""

from typing import Final

from roost_central.fleet.entity import entity_of
from roost_central.orders.core import OrderRecord, State
from roost_central.storage.events import NewEvent
from roost_protocol.order_verbs import VERBS
from roost_protocol.severity import Severity

KIND: Final = "order"
TYPE: Final = "200.810"  # an event: how an order to a node ended
FORGED: Final = "200.811"  # an event: an order that is none of ours
_WELL: Final = frozenset({State.TAKEN, State.DONE, State.CANCELLED})


def is_news(record: OrderRecord) -> bool:
    """Say whether where an order stands is worth an event.

    What the centre orders by itself is tens of thousands for one change of profiles, and tells of
    its success elsewhere (delivery/told.py).
    """
    return VERBS[record.verb].is_by_hand or record.state not in _WELL


def event_of(record: OrderRecord, now_ms: int) -> NewEvent:
    """Return the event of where an order stands now."""
    who = f"{record.by} and {record.approved_by}" if record.approved_by else record.by
    text = f"order {record.verb} by {who}: {record.state}"
    if record.text:
        text += f", {record.text}"
    return NewEvent(
        at_ms=now_ms,
        received_ms=now_ms,
        kind=KIND,
        type=TYPE,
        severity=Severity.CLEARED if record.state in _WELL else Severity.WARNING,
        text=text,
        site=record.site,
        node=record.node,
        entity=entity_of(record.site, record.node),
        params={
            "order": record.id, "verb": record.verb, "state": str(record.state),
            "code": record.code,
        },
    )  # fmt: skip


def forged_event(node: str, order_id: str, text: str, now_ms: int) -> NewEvent:
    """Return the event of an order that a node refused, and that nobody here sent to it."""
    site = node.partition(".")[0]
    return NewEvent(
        at_ms=now_ms,
        received_ms=now_ms,
        kind=KIND,
        type=FORGED,
        severity=Severity.MAJOR,
        text=f"refused an order that this centre did not send to it: {text}",
        site=site,
        node=node,
        entity=entity_of(site, node),
        params={"order": order_id},
    )
