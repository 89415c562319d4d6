"""The query language explained, and the inventory of the whole fleet."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import fleet_inventory, inventory_parts, query_explain
from roost_central.api.lists import LIST_MEDIA
from roost_central.api.route import LIST_S_MAX, Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/query/explain",
        handler=query_explain.explain,
        query=query_explain.ExplainQuery,
        answer=query_explain.Explanation,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Explain a query: its fields, and where each part is answered",
    ),
    Route(
        method="GET",
        path="/api/v1/inventory/search",
        handler=inventory_parts.search,
        query=inventory_parts.SearchQuery,
        answer=inventory_parts.PartHits,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Find parts by a serial, MAC, WWN, PCI id, firmware or package",
    ),
    Route(
        method="GET",
        path="/api/v1/inventory/part",
        handler=inventory_parts.show_part,
        query=inventory_parts.PartQuery,
        answer=inventory_parts.PartAnswer,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Say where a part is and was",
    ),
    Route(
        method="GET",
        path="/api/v1/inventory/compare",
        handler=inventory_parts.compare_nodes,
        query=inventory_parts.CompareQuery,
        answer=inventory_parts.InventoryComparison,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Compare two nodes, or one at two moments",
    ),
    Route(
        method="GET",
        path="/api/v1/inventory/classes/{class}",
        handler=fleet_inventory.list_items,
        query=fleet_inventory.ItemsQuery,
        answer=fleet_inventory.ItemPage,
        media=LIST_MEDIA,
        auth=Auth.BEARER,
        permission=Permission.READ,
        answer_s_max=LIST_S_MAX,
        summary="List the items of a class over the fleet",
    ),
)
