"""What the centre says of itself, and logins of browsers."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import session, status
from roost_central.api.answers import Health, SessionAnswer, Status
from roost_central.api.openapi import show_openapi
from roost_central.api.route import Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/health",
        handler=status.show_health,
        answer=Health,
        auth=Auth.NONE,
        summary="Say that central answers",
    ),
    Route(
        method="GET",
        path="/api/openapi.json",
        handler=show_openapi,
        auth=Auth.NONE,
        summary="Describe this API",
    ),
    Route(
        method="POST",
        path="/api/v1/session",
        handler=session.log_in,
        body=session.SessionBody,
        answer=SessionAnswer,
        auth=Auth.NONE,
        summary="Log a browser in with a token, or a name and a password",
    ),
    Route(
        method="DELETE",
        path="/api/v1/session",
        handler=session.log_out,
        status=204,
        auth=Auth.SELF,
        summary="Log the browser out",
    ),
    Route(
        method="GET",
        path="/api/v1/status",
        handler=status.show_status,
        answer=Status,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show counts, ingest and brokers",
    ),
)
