"""Local HA of a site, as its nodes told it."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import ha
from roost_central.api.ha_answers import HaAnswer, HaHistory
from roost_central.api.route import Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/sites/{site}/ha",
        handler=ha.show_ha,
        answer=HaAnswer,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show a site's local HA as its nodes told it",
    ),
    Route(
        method="GET",
        path="/api/v1/sites/{site}/ha/history",
        handler=ha.list_history,
        query=ha.HistoryQuery,
        answer=HaHistory,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List what local HA of a site decided, and who was active when",
    ),
)
