"""Whom each route serves: the table itself, and what the server makes of it."""

import re
from dataclasses import replace
from importlib.resources import files

import pytest

from roost_central.access.core import Permission
from roost_central.access.throttle import WINDOW_MS
from roost_central.api.route import Auth, check_routes
from roost_central.api.routes import ROUTES
from roost_central.api.routes.enrolling import ROUTES as BOX_ROUTES
from roost_central.errors import ConfigError

# Frozen: who adds a route here opens a door to everyone, and says so in this list.
UNAUTHENTICATED = {
    "GET /",
    "GET /api/openapi.json",
    "GET /a/{alarm}",
    "GET /admin",
    "GET /alarms",
    "GET /audit",
    "GET /i/{incident}",
    "GET /incidents",
    "GET /incidents/{incident}",
    "GET /inventory",
    "GET /load",
    "GET /northbound",
    "GET /profiles",
    "GET /rollouts",
    "GET /rollouts/{rollout}",
    "GET /drift",
    "GET /hosts",
    "GET /enrol",
    "GET /shelf",
    "GET /events",
    "GET /health",
    "GET /login",
    "GET /login/oidc",
    "GET /nodes",
    "GET /nodes/{node}",
    "GET /sites",
    "GET /sites/{site}",
    "GET /static/{tree}/{path:.+}",
    "GET /v/{view}",
    "GET /api/v1/session/oidc",
    "POST /api/v1/session",
    "POST /api/v1/session/oidc",
    "POST /api/v1/session/oidc/code",
}
# Of the listener that boxes come to, which serves nothing else.
UNAUTHENTICATED_BOXES = {
    "GET /api/v1/enrol/hello",
    "POST /api/v1/enrol",
    "POST /api/v1/enrol/activate",
    "POST /api/v1/enrol/expired",
    "POST /api/v1/enrol/ticket",
}
ABSENT = (
    "alarm", "shelf", "suppression", "incident", "view", "enrolment", "claim", "order", "profile",
    "change", "rollout",
)  # fmt: skip
NAMES = {
    "profile": "p",
    "site": "alpha",
    "node": "alpha.n1",
    "alarm": "01J0",
    "shelf": "01J0",
    "suppression": "01J0",
    "incident": "01J0",
    "view": "01J0",
    "target": "noc1",
    "enrolment": "01J0",
    "claim": "abcdefghijkl",
    "order": "0" * 32,
    "change": "5c2f11d0",
    "rollout": "0" * 32,
    "user": "admin",
    "token": "admin",
    "class": "nic",
    "group": "fans",
    "release": "app~web~1.0",
    "manifest": "0" * 64,
    "blob": "0" * 64,
}
REQUESTS = [
    (route, re.sub(r"\{(\w+)\}", lambda found: NAMES[found[1]], route.path))
    for route in ROUTES
    if route.auth is not Auth.NONE
]
LABELS = [route.label for route, _ in REQUESTS]


def test_the_routes_that_ask_nobody_are_these():
    assert {route.label for route in ROUTES if route.auth is Auth.NONE} == UNAUTHENTICATED
    boxes = {route.label for route in BOX_ROUTES if route.auth is Auth.NONE}
    assert boxes == UNAUTHENTICATED_BOXES


def test_every_page_of_the_dashboard_opens_by_its_address():
    source = (files("roost_central.dashboard") / "static/app/router.js").read_text()
    pages = re.search(r"const PAGES = {(.*?)};", source, re.DOTALL)[1]
    served = {route.path.split("/")[1] for route in ROUTES if route.auth is Auth.NONE}
    assert set(re.findall(r"(\w+): \"", pages)) <= served


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.label)
def test_a_route_that_does_not_say_whom_it_serves_keeps_the_server_from_starting(route):
    with pytest.raises(ConfigError) as refused:
        check_routes([replace(route, auth=None)])

    assert refused.value.code == "route-auth"
    assert refused.value.field == route.label


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.label)
def test_a_route_that_does_not_say_what_it_needs_keeps_the_server_from_starting(route):
    wrong = None if route.auth is Auth.BEARER else Permission.READ
    with pytest.raises(ConfigError) as refused:
        check_routes([replace(route, permission=wrong)])

    assert refused.value.code == "route-permission"
    assert refused.value.field == route.label


def test_a_route_stands_once():
    with pytest.raises(ConfigError, match="route-twice"):
        check_routes([ROUTES[0], ROUTES[0]])


async def test_nobody_is_let_in_without_a_token(central):
    for route, path in REQUESTS:
        answer = await central.client.request(route.method, path)

        assert answer.status == 401, route.label
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), route.label
        told = await answer.json(content_type="application/problem+json")
        assert told["code"] == "unauthenticated", route.label


@pytest.mark.parametrize(
    "header",
    ["Bearer rtk_" + "a" * 52, "Bearer rtk_short", "Bearer ", "Basic YTpi", "rtk_" + "a" * 52],
)
async def test_nobody_is_let_in_with_a_wrong_token(central, clock, header):
    for route, path in REQUESTS:
        clock.now_ms += WINDOW_MS  # what failed before no longer counts
        answer = await central.client.request(route.method, path, headers={"Authorization": header})

        assert answer.status == 401, route.label


@pytest.mark.parametrize(("route", "path"), REQUESTS, ids=LABELS)
async def test_the_owner_of_a_token_is_let_in(central, route, path):
    async with central.client.request(route.method, path, headers=central.bearer) as answer:
        assert answer.status not in {401, 403, 405, 500}
        if answer.status == 404:  # the route is there; what it was asked for is not
            assert any(f"{{{name}}}" in route.path for name in ABSENT)
