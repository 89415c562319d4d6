"""One node, and its inventory: as it is, as it was, and what changed."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.api.answers import (
    ChangePage,
    InventoryAnswer,
    InventoryChange,
    Node,
    SectionAnswer,
)
from roost_central.api.call import Call, NoQuery
from roost_central.api.cursor import page_of, place_of, scope_of
from roost_central.api.instants import age_s, instant, parse_since
from roost_central.api.lists import LIMIT, LIMIT_MAX, CursorText
from roost_central.api.moments import moment
from roost_central.api.named_node import named_node
from roost_central.api.problem import FieldError, blame
from roost_central.api.rows import node_answer
from roost_central.fleet.view import NodeRow
from roost_central.inventory import history
from roost_central.storage import inventory
from roost_central.storage.inventory import ChangeRecord

TimeText = Annotated[str, Meta(max_length=40)]


class InventoryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which sections, as of when."""

    at: TimeText = ""
    section: Annotated[str, Meta(max_length=2_048, description="a,b")] = ""


class ChangesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Since when, and which page."""

    since: Annotated[TimeText, Meta(description="RFC 3339, or a span such as 7d")] = "7d"
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT
    cursor: CursorText = ""


async def show_node(call: Call[NoQuery, None]) -> Node:
    """GET /api/v1/nodes/{node}."""
    return node_answer(named_node(call), call.now_ms)


async def show_inventory(call: Call[InventoryQuery, None]) -> InventoryAnswer:
    """GET /api/v1/nodes/{node}/inventory."""
    row = named_node(call)
    wanted = {name for name in call.query.section.split(",") if name} or None
    at_ms = _at(call)
    async with call.api.database.read() as connection:
        if at_ms is not None:
            return await _as_it_was(connection, row, wanted, at_ms=at_ms, now_ms=call.now_ms)
        kept = await inventory.sections(connection, row.node, wanted)
    return InventoryAnswer(
        node=row.node,
        gen=row.inventory_gen,
        digest=row.inventory_digest,
        as_of=instant(row.inventory_as_of_ms),
        age_s=age_s(row.inventory_as_of_ms, call.now_ms),
        behind=row.inventory_behind,
        sections={
            name: SectionAnswer(
                as_of=instant(section.as_of_ms),
                cost_ms=section.cost_ms,
                digest=section.digest.hex(),
                items=section.items,
                missing=section.missing,
            )
            for name, section in kept.items()
        },
    )


async def _as_it_was(
    connection: AsyncConnection,
    row: NodeRow,
    wanted: set[str] | None,
    *,
    at_ms: int,
    now_ms: int,
) -> InventoryAnswer:
    """Return the inventory of then; digests, costs and probe times of then are not kept."""
    kept = await history.at(connection, row.node, at_ms)
    return InventoryAnswer(
        node=row.node,
        gen=None,
        digest=None,
        as_of=instant(at_ms),
        age_s=age_s(at_ms, now_ms),
        behind=row.inventory_behind,
        sections={
            name: SectionAnswer(as_of=None, cost_ms=None, digest=None, items=items, missing=missing)
            for name, (items, missing) in sorted(kept.items())
            if wanted is None or name in wanted
        },
    )


async def list_changes(call: Call[ChangesQuery, None]) -> ChangePage:
    """GET /api/v1/nodes/{node}/inventory/changes."""
    row, asked = named_node(call), call.query
    since_ms = parse_since(asked.since, call.now_ms)
    if since_ms is None:
        detail = "is not a time such as 2026-11-01T03:00:00Z or 7d"
        raise blame("bad-parameter", FieldError(field="since", code="invalid", detail=detail))
    scope = scope_of("changes", row.node)
    before = place_of(asked.cursor, scope=scope)
    async with call.api.database.read() as connection:
        found = await inventory.changes(
            connection, row.node, since_ms=since_ms, before=before, limit=asked.limit + 1
        )
    shown, following = page_of(found, asked.limit, scope=scope)
    return ChangePage(items=[_change(record) for record in shown], next=following)


def _at(call: Call[InventoryQuery, None]) -> int | None:
    if not call.query.at:
        return None
    at_ms = moment(call.query.at, "at", call.now_ms)
    return None if at_ms == call.now_ms else at_ms


def _change(record: ChangeRecord) -> InventoryChange:
    return InventoryChange(
        at=instant(record.at_ms),
        gen=record.gen,
        section=record.section,
        item=record.item,
        field=record.field,
        old=None if record.old is UNSET else record.old,
        new=None if record.new is UNSET else record.new,
    )
