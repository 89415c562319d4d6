"""The box that an order ends with: its slot is opened for it, and its coming is seen.

As `roost node replace` does (enrol/claim_desk.py): a claim lets the next box with the serial number
of the one that stood there take its place. It is made once the node has told that the machine boots
the image, in the transaction that takes that word in, and ends with the order's time.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.enrol.hardware import hardware_of
from roost_central.enrol.states import LIVE
from roost_central.orders.core import OrderRecord
from roost_central.storage import audit, claims, identities
from roost_central.storage.claims import ClaimRecord, ClaimType
from roost_central.storage.identities import IdentityRecord
from roost_protocol.join_token import CLAIM_BYTES, claim_id
from roost_protocol.order_verbs import VERBS
from roost_protocol.topics import node_id


async def expect_box(connection: AsyncConnection, record: OrderRecord, now_ms: int) -> None:
    """Open the slot of an order for the box that is to come back.

    Where no serial number is known nothing is opened: the box waits for a person, who approves it
    with ``--replace``.
    """
    slot = node_id(record.site, str(record.given["node"]))
    live = [row for row in await identities.of_node(connection, slot) if row.state in LIVE]
    if not live or not (serial := hardware_of(live[0].hardware).serial):
        return
    claim = _claim(record, live[0], serial, now_ms)
    if await claims.find(connection, claim.id) is not None:
        return
    await claims.add(connection, claim)
    detail = {
        "claim": claim.id, "order": record.id, "serial": serial, "replaces": claim.replaces,
        "not_after_ms": claim.not_after_ms,
    }  # fmt: skip
    told = Act(now_ms, audit.CENTRE, "", "node.replace", slot, detail, reason=record.reason)
    await audit.add(connection, told)


async def expect_no_box(connection: AsyncConnection, record: OrderRecord, now_ms: int) -> None:
    """Shut the slot of an order that was given up: the next box is none of its."""
    await claims.revoke(connection, _claim_of(record), now_ms=now_ms)


async def has_come(connection: AsyncConnection, record: OrderRecord) -> bool:
    """Say whether another box was let into the slot of an order since its node took it."""
    rows = await identities.of_node(connection, node_id(record.site, str(record.given["node"])))
    since_ms = record.taken_ms or record.placed_ms
    before = max((row.box for row in rows if row.issued_ms <= since_ms), default=0)
    return any(row.box > before and row.state in LIVE for row in rows if row.issued_ms > since_ms)


def _claim(record: OrderRecord, there: IdentityRecord, serial: str, now_ms: int) -> ClaimRecord:
    ends_ms = (record.taken_ms or now_ms) + VERBS[record.verb].done_s_max * 1_000
    return ClaimRecord(
        id=_claim_of(record),
        kind=ClaimType.SERIAL,
        site=record.site,
        node=str(record.given["node"]),
        broker=bool(there.broker_certificate),
        auto_approve=True,
        made_by=record.by,
        made_ms=now_ms,
        not_after_ms=ends_ms,
        subject=serial,
        replaces=there.box,
    )


def _claim_of(record: OrderRecord) -> str:
    """Return the claim of an order, which has one."""
    return claim_id(bytes.fromhex(record.id)[:CLAIM_BYTES])
