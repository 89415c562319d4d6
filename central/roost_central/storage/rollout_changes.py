"""What rollouts of profiles make count, and what their nodes keep until their turn comes."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import insert_rows, upsert

NAMED_MAX: Final = 500  # in one statement


class ProfileTexts(msgspec.Struct, frozen=True):
    """What a rollout makes count.

    Attributes:
        files: a name and a text each, as they were reviewed.
        remove: names of profiles that go.
        revisions: that each profile had before it, 0: none; None: it has not begun.
    """

    files: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()
    revisions: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class FormerNode:
    """A node of a rollout, and what it should have been before.

    Attributes:
        former_generation: 0: it had no settings.
        former_digest: of the settings that it had.
    """

    node: str
    former_generation: int
    former_digest: bytes


_encode: Final = msgspec.msgpack.Encoder().encode
_texts: Final = msgspec.msgpack.Decoder(ProfileTexts)


async def save_texts(connection: AsyncConnection, rollout: str, texts: ProfileTexts) -> None:
    """Write what a rollout makes count."""
    await upsert(connection, tables.rollout_change, [{"rollout": rollout, "body": _encode(texts)}])


async def texts_of(connection: AsyncConnection, rollout: str) -> ProfileTexts | None:
    """Return what a rollout makes count; None: it is of a release."""
    c = tables.rollout_change.c
    body = (await connection.execute(select(c.body).where(c.rollout == rollout))).scalar()
    return None if body is None else _texts.decode(body)


async def add_nodes(connection: AsyncConnection, rollout: str, nodes: Iterable[FormerNode]) -> None:
    """Write the nodes that a rollout may hold back."""
    rows = [{"rollout": rollout, **row_of(each)} for each in nodes]
    await insert_rows(connection, tables.rollout_node, rows)


async def drop_nodes(
    connection: AsyncConnection, rollout: str, nodes: Collection[str] | None = None
) -> None:
    """Remove nodes that a rollout holds back no longer; None: all."""
    c = tables.rollout_node.c
    gone = delete(tables.rollout_node).where(c.rollout == rollout)
    if nodes is None:
        await connection.execute(gone)
        return
    ordered = sorted(nodes)
    for start in range(0, len(ordered), NAMED_MAX):
        await connection.execute(gone.where(c.node.in_(ordered[start : start + NAMED_MAX])))


async def load_nodes(connection: AsyncConnection) -> Mapping[str, list[FormerNode]]:
    """Return the nodes of all rollouts that may hold some back."""
    found: dict[str, list[FormerNode]] = {}
    c = tables.rollout_node.c
    rows = await connection.execute(select(tables.rollout_node).order_by(c.rollout, c.node))
    for row in rows:
        found.setdefault(row.rollout, []).append(FormerNode(*row[1:]))
    return found
