"""Sites: list, import, show, register, remove."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import lifecycle, lists, site_import, sites, topology
from roost_central.api.answers import ImportAnswer, Site, SiteDetail, SitePage
from roost_central.api.bulk import DryRun, ManyAnswer
from roost_central.api.call import NDJSON
from roost_central.api.lists import LIST_MEDIA, ListQuery
from roost_central.api.route import LIST_S_MAX, Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/sites",
        handler=lists.list_sites,
        query=ListQuery,
        answer=SitePage,
        media=LIST_MEDIA,
        auth=Auth.BEARER,
        permission=Permission.READ,
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
        permission=Permission.ADMIN,
        whole=True,
        summary="Register or change many sites",
    ),
    Route(
        method="POST",
        path="/api/v1/sites:label",
        handler=lifecycle.label_sites,
        query=DryRun,
        body=lifecycle.LabelBody,
        answer=ManyAnswer,
        auth=Auth.BEARER,
        permission=Permission.ADMIN,
        summary="Set or remove labels of sites: named ones, or all that match (expect_count)",
    ),
    Route(
        method="POST",
        path="/api/v1/sites:manage",
        handler=lifecycle.manage_sites,
        query=DryRun,
        body=lifecycle.ManageBody,
        answer=ManyAnswer,
        auth=Auth.BEARER,
        permission=Permission.ADMIN,
        summary="Manage sites, or leave them alone: no orders, no alarms of silence",
    ),
    Route(
        method="GET",
        path="/api/v1/sites/{site}",
        handler=sites.show_site,
        answer=SiteDetail,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show a site with its nodes",
    ),
    Route(
        method="GET",
        path="/api/v1/sites/{site}/topology",
        handler=topology.show_topology,
        answer=topology.TopologyAnswer,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show what a site's nodes are plugged into",
    ),
    Route(
        method="PUT",
        path="/api/v1/sites/{site}",
        handler=sites.put_site,
        body=sites.SiteBody,
        answer=Site,
        auth=Auth.BEARER,
        permission=Permission.ADMIN,
        summary="Register a site, or replace its labels and place (If-Match)",
    ),
    Route(
        method="DELETE",
        path="/api/v1/sites/{site}",
        handler=sites.delete_site,
        status=204,
        auth=Auth.BEARER,
        permission=Permission.ADMIN,
        summary="Remove a site and its nodes",
    ),
)
