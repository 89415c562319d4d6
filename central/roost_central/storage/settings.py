"""What this centre remembers of itself, by key. The first: its epoch."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.ports import Entropy
from roost_central.storage import tables
from roost_central.storage.upsert import upsert

CENTRAL_EPOCH: Final = "central_epoch"
EPOCH_BYTES: Final = 8


async def read(connection: AsyncConnection, key: str) -> bytes | None:
    """Return a setting."""
    column = tables.setting.c
    return (
        await connection.execute(select(column.value).where(column.key == key))
    ).scalar_one_or_none()


async def save(connection: AsyncConnection, key: str, value: bytes) -> None:
    """Write a setting."""
    await upsert(connection, tables.setting, [{"key": key, "value": value}])


async def central_epoch(connection: AsyncConnection, entropy: Entropy) -> bytes:
    """Return the epoch that receipts carry, made where there is none yet."""
    return await read(connection, CENTRAL_EPOCH) or await renew_epoch(connection, entropy)


async def renew_epoch(connection: AsyncConnection, entropy: Entropy) -> bytes:
    """Begin a new epoch, after a restore: agents then offer again what their ring holds."""
    epoch = entropy.token(EPOCH_BYTES)
    await save(connection, CENTRAL_EPOCH, epoch)
    return epoch
