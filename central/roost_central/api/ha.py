"""A site's local HA over HTTP: how it stands by its nodes' words, and what it decided."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_central.api.call import Call, NoQuery
from roost_central.api.cursor import page_of, place_of, scope_of
from roost_central.api.events import event_answer
from roost_central.api.ha_answers import (
    HaAnswer,
    HaCell,
    HaGroupAnswer,
    HaHistory,
    HaHost,
    HaLack,
    HaNode,
    HaTurn,
    HaWayAnswer,
)
from roost_central.api.instants import age_s, instant, parse_since
from roost_central.api.lists import LIMIT, LIMIT_MAX, CursorText
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.rows import nodes_of
from roost_central.fleet.availability import GroupOf, HostSaid, groups_of, redundancy_of
from roost_central.fleet.testimony import Lack
from roost_central.fleet.turns import Turn, turns_of
from roost_central.fleet.view import NodeRow, SiteRow
from roost_central.storage import events
from roost_protocol.ha_report import HA_ROLE, HaReport, HaWay
from roost_protocol.patterns import END

KIND: Final = "ha"  # of the events that local HA's decisions are
TURNS_ROWS_MAX: Final = 500  # changes of role that are looked through for the present turns


class HistoryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which decisions, newest first; ``roles`` are the changes of role alone."""

    what: Annotated[str, Meta(pattern="^(roles|all)" + END, description="roles or all")] = "roles"
    since: Annotated[str, Meta(max_length=40, description="RFC 3339, or a span such as 7d")] = "30d"
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT
    cursor: CursorText = ""


async def show_ha(call: Call[NoQuery, None]) -> HaAnswer:
    """GET /api/v1/sites/{site}/ha."""
    site = _site(call)
    speakers = [node for node in nodes_of(site, call.api.view) if node.ha is not None]
    latest = max(speakers, key=lambda node: node.ha_at_ms or 0, default=None)
    turns: list[Turn] = []
    if speakers:
        query = events.EventQuery(site=site.site, kind=KIND, type=HA_ROLE)
        async with call.api.database.read() as connection:
            found = await events.page(connection, query, limit=TURNS_ROWS_MAX)
        turns = turns_of(reversed(found))
    said = latest.ha if latest is not None else None
    return HaAnswer(
        site=site.site,
        redundancy=redundancy_of(site, call.api.view),
        profile=said.profile if said else "",
        voters=said.voters if said else [],
        sticky=said.sticky if said else False,
        groups=[_group(group, turns, call.now_ms) for group in groups_of(speakers)],
        nodes=[_node(node, node.ha, call.now_ms) for node in speakers if node.ha is not None],
        ways=[_way(way) for way in (said.ways if said else [])],
        matrix=[cell for node in speakers if node.ha for cell in _cells(node.name, node.ha)],
    )


async def list_history(call: Call[HistoryQuery, None]) -> HaHistory:
    """GET /api/v1/sites/{site}/ha/history."""
    site, asked = _site(call), call.query
    since_ms = parse_since(asked.since, call.now_ms)
    if since_ms is None:
        detail = "is not a time such as 2026-11-01T03:00:00Z or 7d"
        raise blame("bad-parameter", FieldError(field="since", code="invalid", detail=detail))
    scope = scope_of("ha", site.site, asked.what)
    before = place_of(asked.cursor, scope=scope)
    query = events.EventQuery(
        site=site.site,
        kind=KIND,
        type=HA_ROLE if asked.what == "roles" else None,
        since_ms=since_ms,
    )
    async with call.api.database.read() as connection:
        found = await events.page(connection, query, before=before, limit=asked.limit + 1)
    shown, following = page_of(found, asked.limit, scope=scope)
    newest_first = sorted(shown, key=lambda record: (record.at_ms, record.seq), reverse=True)
    return HaHistory(  # a page is of what came last; each node tells at its own time
        items=[event_answer(record) for record in newest_first],
        turns=[_turn(turn) for turn in turns_of(reversed(shown))],
        next=following,
    )


def _site(call: Call[NoQuery, None] | Call[HistoryQuery, None]) -> SiteRow:
    row = call.api.view.sites.get(call.path("site"))
    if row is None:
        raise ApiError("not-found", f"there is no site {call.path('site')[:80]!r}")
    return row


def _group(group: GroupOf, turns: Sequence[Turn], now_ms: int) -> HaGroupAnswer:
    turn = next(
        (each for each in turns if (each.group, each.epoch) == (group.name, group.epoch)), None
    )
    return HaGroupAnswer(
        group=group.name,
        model=group.model,
        active=list(group.active),
        epoch=group.epoch,
        standby=list(group.standby),
        redundancy=group.redundancy,
        lacks=[_lack(each, now_ms) for each in group.lacks],
        since=None if turn is None else instant(turn.begin_ms),
        why=None if turn is None else turn.why,
        hosts=[_host(host) for host in group.hosts],
    )


def _host(host: HostSaid) -> HaHost:
    said = None if host.outdated else host.said
    return HaHost(
        node=host.node,
        role=None if said is None else str(said.role),
        why_not=host.outdated if said is None else said.bar,
        state="" if said is None else said.state,
        services={} if said is None else said.services,
    )


def _lack(lack: Lack, now_ms: int) -> HaLack:
    return HaLack(
        node=lack.node,
        why=lack.why,
        since=instant(lack.since_ms),
        age_s=age_s(lack.since_ms, now_ms),
    )


def _node(row: NodeRow, report: HaReport, now_ms: int) -> HaNode:
    return HaNode(
        node=row.name,
        presence=row.presence,
        as_of=instant(row.ha_at_ms),
        age_s=age_s(row.ha_at_ms, now_ms),
        heard=instant(row.heard_ms),
        heard_age_s=age_s(row.heard_ms, now_ms),
        is_voter=row.name in report.voters,
        has_quorum=report.has_quorum,
        health=report.health,
        redundancy=report.redundancy,
        cfgver=report.cfgver,
        faults=report.faults,
    )


def _way(way: HaWay) -> HaWayAnswer:
    return HaWayAnswer(name=way.name, network=way.network, driver=way.driver, broker=way.broker)


def _cells(name: str, report: HaReport) -> list[HaCell]:
    ways = {str(number): way.name for number, way in enumerate(report.ways)}
    return [
        HaCell(
            node=name,
            peer=peer.node,
            state=peer.state,
            since=instant(peer.since_ms),
            paths={ways.get(number, number): state for number, state in peer.paths.items()},
        )
        for peer in report.peers
    ]


def _turn(turn: Turn) -> HaTurn:
    return HaTurn(
        group=turn.group,
        node=turn.node,
        epoch=turn.epoch,
        begin=instant(turn.begin_ms),
        end=instant(turn.end_ms),
        told=turn.is_told,
        why=turn.why,
    )
