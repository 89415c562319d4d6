"""What the query language reads of an alarm: for lists, shelves and suppressions alike."""

from collections.abc import Callable, Mapping
from typing import Final

from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.row import AlarmRow
from roost_central.fleet.fields import ANY_KEY
from roost_central.fleet.query import parse
from roost_central.fleet.query_match import Getter, Resolver
from roost_central.fleet.view import FleetView

NO_LABELS: Final[Mapping[str, str]] = {}


def alarm_resolver(view: FleetView, catalogue: Catalogue) -> Resolver[AlarmRow]:
    """Return the getters of an alarm; it answers for its site as it is now."""
    plain: dict[str, Getter[AlarmRow]] = {
        "sev": lambda row: row.severity.word,
        "type": lambda row: row.type,
        "name": lambda row: catalogue.record(row.type).name,
        "cause": lambda row: catalogue.record(row.type).cause,
        "site": lambda row: row.site,
        "node": lambda row: row.node,
        "entity": lambda row: row.entity,
        "state": lambda row: row.state,
        "op": lambda row: row.op_state,
        "age": lambda row: row.raised_ms,
        "raised": lambda row: row.raised_ms,
        "count": lambda row: row.count,
        "flapping": lambda row: row.flapping,
        "incident": lambda row: row.incident or None,
        "explained": lambda row: row.explained,
        "masked": lambda row: bool(row.masked_by),
        "shelved": lambda row: row.shelf is not None,
        "suppressed": lambda row: bool(row.suppressed_by),
        "mgmt": lambda row: row.severity >= catalogue.record(row.type).mgmt_affecting,
        "owner": lambda row: row.assignee or None,
        "late": lambda row: row.late,
        "text": lambda row: row.text,
    }

    def resolve(name: str, key: str | None) -> Getter[AlarmRow] | None:
        if name == "label":
            return lambda row: _label(labels_of(view, row), key)
        if name == "status":
            return lambda row: _status(view, row)
        return plain.get(name)

    return resolve


def labels_of(view: FleetView, row: AlarmRow) -> Mapping[str, str]:
    """Return the labels of an alarm's site, and of its node where that has its own."""
    site, node = view.sites.get(row.site or ""), view.nodes.get(row.node or "")
    labels = site.labels if site else NO_LABELS
    return labels if node is None or not node.labels else {**labels, **node.labels}


def matcher(query: str, view: FleetView, catalogue: Catalogue) -> Callable[[AlarmRow, int], bool]:
    """Return the test of a query that was accepted before.

    Raises:
        QueryError: it was not.
    """
    parsed = parse(query)
    parsed.require_available("alarm")
    return parsed.compile(alarm_resolver(view, catalogue))


def _label(
    labels: Mapping[str, str], key: str | None
) -> str | list[str | int | float | None] | None:
    return list(labels.values()) if key == ANY_KEY else labels.get(key or "")


def _status(view: FleetView, row: AlarmRow) -> str | None:
    site = view.sites.get(row.site or "")
    return site.status if site else None
