"""The fleet as columns, and the stream of what changes in it."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import sse
from roost_central.api.call import EVENT_STREAM
from roost_central.api.route import Auth, Route
from roost_central.api.snapshot import SnapshotDocument

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/snapshot",
        handler=sse.show_snapshot,
        query=sse.SnapshotQuery,
        answer=SnapshotDocument,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Read all sites as columns",
    ),
    Route(
        method="GET",
        path="/api/v1/stream",
        handler=sse.stream,
        query=sse.StreamQuery,
        media=(EVENT_STREAM,),
        auth=Auth.BEARER,
        permission=Permission.READ,
        answer_s_max=None,
        summary="Follow changes of the snapshot",
    ),
)
