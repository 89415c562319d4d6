"""Logs: events, operators' acts, and what was refused."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import audit, events, signatures
from roost_central.api.answers import DeadLetterPage, EventPage
from roost_central.api.call import NDJSON
from roost_central.api.route import LIST_S_MAX, Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/audit",
        handler=audit.list_audit,
        query=audit.AuditQuery,
        answer=audit.AuditPage,
        auth=Auth.BEARER,
        permission=Permission.ADMIN,
        whole=True,
        summary="List who did what",
    ),
    Route(
        method="GET",
        path="/api/v1/audit/head",
        handler=audit.show_head,
        answer=audit.AuditHead,
        auth=Auth.BEARER,
        permission=Permission.ADMIN,
        whole=True,
        summary="Show where the chain of the audit log ends",
    ),
    Route(
        method="GET",
        path="/api/v1/audit/export",
        handler=audit.export,
        query=audit.ExportQuery,
        media=(NDJSON,),
        auth=Auth.BEARER,
        permission=Permission.ADMIN,
        whole=True,
        answer_s_max=LIST_S_MAX,
        summary="Read the whole audit log with its hashes",
    ),
    Route(
        method="GET",
        path="/api/v1/audit/signatures",
        handler=signatures.show,
        answer=signatures.ComparisonAnswer,
        auth=Auth.BEARER,
        permission=Permission.ADMIN,
        whole=True,
        answer_s_max=LIST_S_MAX,
        summary="Compare the signer's record with the audit log",
    ),
    Route(
        method="GET",
        path="/api/v1/audit/signatures/record",
        handler=signatures.record,
        query=signatures.RecordQuery,
        media=(NDJSON,),
        auth=Auth.BEARER,
        permission=Permission.ADMIN,
        whole=True,
        answer_s_max=LIST_S_MAX,
        summary="Read the signer's record of every signature",
    ),
    Route(
        method="POST",
        path="/api/v1/audit/signatures:accept",
        handler=signatures.accept,
        body=signatures.AcceptBody,
        answer=signatures.ComparisonAnswer,
        auth=Auth.BEARER,
        permission=Permission.ADMIN,
        whole=True,
        summary="Say why signatures without a row in the audit log are well",
    ),
    Route(
        method="GET",
        path="/api/v1/events",
        handler=events.list_events,
        query=events.EventQuery,
        answer=EventPage,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List events",
    ),
    Route(
        method="GET",
        path="/api/v1/dead-letters",
        handler=events.list_dead_letters,
        query=events.PageQuery,
        answer=DeadLetterPage,
        auth=Auth.BEARER,
        permission=Permission.READ,
        whole=True,
        summary="List refused messages",
    ),
)
