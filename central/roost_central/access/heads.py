"""Tells the log of this machine where the audit log ends: a copy that is kept elsewhere."""

import asyncio
import logging
from typing import Final

from roost_central.errors import StorageError
from roost_central.storage import audit
from roost_central.storage.engine import Database

logger = logging.getLogger(__name__)

INTERVAL_S: Final = 60.0


async def tell_heads(database: Database) -> None:
    """Write a line whenever the head moved, at most one in INTERVAL_S, until cancelled."""
    told = None
    while True:
        try:
            async with database.read() as connection:
                head = await audit.anchor(connection, audit.HEAD)
        except StorageError as err:
            logger.warning("the head of the audit log cannot be read: %s", err)
            head = told
        if head is not None and head != told:
            logger.info("audit head %d:%s", head.seq, head.hash.hex())
        told = head
        await asyncio.sleep(INTERVAL_S)
