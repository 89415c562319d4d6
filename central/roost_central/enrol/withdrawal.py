"""A box that asks no more, by its own word: whoever stands at it saw other words than it has.

It goes from the queue, so that nobody lets it in who has not heard of that; the audit log keeps it.
With its key it may ask anew. Leaves to others: whether words were compared here.
"""

from typing import Final

from roost_central.access.chain import Act
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.states import State
from roost_central.storage import audit, enrolments
from roost_central.storage.engine import Database

WHY: Final = "at the box somebody said that the six words differ"


async def withdraw(database: Database, ticket_hash: bytes, *, now_ms: int) -> None:
    """Take out the box that waits with a ticket.

    Raises:
        RefusedError: ``ticket``: no box that is undecided has it.
    """
    async with database.write() as connection:
        box = await enrolments.by_ticket(connection, ticket_hash)
        if box is None or box.state is not State.PENDING:
            raise RefusedError("ticket", "no box waits with this ticket")
        await enrolments.forget(connection, box.id)
        detail = {"key": box.key_hash.hex(), "site": box.site, "address": box.address}
        act = Act(now_ms, audit.CENTRE, "", "enrol.withdraw", box.id, detail, reason=WHY)
        await audit.add(connection, act)
