"""Staged changes of profiles."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import changes
from roost_central.api.route import Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/changes",
        handler=changes.list_changes,
        answer=changes.StagedPage,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List changes that reach their nodes group by group",
    ),
    Route(
        method="GET",
        path="/api/v1/changes/{change}",
        handler=changes.show_change,
        answer=changes.StagedDetail,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show a change with its groups and the nodes that failed",
    ),
    Route(
        method="POST",
        path="/api/v1/changes/{change}/pause",
        handler=changes.pause_change,
        body=changes.StagedMove,
        answer=changes.StagedDetail,
        auth=Auth.BEARER,
        permission=Permission.RELEASE,
        summary="Let no other group have a change for now",
    ),
    Route(
        method="POST",
        path="/api/v1/changes/{change}/resume",
        handler=changes.resume_change,
        body=changes.StagedMove,
        answer=changes.StagedDetail,
        auth=Auth.BEARER,
        permission=Permission.RELEASE,
        summary="Let a change go on; the nodes that failed until now are accepted",
    ),
    Route(
        method="POST",
        path="/api/v1/changes/{change}/abort",
        handler=changes.abort_change,
        body=changes.StagedMove,
        answer=changes.StagedDetail,
        auth=Auth.BEARER,
        permission=Permission.RELEASE,
        summary="Let a change go no further",
    ),
    Route(
        method="POST",
        path="/api/v1/changes/{change}/roll-back",
        handler=changes.roll_back_change,
        body=changes.StagedMove,
        answer=changes.StagedDetail,
        auth=Auth.BEARER,
        permission=Permission.RELEASE,
        summary="Make the profiles of a change what they were before it",
    ),
)
