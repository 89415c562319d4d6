"""Which node's box has a factory key or a TPM: that is one box, in one slot at a time."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.enrol.factory import Vouched
from roost_central.enrol.states import LIVE, State
from roost_central.enrol.tpm.endorsement import Endorsed
from roost_central.storage import enrolments, identities
from roost_central.storage.enrolments import EnrolmentRecord

EARLIER_MAX: Final = 100  # enrolments of one box that are looked at, the last first


async def holder_of(
    connection: AsyncConnection, vouched: Vouched | Endorsed, key_hash: bytes
) -> str:
    """Return the node whose box has a factory key or TPM, asked by another key; empty: none has.

    A box that was revoked, replaced or taken out may come back: its slot is another's by then.
    Until this transaction ends no other one decides by such a key.
    """
    await enrolments.decide_alone(connection)
    earlier = await enrolments.by_claim(connection, vouched.claim, limit=EARLIER_MAX)
    for each in earlier:
        if each.key_hash != key_hash and await _is_there(connection, each):
            return each.node_id
    return ""


async def _is_there(connection: AsyncConnection, box: EnrolmentRecord) -> bool:
    """Whether a box fills its slot, or is about to; renewals keep its number."""
    if box.state is State.APPROVED:
        return True
    if box.state is not State.ISSUED:
        return False
    rows = await identities.of_node(connection, box.node_id)
    number = next((row.box for row in rows if row.generation == box.generation), None)
    return any(row.box == number and row.state in LIVE for row in rows)
