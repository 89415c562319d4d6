"""Everything that is served, in one table: dispatch, OpenAPI and the authorisation test read it."""

from typing import Final

from roost_central.api import events, lists, nodes, pages, session, site_import, sites, sse, status
from roost_central.api.answers import (
    ChangePage,
    DeadLetterPage,
    EventPage,
    Health,
    ImportAnswer,
    InventoryAnswer,
    Node,
    NodePage,
    PathPage,
    SessionAnswer,
    Site,
    SiteDetail,
    SitePage,
    Status,
)
from roost_central.api.call import EVENT_STREAM, HTML, NDJSON, PageQuery
from roost_central.api.lists import LIST_MEDIA, ListQuery
from roost_central.api.openapi import show_openapi
from roost_central.api.route import Auth, Route
from roost_central.api.snapshot import SnapshotDocument

LIST_S_MAX: Final = 600.0  # a whole fleet over a slow line; each write has its own bound

API: Final = (
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
        summary="Log a browser in with a token",
    ),
    Route(
        method="DELETE",
        path="/api/v1/session",
        handler=session.log_out,
        status=204,
        auth=Auth.BEARER,
        summary="Log the browser out",
    ),
    Route(
        method="GET",
        path="/api/v1/status",
        handler=status.show_status,
        answer=Status,
        auth=Auth.BEARER,
        summary="Show counts, ingest and brokers",
    ),
    Route(
        method="GET",
        path="/api/v1/sites",
        handler=lists.list_sites,
        query=ListQuery,
        answer=SitePage,
        media=LIST_MEDIA,
        auth=Auth.BEARER,
        answer_s_max=LIST_S_MAX,
        summary="List sites",
    ),
    Route(
        method="POST",
        path="/api/v1/sites:import",
        handler=site_import.import_sites,
        body_media=NDJSON,
        answer=ImportAnswer,
        auth=Auth.BEARER,
        summary="Register or change many sites",
    ),
    Route(
        method="GET",
        path="/api/v1/sites/{site}",
        handler=sites.show_site,
        answer=SiteDetail,
        auth=Auth.BEARER,
        summary="Show a site with its nodes",
    ),
    Route(
        method="PUT",
        path="/api/v1/sites/{site}",
        handler=sites.put_site,
        body=sites.SiteBody,
        answer=Site,
        auth=Auth.BEARER,
        summary="Register a site, or replace its labels and place (If-Match)",
    ),
    Route(
        method="DELETE",
        path="/api/v1/sites/{site}",
        handler=sites.delete_site,
        status=204,
        auth=Auth.BEARER,
        summary="Remove a site and its nodes",
    ),
    Route(
        method="GET",
        path="/api/v1/nodes",
        handler=lists.list_nodes,
        query=ListQuery,
        answer=NodePage,
        media=LIST_MEDIA,
        auth=Auth.BEARER,
        answer_s_max=LIST_S_MAX,
        summary="List nodes",
    ),
    Route(
        method="GET",
        path="/api/v1/nodes/{node}",
        handler=nodes.show_node,
        answer=Node,
        auth=Auth.BEARER,
        summary="Show a node",
    ),
    Route(
        method="GET",
        path="/api/v1/nodes/{node}/inventory",
        handler=nodes.show_inventory,
        query=nodes.InventoryQuery,
        answer=InventoryAnswer,
        auth=Auth.BEARER,
        summary="Show a node's inventory, now or as it was",
    ),
    Route(
        method="GET",
        path="/api/v1/nodes/{node}/inventory/changes",
        handler=nodes.list_changes,
        query=nodes.ChangesQuery,
        answer=ChangePage,
        auth=Auth.BEARER,
        summary="List what changed in a node's inventory",
    ),
    Route(
        method="GET",
        path="/api/v1/paths",
        handler=lists.list_paths,
        query=ListQuery,
        answer=PathPage,
        media=LIST_MEDIA,
        auth=Auth.BEARER,
        answer_s_max=LIST_S_MAX,
        summary="List paths",
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
    Route(
        method="GET",
        path="/api/v1/snapshot",
        handler=sse.show_snapshot,
        query=sse.SnapshotQuery,
        answer=SnapshotDocument,
        auth=Auth.BEARER,
        summary="Read all sites as columns",
    ),
    Route(
        method="GET",
        path="/api/v1/stream",
        handler=sse.stream,
        query=sse.StreamQuery,
        media=(EVENT_STREAM,),
        auth=Auth.BEARER,
        answer_s_max=None,
        summary="Follow changes of the snapshot",
    ),
)

PAGES: Final = (
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
        for path in ("/", "/login", "/sites", "/sites/{site}", "/nodes", "/nodes/{node}", "/events")
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

ROUTES: Final = (*API, *PAGES)
