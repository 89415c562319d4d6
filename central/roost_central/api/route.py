"""One entry of the route table, and the rules that a table keeps before the server starts."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec
from aiohttp import web

from roost_central.access.core import Permission
from roost_central.api.call import JSON, Call, NoQuery, Reply
from roost_central.errors import ConfigError

ANSWER_S_MAX: Final = 30.0  # from the last header to the first byte of the answer
LIST_S_MAX: Final = 600.0  # a whole fleet over a slow line; each write has its own bound
BODY_BYTES_MAX: Final = 256 * 1024  # one JSON body, as on the wire

# A table holds handlers of many query and body types; each handler's own signature is checked.
Handler = Callable[[Call[Any, Any]], Awaitable[msgspec.Struct | Reply | web.StreamResponse]]


class Auth(StrEnum):
    """Whom a route serves."""

    NONE = "none"  # anyone who reaches the port
    SELF = "self"  # who has a token or a session, for what is his own
    BEARER = "bearer"  # the same, with the route's permission
    NODE = "node"  # the holder of a node's certificate: its handler asks for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What is served where, to whom, and in which shape.

    Attributes:
        auth: has no default that opens a door: None keeps the server from starting.
        permission: what one grant of who asks must have; what the handler sees through its call
            is cut to where it holds. As ``auth``, it has no default that opens a door.
        whole: it serves what belongs to no site: only a grant over the whole fleet will do.
        query: the query parameters.
        body: the type of a JSON body; None where there is none, or the handler streams it.
        body_bytes_max: of a JSON body.
        answer: the type of a JSON answer; None where there is none.
        media: what the answer may be, the usual first.
        body_media: what the body must be.
        answer_s_max: how long a read may take; None for a stream that bounds itself.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    auth: Auth | None = None
    permission: Permission | None = None
    whole: bool = False
    query: type[msgspec.Struct] = NoQuery
    body: type[msgspec.Struct] | None = None
    body_bytes_max: int = BODY_BYTES_MAX
    answer: type[msgspec.Struct] | None = None
    status: int = 200
    media: tuple[str, ...] = (JSON,)
    body_media: str | None = None
    answer_s_max: float | None = ANSWER_S_MAX

    @property
    def label(self) -> str:
        """Method and path, as logs and errors name the route."""
        return f"{self.method} {self.path}"


def check_routes(routes: Sequence[Route]) -> None:
    """Refuse a table that would serve something without having said to whom.

    Raises:
        ConfigError: ``route-auth``, ``route-permission`` or ``route-twice``.
    """
    seen: set[str] = set()
    for route in routes:
        if not isinstance(route.auth, Auth):
            raise ConfigError("route-auth", field=route.label, bound="one of Auth")
        if (route.auth is Auth.BEARER) is not isinstance(route.permission, Permission):
            bound = "one of Permission for Auth.BEARER, none for others"
            raise ConfigError("route-permission", field=route.label, bound=bound)
        if route.label in seen:
            raise ConfigError("route-twice", field=route.label)
        seen.add(route.label)
