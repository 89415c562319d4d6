"""Hosts over HTTP: their states, transitions, and what a coordinator heard of them."""

from dataclasses import replace

import msgspec
from aiohttp import web

from roost_central.api.alarm_sight import AlarmSight
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.cursor import page_of, place_of, scope_of
from roost_central.api.events import PageQuery
from roost_central.api.host_answers import (
    EvidenceAnswer,
    EvidencePage,
    HostAnswer,
    HostHistory,
    MoveAnswer,
    ReasonAnswer,
    TripleAnswer,
)
from roost_central.api.instants import age_s, instant
from roost_central.api.listing import Listing
from roost_central.api.lists import ListQuery, answer_list, nodes_listing
from roost_central.api.named_node import named_node
from roost_central.fleet.entity import entity_of
from roost_central.fleet.view import FleetView, NodeRow
from roost_central.hosts.alarms import LOCKED
from roost_central.hosts.shown import Shown, shown
from roost_central.hosts.told import KIND
from roost_central.storage import events, hosts
from roost_central.storage.events import EventRecord, Scalars
from roost_protocol.entity import key_id
from roost_protocol.host import Admin


async def list_hosts(call: Call[ListQuery, None]) -> Reply | web.StreamResponse:
    """GET /api/v1/hosts."""
    return await answer_list(call, hosts_listing(call.api.alarms), call.api.order.nodes())


async def show_host(call: Call[NoQuery, None]) -> HostAnswer:
    """GET /api/v1/nodes/{node}/host."""
    row = named_node(call)
    answer = host_answer(row, call.api.view, call.now_ms)
    alarm = call.api.book.find(key_id(LOCKED, entity_of(row.site, row.node)))
    if answer.admin != Admin.LOCKED or alarm is None or not alarm.is_open:
        return answer
    by, why = str(alarm.params.get("by", "")), str(alarm.params.get("reason", ""))
    return msgspec.structs.replace(answer, locked_by=by, locked_why=why)


async def list_moves(call: Call[PageQuery, None]) -> HostHistory:
    """GET /api/v1/nodes/{node}/host/history."""
    node, asked = named_node(call).node, call.query
    scope = scope_of("host-history", node)
    before = place_of(asked.cursor, scope=scope)
    query = events.EventQuery(node=node, kind=KIND)
    async with call.api.database.read() as connection:
        found = await events.page(connection, query, before=before, limit=asked.limit + 1)
    page, following = page_of(found, asked.limit, scope=scope)
    return HostHistory([_move(record) for record in page], following)


async def list_evidence(call: Call[NoQuery, None]) -> EvidencePage:
    """GET /api/v1/nodes/{node}/host/evidence."""
    row = named_node(call)
    async with call.api.database.read() as connection:
        words = await hosts.of_site(connection, row.site)
    if not words:
        return EvidencePage(row.node, None, None, None, [])
    # with a lease one node speaks for all; without, each of what it hears itself
    word = next((each for each in words if each.report.by == row.node), words[0])
    return EvidencePage(
        node=row.node,
        coordinator=word.report.by,
        as_of=instant(word.at_ms),
        age_s=age_s(word.received_ms, call.now_ms),
        items=[
            EvidenceAnswer(instant(each.at_ms), each.node, each.path, each.text)
            for each in reversed(word.report.evidence)
            if each.node == row.name
        ],
    )


def hosts_listing(sight: AlarmSight) -> Listing[NodeRow]:
    """Return how hosts are filtered, ordered and shown: as nodes, in another light."""
    return replace(
        nodes_listing(sight),
        answer=HostAnswer,
        build=lambda row, now_ms: host_answer(row, sight.view, now_ms),
        sorts={
            "avail": lambda row: None if row.host is None else row.host.said.avail.value,
            "since": lambda row: None if row.host is None else row.host.said.since_ms,
        },
    )


def host_answer(row: NodeRow, view: FleetView, now_ms: int) -> HostAnswer:
    """Return a host as it is known at ``now_ms``."""
    found = shown(row, view)
    if found is None:
        return _unspoken(row)
    word, said = found.word, found.word.said
    return HostAnswer(
        node=row.node,
        site=row.site,
        presence=row.presence,
        admin=found.admin,
        oper=found.oper,
        avail=found.avail,
        last=_last(found),
        task=said.task,
        reasons=[
            ReasonAnswer(reason, instant(since_ms), age_s(since_ms, now_ms))
            for reason, since_ms in sorted(said.reasons.items())
        ],
        since=instant(said.since_ms),
        cause=said.cause,
        coordinator=word.by,
        epoch=word.epoch,
        as_of=instant(word.at_ms),
        age_s=age_s(word.received_ms, now_ms),
        boot_id=said.boot_id or None,
        uptime_s=said.uptime_s or None,
        maintenance_until=instant(said.maintenance_until_ms or None),
        is_mnfa=word.is_mnfa,
        is_dead_office=word.is_dead_office,
    )


def _unspoken(row: NodeRow) -> HostAnswer:
    return HostAnswer(
        node=row.node,
        site=row.site,
        presence=row.presence,
        admin=None,
        oper=None,
        avail=None,
        last=None,
        task="",
        reasons=[],
        since=None,
        cause="",
        coordinator=None,
        epoch=None,
        as_of=None,
        age_s=None,
        boot_id=row.boot_id,
        uptime_s=row.uptime_s,
        maintenance_until=None,
        is_mnfa=False,
        is_dead_office=False,
    )


def _last(found: Shown) -> TripleAnswer | None:
    return None if found.last is None else TripleAnswer(*found.last)


def _move(record: EventRecord) -> MoveAnswer:
    params = record.params
    was = _text(params, "was").split("/")
    return MoveAnswer(
        at=instant(record.at_ms),
        received=instant(record.received_ms),
        was=TripleAnswer(*was) if len(was) == 3 else None,  # noqa: PLR2004 - a triple
        admin=_text(params, "admin"),
        oper=_text(params, "oper"),
        avail=_text(params, "avail"),
        cause=_text(params, "cause"),
        task=_text(params, "task"),
        coordinator=_text(params, "by"),
        epoch=int(params.get("epoch") or 0),
    )


def _text(params: Scalars, name: str) -> str:
    return str(params.get(name) or "")
