"""How the query language reads rows of the fleet: a getter for each field, chosen once per query.

Leaves the language to fleet/query.py. A field that no reader here has is unknown of such rows;
which fields belong to which rows is fleet/fields.py's business, and asked before.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.rows import path_heard_ms
from roost_central.fleet.availability import redundancy_of, role_of
from roost_central.fleet.fields import ANY_KEY, SEVERITIES, Carrier
from roost_central.fleet.query import Query, QueryError, parse
from roost_central.fleet.query_match import Getter, Resolver, Value
from roost_central.fleet.view import FleetView, NodeRow, PathRow, SiteRow
from roost_central.storage.events import EventRecord

NodePath: TypeAlias = tuple[NodeRow, PathRow]


def parse_filter(text: str, on: Carrier) -> Query:
    """Return the query in ``filter=``.

    Raises:
        ApiError: ``bad-filter``, with the place in the text and what may have been meant.
    """
    try:
        query = parse(text)
        query.require_available(on)
    except QueryError as err:
        raise bad_filter(err) from None
    return query


def bad_filter(err: QueryError) -> ApiError:
    """Return the refusal of a filter."""
    return blame(
        "bad-filter",
        FieldError(
            field="filter",
            code=err.code,
            detail=err.message,
            offset=err.offset,
            length=err.length,
            suggestion=err.suggestion,
        ),
    )


def site_resolver(view: FleetView) -> Resolver[SiteRow]:
    """Return the getters of a site; what belongs to its nodes is the list of their values."""
    nodes = view.nodes

    def of_nodes(get: Callable[[NodeRow], str | None]) -> Getter[SiteRow]:
        return lambda row: [get(nodes[node]) for node in row.nodes]

    def heard_ms(row: SiteRow) -> Value:
        return max((nodes[node].heard_ms or 0 for node in row.nodes), default=0) or None

    plain: dict[str, Getter[SiteRow]] = {
        "site": lambda row: row.site,
        "name": lambda row: row.site,
        "node": lambda row: list(row.nodes),
        "lat": lambda row: row.lat,
        "lon": lambda row: row.lon,
        "status": lambda row: row.status,
        "shard": lambda row: row.shard,
        "nodes": lambda row: len(row.nodes),
        "age": heard_ms,
        "presence": of_nodes(lambda node: node.presence),
        "release": of_nodes(lambda node: node.agent),
        "redundancy": lambda row: redundancy_of(row, view),
        "ha": of_nodes(role_of),
    }

    def resolve(name: str, key: str | None) -> Getter[SiteRow] | None:
        if name == "label":
            return lambda row: _label(row.labels, key)
        if name == "path":
            return lambda row: [
                state for node in row.nodes for state in _states(nodes[node].paths, key)
            ]
        return plain.get(name)

    return resolve


def node_resolver(view: FleetView) -> Resolver[NodeRow]:
    """Return the getters of a node; it answers for its site as well."""
    sites = view.sites
    of_site = _site_getters(view)
    plain: dict[str, Getter[NodeRow]] = {
        "node": lambda row: row.node,
        "name": lambda row: row.name,
        "presence": lambda row: row.presence,
        "age": lambda row: row.heard_ms,
        "release": lambda row: row.agent,
        "boot-age": _booted_ms,
        "ha": role_of,
        **{name: _through(get, sites) for name, get in of_site.items()},
    }

    def resolve(name: str, key: str | None) -> Getter[NodeRow] | None:
        if name == "label":
            return lambda row: _label(sites[row.site].labels, key)
        if name == "path":
            return lambda row: _states(row.paths, key)
        return plain.get(name)

    return resolve


def path_resolver(view: FleetView) -> Resolver[NodePath]:
    """Return the getters of a path; it answers for its node and site as well."""
    of_node = node_resolver(view)

    def resolve(name: str, key: str | None) -> Getter[NodePath] | None:
        if name == "path":
            return lambda row: row[1].state if key in {row[1].name, ANY_KEY} else None
        if name == "age":
            return lambda row: path_heard_ms(row[1])
        get = of_node(name, key)
        return None if get is None else lambda row: get(row[0])

    return resolve


_SITE_FIELDS: Final = ("site", "status", "lat", "lon", "shard", "redundancy")


def _site_getters(view: FleetView) -> dict[str, Getter[SiteRow]]:
    resolve = site_resolver(view)
    found = {name: resolve(name, None) for name in _SITE_FIELDS}
    return {name: get for name, get in found.items() if get is not None}


def _through(get: Getter[SiteRow], sites: Mapping[str, SiteRow]) -> Getter[NodeRow]:
    return lambda row: get(sites[row.site])


def _booted_ms(row: NodeRow) -> Value:
    if row.heard_ms is None or row.uptime_s is None:
        return None
    return row.heard_ms - row.uptime_s * 1000


def _label(labels: Mapping[str, str], key: str | None) -> Value:
    return list(labels.values()) if key == ANY_KEY else labels.get(key or "")


def _states(paths: Mapping[str, PathRow], key: str | None) -> list[str | int | float | bool | None]:
    if key == ANY_KEY:
        return [path.state for path in paths.values()]
    found = paths.get(key or "")
    return [] if found is None else [found.state]


def event_resolver(view: FleetView) -> Resolver[EventRecord]:
    """Return the getters of an event; it answers for its site as it is now."""
    plain: dict[str, Getter[EventRecord]] = {
        "site": lambda event: event.site,
        "node": lambda event: event.node,
        "type": lambda event: event.type,
        "kind": lambda event: event.type,  # not the record's kind: `type` as it was called first
        "sev": lambda event: SEVERITIES[event.severity],
        "entity": lambda event: event.entity,
        "text": lambda event: event.text,
        "at": lambda event: event.at_ms,
    }

    def labels(event: EventRecord) -> Mapping[str, str]:
        site = view.sites.get(event.site or "")
        return site.labels if site else {}

    def status(event: EventRecord) -> str | None:
        site = view.sites.get(event.site or "")
        return site.status if site else None

    def resolve(name: str, key: str | None) -> Getter[EventRecord] | None:
        if name == "label":
            return lambda event: _label(labels(event), key)
        return status if name == "status" else plain.get(name)

    return resolve
