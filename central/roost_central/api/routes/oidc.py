"""Logins by an OpenID provider."""

from typing import Final

from roost_central.api import oidc
from roost_central.api.route import Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/session/oidc",
        handler=oidc.show_offer,
        answer=oidc.Offer,
        auth=Auth.NONE,
        summary="Say whether an OpenID provider logs people in, and whether it answers",
    ),
    Route(
        method="POST",
        path="/api/v1/session/oidc",
        handler=oidc.begin,
        body=oidc.BeginBody,
        answer=oidc.BegunAnswer,
        auth=Auth.NONE,
        summary="Begin a browser's login by the OpenID provider",
    ),
    Route(
        method="POST",
        path="/api/v1/session/oidc/code",
        handler=oidc.finish,
        body=oidc.FinishBody,
        answer=oidc.FinishAnswer,
        auth=Auth.NONE,
        summary="Log a browser in with what the OpenID provider sent it back with",
    ),
)
