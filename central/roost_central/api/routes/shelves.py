"""What is shelved or suppressed."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import shelves
from roost_central.api.alarm_answers import ShelfAnswer, ShelfPage
from roost_central.api.route import Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/shelves",
        handler=shelves.list_shelves,
        answer=ShelfPage,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List what is shelved",
    ),
    Route(
        method="DELETE",
        path="/api/v1/shelves/{shelf}",
        handler=shelves.delete_shelf,
        status=204,
        auth=Auth.BEARER,
        permission=Permission.ALARM,
        summary="End a shelf",
    ),
    Route(
        method="GET",
        path="/api/v1/suppressions",
        handler=shelves.list_suppressions,
        answer=ShelfPage,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List suppressed types",
    ),
    Route(
        method="POST",
        path="/api/v1/suppressions",
        handler=shelves.put_suppression,
        body=shelves.SuppressionBody,
        answer=ShelfAnswer,
        auth=Auth.BEARER,
        permission=Permission.ALARM,
        summary="Suppress a type",
    ),
    Route(
        method="DELETE",
        path="/api/v1/suppressions/{suppression}",
        handler=shelves.delete_suppression,
        status=204,
        auth=Auth.BEARER,
        permission=Permission.ALARM,
        summary="End a suppression",
    ),
)
