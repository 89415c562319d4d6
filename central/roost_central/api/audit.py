"""The audit log over HTTP: who did what, newest first."""

from roost_central.api.alarm_answers import AuditAnswer, AuditPage
from roost_central.api.call import Call
from roost_central.api.cursor import page_of, place_of, scope_of
from roost_central.api.events import PageQuery
from roost_central.api.instants import instant
from roost_central.storage import audit


async def list_audit(call: Call[PageQuery, None]) -> AuditPage:
    """GET /api/v1/audit."""
    asked = call.query
    scope = scope_of("audit")
    before = place_of(asked.cursor, scope=scope)
    async with call.api.database.read() as connection:
        found = await audit.page(connection, before=before, limit=asked.limit + 1)
    shown, following = page_of(found, asked.limit, scope=scope)
    return AuditPage(
        items=[
            AuditAnswer(
                seq=act.seq,
                at=instant(act.at_ms),
                actor=act.actor,
                role=act.role,
                action=act.action,
                object=act.object,
                detail=act.detail,
            )
            for act in shown
        ],
        next=following,
    )
