"""Finds parts of the fleet by what is written on them: serials, addresses, ids, firmware."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.inventory.index import NO_ITEM
from roost_central.inventory.starred import STARRED
from roost_central.storage import tables
from roost_central.storage.inventory import ChangeRecord, change_of

FOUND_MAX: Final = 1_000  # hits of one search: who finds more asks a query
STEPS_MAX: Final = 1_000  # of the life of one part
PACKAGES: Final = "package"  # their ids are name:architecture
ARCHITECTURES: Final = (  # as dpkg and apk write them
    *("all", "amd64", "arm64", "armel", "armhf", "i386", "ppc64el", "riscv64", "s390x"),
    *("aarch64", "armv7", "noarch", "ppc64le", "x86", "x86_64"),
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A value of an item that is what was sought; ``field`` is ``id`` where it is the key."""

    node: str
    item_class: str
    item: str
    field: str
    value: str


async def find_text(connection: AsyncConnection, texts: Collection[str]) -> list[Hit]:
    """Return where one of some texts is a starred value or the key of an item, FOUND_MAX at most.

    A text is also found as the name of a package, without its architecture.
    """
    c, forms = tables.inventory_value.c, sorted(texts)
    by_value = or_(
        *(
            and_(c["class"] == name, c.field.in_(sorted(fields)), c.text.in_(forms))
            for name, fields in STARRED.items()
        )
    )
    found = await connection.execute(
        select(c.node, c["class"], c.item, c.field, c.text).where(by_value).limit(FOUND_MAX)
    )
    hits = [Hit(*row) for row in found]
    packages = [f"{text}:{architecture}" for text in forms for architecture in ARCHITECTURES]
    by_key = or_(
        and_(c["class"].in_(sorted(STARRED)), c.item.in_(forms)),
        and_(c["class"] == PACKAGES, c.item.in_(packages)),
    )
    keyed = await connection.execute(
        select(c.node, c["class"], c.item)
        .where(by_key, c.item != NO_ITEM)
        .distinct()
        .limit(FOUND_MAX)
    )
    hits += [Hit(node, name, item, "id", item) for node, name, item in keyed]
    return sorted(hits, key=lambda hit: (hit.node, hit.item_class, hit.item, hit.field))[:FOUND_MAX]


async def others(
    connection: AsyncConnection, item_class: str, field: str, texts: Collection[str]
) -> list[tuple[str, str]]:
    """Return the nodes whose starred field is none of some texts, with what it is; empty: null.

    A node that has told no such item is not among them.
    """
    c = tables.inventory_value.c
    found = await connection.execute(
        select(c.node, c.text)
        .where(
            c["class"] == item_class,
            c.field == field,
            or_(c.text.is_(None), c.text.not_in(sorted(texts))),
        )
        .order_by(c.node)
    )
    return [(node, text or "") for node, text in found]


async def holders(connection: AsyncConnection, item_class: str, item: str) -> list[str]:
    """Return the nodes that have an item now."""
    c = tables.inventory_value.c
    found = await connection.execute(
        select(c.node).where(c["class"] == item_class, c.item == item).distinct().order_by(c.node)
    )
    return list(found.scalars())


async def life(connection: AsyncConnection, item_class: str, item: str) -> list[ChangeRecord]:
    """Return what changed in an item in any node, newest first."""
    table = tables.inventory_change
    found = await connection.execute(
        select(table)
        .where(table.c.section == item_class, table.c.item == item)
        .order_by(table.c.seq.desc())
        .limit(STEPS_MAX)
    )
    return [change_of(row) for row in found.mappings()]
