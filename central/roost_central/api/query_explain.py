"""What the centre makes of a query: its one text, its fields, and where each part is answered."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.api.call import Call
from roost_central.api.lists import FilterText
from roost_central.api.readers import parse_filter
from roost_central.fleet.fields import INVENTORY
from roost_central.fleet.query import Query
from roost_central.fleet.query_items import leaves
from roost_central.fleet.query_parser import Use
from roost_central.fleet.query_plan import Part, Place, is_indexed, plan_of
from roost_central.inventory.search import statement
from roost_central.storage.explain import plan_lines


class ExplainQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query, and what it is asked of."""

    filter: FilterText = ""
    on: Annotated[
        Literal["site", "node", "event", "path", "alarm"], Meta(description="whose list")
    ] = "node"


class FieldUse(msgspec.Struct, frozen=True):
    """A field that a query names; ``indexed`` is null where it is not of the inventory."""

    name: str
    kind: str
    unit: str
    doc: str
    indexed: bool | None


class IndexStatement(msgspec.Struct, frozen=True):
    """What is asked of the index: text without values, the values, and the database's plan."""

    sql: str
    parameters: list[str | int | float | None]
    plan: list[str]


class QueryPart(msgspec.Struct, frozen=True):
    """A part of a query that must hold, in the order in which they are answered.

    ``where`` is memory (the fleet's rows), index (starred fields) or documents (those of the nodes
    that are left).
    """

    text: str
    where: str
    statements: list[IndexStatement]


class Explanation(msgspec.Struct, frozen=True):
    """What the centre makes of a query; ``slow``: documents are read."""

    canonical: str
    on: str
    slow: bool
    fields: list[FieldUse]
    parts: list[QueryPart]


async def explain(call: Call[ExplainQuery, None]) -> Explanation:
    """GET /api/v1/query/explain."""
    asked = call.query
    query = parse_filter(asked.filter, asked.on)
    plan = plan_of(query)
    async with call.api.database.read() as connection:
        parts = [await _part(connection, part, query, call.now_ms) for part in plan.parts]
    return Explanation(
        canonical=query.canonical(),
        on=asked.on,
        slow=plan.is_slow,
        fields=[_field(use) for use in {use.field.name: use for use in query.uses}.values()],
        parts=parts,
    )


def _field(use: Use) -> FieldUse:
    field = use.field
    is_inventory = field.name.startswith(INVENTORY)
    return FieldUse(
        name=field.name,
        kind=field.kind,
        unit="ms" if field.is_since else field.unit,  # a query has the time, an object its begin
        doc=field.doc,
        indexed=not field.is_slow if is_inventory else None,
    )


async def _part(connection: AsyncConnection, part: Part, query: Query, now_ms: int) -> QueryPart:
    statements = []
    if part.place is not Place.MEMORY:
        dialect = connection.dialect.name
        for leaf in dict.fromkeys(leaves(part.node)):
            if is_indexed(leaf, query.fields):
                asked, _ = statement(leaf, query.fields, now_ms=now_ms, dialect=dialect)
                statements.append(await _statement(connection, asked))
    return QueryPart(text=part.text, where=part.place.value, statements=statements)


async def _statement(connection: AsyncConnection, asked: Select[Any]) -> IndexStatement:
    """Return a statement as the database gets it, and what its planner would do with it."""
    compiled = asked.compile(
        dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
    )
    values = [compiled.params[name] for name in compiled.positiontup or compiled.params]
    return IndexStatement(
        sql=str(compiled),
        parameters=[
            value if isinstance(value, str | int | float) or value is None else value.hex()
            for value in values
        ],
        plan=await plan_lines(connection, asked),
    )
