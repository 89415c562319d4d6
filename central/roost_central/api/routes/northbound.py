"""Where alarms go out, and what Prometheus reads."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import northbound
from roost_central.api.answers import NorthboundAnswer, NorthboundTest
from roost_central.api.route import Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/northbound",
        handler=northbound.show_northbound,
        answer=NorthboundAnswer,
        auth=Auth.BEARER,
        permission=Permission.READ,
        whole=True,
        summary="List where alarms go out",
    ),
    Route(
        method="POST",
        path="/api/v1/northbound/{target}:test",
        handler=northbound.test_target,
        answer=NorthboundTest,
        auth=Auth.BEARER,
        permission=Permission.ALARM,
        whole=True,
        summary="Send a test message to a target",
    ),
    Route(
        method="GET",
        path="/api/v1/http-sd",
        handler=northbound.discover,
        query=northbound.DiscoveryQuery,
        auth=Auth.BEARER,
        permission=Permission.READ,
        whole=True,
        summary="List nodes as targets for Prometheus",
    ),
    Route(
        method="GET",
        path="/metrics",
        handler=northbound.show_metrics,
        media=(northbound.METRICS,),
        auth=Auth.BEARER,
        permission=Permission.READ,
        whole=True,
        summary="Show metrics for Prometheus",
    ),
)
