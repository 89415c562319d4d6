"""How the query language reads rows of the fleet: a getter for each field, chosen once per query.

Leaves the language to fleet/query.py. A field that no reader here has is unknown of such rows;
which fields belong to which rows is fleet/fields.py's business, and asked before.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, TypeVar

from roost_central.alarms.row import AlarmRow
from roost_central.api.alarm_sight import AlarmSight
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.rows import path_heard_ms
from roost_central.fleet.availability import redundancy_of, role_of
from roost_central.fleet.fields import ANY_KEY, INVENTORY, SEVERITIES, Carrier
from roost_central.fleet.query import Query, QueryError, parse
from roost_central.fleet.query_match import Getter, Resolver, Scalar, Value
from roost_central.fleet.sync import sync_of, worst
from roost_central.fleet.view import FleetView, NodeRow, PathRow, SiteRow
from roost_central.hosts.shown import in_maintenance, reasons, shown
from roost_central.storage.events import EventRecord

R = TypeVar("R")

NodePath: TypeAlias = tuple[NodeRow, PathRow]


def parse_filter(text: str, on: Carrier, field: str = "filter") -> Query:
    """Return the query in ``filter=``, or in another ``field``.

    Raises:
        ApiError: ``bad-filter``, with the place in the text and what may have been meant.
    """
    try:
        query = parse(text)
        query.require_available(on)
    except QueryError as err:
        raise bad_filter(err, field) from None
    return query


def parse_criteria(text: str, on: Carrier) -> Query:
    """Return a query that is asked again and again: of what this process has at hand.

    Raises:
        ApiError: ``bad-filter``, as ``parse_filter``; ``not-here`` for the inventory.
    """
    query = parse_filter(text, on)
    for use in query.uses:
        if use.field.name.startswith(INVENTORY):
            message = f'"{use.field.name}" is a field of lists: the inventory is not at hand here'
            raise bad_filter(QueryError("not-here", message, span=use.span))
    return query


def bad_filter(err: QueryError, field: str = "filter") -> ApiError:
    """Return the refusal of a filter, or of another parameter in the query language."""
    return blame(
        "bad-filter",
        FieldError(
            field=field,
            code=err.code,
            detail=err.message,
            offset=err.offset,
            length=err.length,
            suggestion=err.suggestion,
        ),
    )


def site_resolver(sight: AlarmSight) -> Resolver[SiteRow]:
    """Return the getters of a site; what belongs to its nodes is the list of their values."""
    view = sight.view
    nodes = view.nodes

    def of_nodes(get: Callable[[NodeRow], Value]) -> Getter[SiteRow]:
        return lambda row: [_one(get(nodes[node])) for node in row.nodes]

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
        "managed": lambda row: row.managed,
        "sync": lambda row: worst(sync_of(row, view, sight.types_of(row.site)).values()),
        "ha": of_nodes(role_of),
        **{name: of_nodes(get) for name, get in _DESIRED.items()},
        "profile": lambda row: [name for node in row.nodes for name in nodes[node].config.profiles],
        **{name: of_nodes(get) for name, get in _host_getters(sight).items()},
        "degrade": lambda row: [why for node in row.nodes for why in reasons(nodes[node])],
        **_alarm_getters(sight, lambda row: sight.open_of(row.site)),
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


def node_resolver(sight: AlarmSight) -> Resolver[NodeRow]:
    """Return the getters of a node; it answers for its site as well."""
    sites = sight.view.sites
    of_site = _site_getters(sight)

    def alarms(row: NodeRow) -> list[AlarmRow]:
        return [alarm for alarm in sight.open_of(row.site) if alarm.node == row.node]

    plain: dict[str, Getter[NodeRow]] = {
        "node": lambda row: row.node,
        "name": lambda row: row.name,
        "presence": lambda row: row.presence,
        "age": lambda row: row.heard_ms,
        "release": lambda row: row.agent,
        "boot-age": _booted_ms,
        "enrolled": lambda row: row.enrolled_ms,
        "ha": role_of,
        **_host_getters(sight),
        "degrade": lambda row: [*reasons(row)],
        **_DESIRED,
        **{name: _through(get, sites) for name, get in of_site.items()},
        **_alarm_getters(sight, alarms),
    }

    def resolve(name: str, key: str | None) -> Getter[NodeRow] | None:
        if name == "label":
            return lambda row: _label(
                sites[row.site].labels | row.labels if row.labels else sites[row.site].labels, key
            )
        if name == "path":
            return lambda row: _states(row.paths, key)
        return plain.get(name)

    return resolve


def path_resolver(sight: AlarmSight) -> Resolver[NodePath]:
    """Return the getters of a path; it answers for its node and site as well."""
    of_node = node_resolver(sight)

    def resolve(name: str, key: str | None) -> Getter[NodePath] | None:
        if name == "path":
            return lambda row: row[1].state if key in {row[1].name, ANY_KEY} else None
        if name == "age":
            return lambda row: path_heard_ms(row[1])
        get = of_node(name, key)
        return None if get is None else lambda row: get(row[0])

    return resolve


_SITE_FIELDS: Final = ("site", "status", "lat", "lon", "shard", "redundancy", "managed", "sync")


def _outofdate(row: NodeRow) -> bool | None:
    state = row.config.state
    return None if state == "none" else state != "in-sync"


_DESIRED: Final[Mapping[str, Getter[NodeRow]]] = {
    "profile": lambda row: row.config.profiles,
    "config": lambda row: row.config.state,
    "outofdate": _outofdate,
    "generation": lambda row: row.config.desired_gen,
    "drift": lambda row: row.config.drift,
    "pending-reboot": lambda row: row.config.pending_reboot,
}


def _host_getters(sight: AlarmSight) -> dict[str, Getter[NodeRow]]:
    """Return what a node tells of its state as a host; unknown where nobody ever spoke of it."""
    view, clock = sight.view, sight.book.clock

    def state(name: str) -> Getter[NodeRow]:
        def get(row: NodeRow) -> str | None:
            found = shown(row, view)
            return None if found is None else str(getattr(found, name))

        return get

    def maintenance(row: NodeRow) -> bool | None:
        return None if row.host is None else in_maintenance(row, clock.wall_ms())

    return {name: state(name) for name in ("admin", "oper", "avail")} | {"maintenance": maintenance}


def _one(value: Value) -> Scalar | None:
    """Return a value that is no list: of the fields of several nodes none is."""
    return None if isinstance(value, list | tuple) else value


def _alarm_getters(
    sight: AlarmSight, alarms: Callable[[R], list[AlarmRow]]
) -> dict[str, Getter[R]]:
    """Return what a row tells of the open alarms that it has."""
    catalogue = sight.book.catalogue

    def worst(row: R) -> str | None:
        found = max((alarm.severity for alarm in alarms(row)), default=None)
        return None if found is None else found.word

    return {
        "sev": worst,
        "alarm.type": lambda row: [alarm.type for alarm in alarms(row)],
        "alarm.name": lambda row: [catalogue.record(alarm.type).name for alarm in alarms(row)],
    }


def _site_getters(sight: AlarmSight) -> dict[str, Getter[SiteRow]]:
    resolve = site_resolver(sight)
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
