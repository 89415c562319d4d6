"""Logs: events, operators' acts, and what was refused."""

from typing import Final

from roost_central.api import audit, events
from roost_central.api.alarm_answers import AuditPage
from roost_central.api.answers import DeadLetterPage, EventPage
from roost_central.api.route import Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/audit",
        handler=audit.list_audit,
        query=events.PageQuery,
        answer=AuditPage,
        auth=Auth.BEARER,
        summary="List who did what",
    ),
    Route(
        method="GET",
        path="/api/v1/events",
        handler=events.list_events,
        query=events.EventQuery,
        answer=EventPage,
        auth=Auth.BEARER,
        summary="List events",
    ),
    Route(
        method="GET",
        path="/api/v1/dead-letters",
        handler=events.list_dead_letters,
        query=events.PageQuery,
        answer=DeadLetterPage,
        auth=Auth.BEARER,
        summary="List refused messages",
    ),
)
