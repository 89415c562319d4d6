"""The dashboard: its pages by address, and its files."""

from typing import Final

from roost_central.api import pages
from roost_central.api.call import HTML, PageQuery
from roost_central.api.route import Auth, Route

ADDRESSES: Final = (  # that the dashboard's router knows
    "/",
    "/login",
    "/login/oidc",  # where the provider sends browsers back to: oidc/config.py
    "/sites",
    "/sites/{site}",
    "/nodes",
    "/nodes/{node}",
    "/events",
    "/alarms",
    "/a/{alarm}",
    "/incidents",
    "/incidents/{incident}",
    "/i/{incident}",
    "/shelf",
    "/load",
    "/northbound",
    "/profiles",
    "/rollouts",
    "/rollouts/{rollout}",
    "/drift",
    "/hosts",
    "/enrol",
    "/admin",
    "/audit",
    "/inventory",
    "/v/{view}",
)

ROUTES: Final = (
    *(
        Route(
            method="GET",
            path=path,
            handler=pages.show_index,
            query=PageQuery,
            media=(HTML,),
            auth=Auth.NONE,
            summary="Show the dashboard",
        )
        for path in ADDRESSES
    ),
    Route(
        method="GET",
        path="/static/{tree}/{path:.+}",
        handler=pages.show_asset,
        media=("*/*",),
        auth=Auth.NONE,
        summary="Serve a file of the dashboard",
    ),
)
