"""Hosts: their states, what led there, and what can be done to them."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import host_act_answers, host_acts, host_answers, hosts
from roost_central.api.bulk import DryRun
from roost_central.api.events import PageQuery
from roost_central.api.lists import LIST_MEDIA, ListQuery
from roost_central.api.route import LIST_S_MAX, Auth, Route
from roost_central.hosts.actions import ACTIONS

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/hosts",
        handler=hosts.list_hosts,
        query=ListQuery,
        answer=host_answers.HostPage,
        media=LIST_MEDIA,
        auth=Auth.BEARER,
        permission=Permission.READ,
        answer_s_max=LIST_S_MAX,
        summary="List hosts with their states",
    ),
    Route(
        method="GET",
        path="/api/v1/nodes/{node}/host",
        handler=hosts.show_host,
        answer=host_answers.HostAnswer,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show the state of a host",
    ),
    Route(
        method="GET",
        path="/api/v1/nodes/{node}/host/history",
        handler=hosts.list_moves,
        query=PageQuery,
        answer=host_answers.HostHistory,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List the transitions of a host, each with its cause",
    ),
    Route(
        method="GET",
        path="/api/v1/nodes/{node}/host/evidence",
        handler=hosts.list_evidence,
        answer=host_answers.EvidencePage,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List who heard a host lately, and by which path not any more",
    ),
    Route(
        method="GET",
        path="/api/v1/nodes/{node}/host/actions",
        handler=host_acts.list_actions,
        answer=host_act_answers.ActionPage,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List what can be done to a host now, what is in the way, and what it would break",
    ),
    *(
        Route(
            method="POST",
            path=f"/api/v1/nodes/{{node}}/host:{action.name}",
            handler=host_acts.doing(action),
            query=DryRun,
            body=host_act_answers.HostActBody,
            answer=host_act_answers.HostActAnswer,
            status=200 if action.verb is None else 202,
            auth=Auth.BEARER,
            permission=Permission.ADMIN if action.name == "delete" else Permission.HOST,
            summary=action.title,
        )
        for action in ACTIONS.values()
    ),
)
