"""One request on its way through a handler, and the reply it may give."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import msgspec
from aiohttp import web

from roost_central.access.core import EVERYWHERE, Scope
from roost_central.api.auth import Principal
from roost_central.api.service import Api

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
EVENT_STREAM: Final = "text/event-stream"
REQUEST_ID: Final = web.RequestKey("request_id", str)
UNLOGGED: Final = web.RequestKey("unlogged", bool)  # told in another way than by a line of its own
HTML: Final = "text/html"

Q = TypeVar("Q", bound=msgspec.Struct)
B = TypeVar("B")


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No query parameters."""


class PageQuery(msgspec.Struct, frozen=True):
    """Whatever the page keeps in its address (query, grouping, sort): the page reads it itself."""


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """A request that was let in: what it asks, and everything to answer it with.

    Attributes:
        api: the state of this process.
        request: for path parameters and headers.
        query: the query parameters, validated.
        body: the body, validated; None for a route without one.
        principal: who asks; None on a route that asks nobody.
        scope: where the route's permission holds for them; ``api`` is cut to it.
        role: that gives it; empty where none was needed.
        now_ms: UTC of the request: all ages of an answer are as of one moment.
    """

    api: Api
    request: web.Request
    query: Q
    body: B
    principal: Principal | None
    now_ms: int
    scope: Scope = EVERYWHERE
    role: str = ""

    def path(self, name: str) -> str:
        """Return a path parameter."""
        return self.request.match_info[name]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that needs more than a body: bytes are sent as they are, all else as JSON.

    Attributes:
        is_encoded: the handler chose the content coding; it is not compressed again.
        is_gzipped: the coding it chose is gzip.
    """

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = JSON
    is_encoded: bool = False
    is_gzipped: bool = False
