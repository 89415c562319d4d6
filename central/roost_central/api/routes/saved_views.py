"""Views of the console that people keep."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import saved_views
from roost_central.api.route import Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/views",
        handler=saved_views.list_views,
        answer=saved_views.ViewPage,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List the views that you keep",
    ),
    Route(
        method="POST",
        path="/api/v1/views",
        handler=saved_views.add_view,
        body=saved_views.ViewBody,
        answer=saved_views.ViewAnswer,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Keep a view under a name",
    ),
    Route(
        method="GET",
        path="/api/v1/views/{view}",
        handler=saved_views.show_view,
        answer=saved_views.ViewAnswer,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show a view, yours or another's",
    ),
    Route(
        method="PUT",
        path="/api/v1/views/{view}",
        handler=saved_views.put_view,
        body=saved_views.ViewBody,
        answer=saved_views.ViewAnswer,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Replace a view of yours; links to it stay",
    ),
    Route(
        method="DELETE",
        path="/api/v1/views/{view}",
        handler=saved_views.delete_view,
        status=204,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Remove a view of yours",
    ),
)
