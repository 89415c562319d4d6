"""A node's identity as operators see it, and its end."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.api.acts import Reason, act_of
from roost_central.api.answers import Time
from roost_central.api.call import Call, NoQuery
from roost_central.api.instants import instant
from roost_central.api.problem import ApiError
from roost_central.enrol.states import LIVE, Cause, Event
from roost_central.storage import audit, identities
from roost_central.storage.identities import IdentityRecord

Rows = list[IdentityRecord]


class IdentityAnswer(msgspec.Struct, frozen=True):
    """One generation of a node's key: of which box, in which state and why, and until when."""

    node: str
    generation: int
    box: int
    state: str
    quarantine: str  # why it is in quarantine; empty: it is in none
    reason: str
    serial: str
    issued: Time | None
    changed: Time | None
    not_after: Time | None


class IdentityPage(msgspec.Struct, frozen=True):
    """Every generation, the newest first."""

    items: list[IdentityAnswer]
    next: str | None = None


ENDED: Final = "has no identity any more that may speak"


class ReasonBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why; it stands in the audit log and at the identity."""

    reason: Reason


async def list_identities(call: Call[NoQuery, None]) -> IdentityPage:
    """GET /api/v1/nodes/{node}/identities; none of a node that was never enrolled."""
    node = _node(call)
    async with call.api.database.read() as connection:
        rows = await identities.of_node(connection, node)
    if not rows and node not in call.api.view.nodes:
        raise ApiError("not-found", f"there is no node {node}")
    return IdentityPage([_answer(row) for row in rows])


async def revoke_node(call: Call[NoQuery, ReasonBody]) -> IdentityPage:
    """POST /api/v1/nodes/{node}/revoke: every generation that may still speak.

    Brokers and ingest follow within ten seconds (docs/brokers.md).
    """
    return await _ended(call, Event.REVOKE, "node.revoke", "cannot be revoked")


async def decommission_node(call: Call[NoQuery, ReasonBody]) -> IdentityPage:
    """POST /api/v1/nodes/{node}/decommission: it is taken out of service; its history stays."""
    return await _ended(call, Event.DECOMMISSION, "node.decommission", "cannot be ended")


async def quarantine_node(call: Call[NoQuery, ReasonBody]) -> IdentityPage:
    """POST /api/v1/nodes/{node}/quarantine: it is heard, and given nothing until it is let out."""

    async def held(connection: AsyncConnection, live: Rows) -> Rows:
        return await identities.quarantine(
            connection, live[0].node, Cause.OPERATOR, now_ms=call.now_ms, reason=call.body.reason
        )

    return await _done(call, "node.quarantine", held, "is in quarantine already")


async def release_node(call: Call[NoQuery, ReasonBody]) -> IdentityPage:
    """POST /api/v1/nodes/{node}/release: out of quarantine, whatever put it there."""

    async def freed(connection: AsyncConnection, live: Rows) -> Rows:
        return await identities.release(
            connection, live[0].node, now_ms=call.now_ms, reason=call.body.reason
        )

    return await _done(call, "node.release", freed, "is in no quarantine")


async def _ended(
    call: Call[NoQuery, ReasonBody], event: Event, action: str, unchanged: str
) -> IdentityPage:
    """End every generation that may still speak.

    Raises:
        ApiError: see _done.
    """

    async def ended(connection: AsyncConnection, live: Rows) -> Rows:
        return [
            await identities.happen(
                connection, row, event, now_ms=call.now_ms, reason=call.body.reason
            )
            for row in live
        ]

    return await _done(call, action, ended, unchanged)


async def _done(
    call: Call[NoQuery, ReasonBody],
    action: str,
    do: Callable[[AsyncConnection, Rows], Awaitable[Rows]],
    unchanged: str,
) -> IdentityPage:
    """Do something to the live generations of a node, and write it down in the same transaction.

    Raises:
        ApiError: ``not-found`` where it was never enrolled; ``conflict`` where none is changed.
    """
    node, reason = _node(call), call.body.reason
    async with call.api.database.write() as connection:
        rows = await identities.of_node(connection, node)
        live = [row for row in rows if row.state in LIVE]
        moved = await do(connection, live) if live else []
        if not moved:
            raise _nothing(node, unchanged if live else ENDED) if rows else _never_enrolled(node)
        numbers = [row.generation for row in moved]
        before = [_answer(row) for row in live if row.generation in numbers]
        after = [_answer(row) for row in moved]
        detail = {"generations": numbers}
        act = act_of(call, action, node, detail, reason=reason, before=before, after=after)
        await audit.add(connection, act)
    return IdentityPage(after)


def _node(call: Call[Any, Any]) -> str:
    """Return the node that is meant, which may not have been heard yet.

    Raises:
        ApiError: ``not-found``: its site is none that the caller may see.
    """
    node = call.path("node")
    if not call.api.alarms.sees(node.partition(".")[0]):
        raise ApiError("not-found", f"there is no node {node}")
    return node


def _never_enrolled(node: str) -> ApiError:
    return ApiError("not-found", f"{node} was never enrolled: there is no identity of it")


def _nothing(node: str, unchanged: str) -> ApiError:
    hint = f"`roost node identity {node}` shows where it stands"
    return ApiError("conflict", f"{node} {unchanged}: {hint}")


def _answer(row: IdentityRecord) -> IdentityAnswer:
    return IdentityAnswer(
        node=row.node,
        generation=row.generation,
        box=row.box,
        state=row.state.value,
        quarantine=row.quarantine.value,
        reason=row.reason,
        serial=row.serial,
        issued=instant(row.issued_ms),
        changed=instant(row.changed_ms),
        not_after=instant(row.not_after_ms),
    )
