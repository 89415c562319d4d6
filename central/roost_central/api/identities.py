"""A node's identity as operators see it, and its end."""

from typing import Any

import msgspec

from roost_central.api.acts import Reason, act_of
from roost_central.api.answers import Time
from roost_central.api.call import Call, NoQuery
from roost_central.api.instants import instant
from roost_central.api.problem import ApiError
from roost_central.enrol.states import LIVE, Event
from roost_central.storage import audit, identities
from roost_central.storage.identities import IdentityRecord


class IdentityAnswer(msgspec.Struct, frozen=True):
    """One generation of a node's key: of which box, in which state and why, and until when."""

    node: str
    generation: int
    box: int
    state: str
    reason: str
    serial: str
    issued: Time | None
    changed: Time | None
    not_after: Time | None


class IdentityPage(msgspec.Struct, frozen=True):
    """Every generation, the newest first."""

    items: list[IdentityAnswer]
    next: str | None = None


class RevokeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
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


async def revoke_node(call: Call[NoQuery, RevokeBody]) -> IdentityPage:
    """POST /api/v1/nodes/{node}/revoke: every generation that may still speak.

    Brokers and ingest follow within ten seconds (docs/brokers.md).
    """
    node, reason = _node(call), call.body.reason
    async with call.api.database.write() as connection:
        rows = await identities.of_node(connection, node)
        live = [row for row in rows if row.state in LIVE]
        if not live:
            raise _nothing_left(node) if rows else _never_enrolled(node)
        revoked = [
            await identities.happen(
                connection, row, Event.REVOKE, now_ms=call.now_ms, reason=reason
            )
            for row in live
        ]
        before, after = ([_answer(row) for row in each] for each in (live, revoked))
        detail = {"generations": [row.generation for row in revoked]}
        act = act_of(call, "node.revoke", node, detail, reason=reason, before=before, after=after)
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


def _nothing_left(node: str) -> ApiError:
    return ApiError("conflict", f"{node} has no identity that could be revoked: all have ended")


def _answer(row: IdentityRecord) -> IdentityAnswer:
    return IdentityAnswer(
        node=row.node,
        generation=row.generation,
        box=row.box,
        state=row.state.value,
        reason=row.reason,
        serial=row.serial,
        issued=instant(row.issued_ms),
        changed=instant(row.changed_ms),
        not_after=instant(row.not_after_ms),
    )
