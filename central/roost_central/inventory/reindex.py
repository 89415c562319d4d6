"""Makes the index of starred fields anew when it is made by other rules than today's.

Which fields are starred, and how a row is made, may change with a release; the documents do not.
What was made by which rules is kept as a digest of the rules. A centre that is stopped in between
begins again: every batch is whole, and the digest is written last.
"""

import logging
from hashlib import blake2b
from itertools import islice
from typing import Final

from roost_central.inventory.index import index_rows
from roost_central.inventory.starred import STARRED
from roost_central.storage import inventory, settings
from roost_central.storage.engine import Database

logger = logging.getLogger(__name__)

KEY: Final = "inventory_index"
FORMAT: Final = 1  # +1 with each change of how index.py makes rows
NODES_AT_ONCE: Final = 200  # of one transaction: about 60,000 rows
NODES_SAID: Final = 5_000  # indexed between two lines of the log: some ten seconds
DIGEST_BYTES: Final = 8


def rules() -> bytes:
    """Return the digest of the rules that rows are made by."""
    fields = sorted(
        (name, field.name, field.kind) for name, each in STARRED.items() for field in each.values()
    )
    return blake2b(repr((FORMAT, fields)).encode(), digest_size=DIGEST_BYTES).digest()


async def reindex(database: Database) -> int:
    """Make the index anew where it is not by today's rules; return for how many nodes."""
    async with database.read() as connection:
        if await settings.read(connection, KEY) == rules():
            return 0
        nodes = await inventory.reporting(connection)
    if nodes:
        logger.info("making the index of the inventory anew for %d nodes", len(nodes))
    done, left = 0, iter(nodes)
    while some := list(islice(left, NODES_AT_ONCE)):
        async with database.write() as connection:
            await inventory.delete_index(connection, some)
            for node in some:
                sections = await inventory.sections(connection, node, STARRED.keys())
                rows = [(node, row) for each in sections.values() for row in index_rows(each)]
                await inventory.save_values(connection, rows)
        done += len(some)
        if done % NODES_SAID == 0:
            logger.info("indexed %d of %d nodes", done, len(nodes))
    async with database.write() as connection:
        await settings.save(connection, KEY, rules())
    return len(nodes)
