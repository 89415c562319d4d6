"""The node that a path names, for every answer about one node."""

from typing import Any, Final

from roost_central.api.call import Call
from roost_central.api.problem import ApiError
from roost_central.fleet.view import NodeRow

SHOWN_CHARS_MAX: Final = 80  # of a name that nobody knows


def named_node(call: Call[Any, Any]) -> NodeRow:
    """Return the node that a path names.

    Raises:
        ApiError: ``not-found``: the caller sees no such node.
    """
    name = call.path("node")
    row = call.api.view.nodes.get(name)
    if row is None:
        raise ApiError("not-found", f"there is no node {name[:SHOWN_CHARS_MAX]!r}")
    return row
