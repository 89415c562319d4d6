"""Nodes with their inventory, and their paths."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import identities, lists, nodes
from roost_central.api.answers import ChangePage, InventoryAnswer, Node, NodePage, PathPage
from roost_central.api.lists import LIST_MEDIA, ListQuery
from roost_central.api.route import LIST_S_MAX, Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/nodes",
        handler=lists.list_nodes,
        query=ListQuery,
        answer=NodePage,
        media=LIST_MEDIA,
        auth=Auth.BEARER,
        permission=Permission.READ,
        answer_s_max=LIST_S_MAX,
        summary="List nodes",
    ),
    Route(
        method="GET",
        path="/api/v1/nodes/{node}",
        handler=nodes.show_node,
        answer=Node,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show a node",
    ),
    Route(
        method="GET",
        path="/api/v1/nodes/{node}/inventory",
        handler=nodes.show_inventory,
        query=nodes.InventoryQuery,
        answer=InventoryAnswer,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show a node's inventory, now or as it was",
    ),
    Route(
        method="GET",
        path="/api/v1/nodes/{node}/inventory/changes",
        handler=nodes.list_changes,
        query=nodes.ChangesQuery,
        answer=ChangePage,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List what changed in a node's inventory",
    ),
    Route(
        method="GET",
        path="/api/v1/nodes/{node}/identities",
        handler=identities.list_identities,
        answer=identities.IdentityPage,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List the generations of a node's identity",
    ),
    Route(
        method="POST",
        path="/api/v1/nodes/{node}/revoke",
        handler=identities.revoke_node,
        body=identities.RevokeBody,
        answer=identities.IdentityPage,
        auth=Auth.BEARER,
        permission=Permission.ADMIN,
        summary="Revoke a node's identity: it is mute within ten seconds",
    ),
    Route(
        method="GET",
        path="/api/v1/paths",
        handler=lists.list_paths,
        query=ListQuery,
        answer=PathPage,
        media=LIST_MEDIA,
        auth=Auth.BEARER,
        permission=Permission.READ,
        answer_s_max=LIST_S_MAX,
        summary="List paths",
    ),
)
