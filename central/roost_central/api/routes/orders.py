"""Orders to nodes."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import orders
from roost_central.api.route import Auth, Route

ROUTES: Final = (
    Route(
        method="POST",
        path="/api/v1/nodes/{node}/orders",
        handler=orders.place_order,
        body=orders.OrderBody,
        answer=orders.OrderAnswer,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        status=201,
        summary="Have a node do something",
    ),
    Route(
        method="GET",
        path="/api/v1/order-verbs",
        handler=orders.list_verbs,
        answer=orders.VerbPage,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List what can be ordered, and what the signer's policy says of it",
    ),
    Route(
        method="GET",
        path="/api/v1/orders",
        handler=orders.list_orders,
        query=orders.OrderQuery,
        answer=orders.OrderPage,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List orders, the newest first",
    ),
    Route(
        method="GET",
        path="/api/v1/orders/{order}",
        handler=orders.show_order,
        answer=orders.OrderAnswer,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show an order and what became of it",
    ),
    Route(
        method="POST",
        path="/api/v1/orders/{order}/approve",
        handler=orders.approve_order,
        answer=orders.OrderAnswer,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Approve somebody else's order",
    ),
    Route(
        method="POST",
        path="/api/v1/orders/{order}/cancel",
        handler=orders.cancel_order,
        body=orders.CancelBody,
        answer=orders.OrderAnswer,
        auth=Auth.BEARER,
        permission=Permission.HOST,
        summary="Cancel an order that its node did not take",
    ),
)
