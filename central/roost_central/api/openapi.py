"""The OpenAPI 3.1 document, made from the route table and the types that requests and answers have.

Nothing is written twice: a parameter is a field of a query Struct, a schema is a Struct.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from roost_central.api.call import JSON, Call, NoQuery, Reply
from roost_central.api.problem import CONTENT_TYPE, Problem
from roost_central.api.route import Auth, Route

Schema: TypeAlias = dict[str, Any]  # JSON Schema is a recursive dict

OPENAPI: Final = "3.1.0"
LOGGED_IN: Final = frozenset({Auth.SELF, Auth.BEARER})
_REF: Final = "#/components/schemas/{name}"
_PATH_PARAMETER: Final = re.compile(r"\{(\w+)(?::[^}]*)?\}")


async def show_openapi(call: Call[NoQuery, None]) -> Reply:
    """GET /api/openapi.json."""
    return Reply(call.api.openapi, headers={"Cache-Control": "no-cache"})


def document(routes: Sequence[Route], version: str) -> Schema:
    """Return the document of a route table."""
    types = sorted(_types(routes), key=lambda each: each.__name__)
    _, schemas = msgspec.json.schema_components(types, ref_template=_REF)
    paths: dict[str, Schema] = {}
    for route in routes:
        path = _PATH_PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": OPENAPI,
        "info": {"title": "roost", "version": version},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "rtk_..."},
                "session": {"type": "apiKey", "in": "cookie", "name": "roost_session"},
            },
        },
    }


def _types(routes: Iterable[Route]) -> set[type[msgspec.Struct]]:
    found = {each for route in routes for each in (route.body, route.answer) if each is not None}
    return {Problem, *found}


def _operation(route: Route) -> Schema:
    operation: Schema = {
        "operationId": f"{route.method.lower()}{re.sub(r'[^A-Za-z0-9]+', '_', route.path)}",
        "summary": route.summary,
        "security": [{"bearer": []}, {"session": []}] if route.auth in LOGGED_IN else [],
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": {
            str(route.status): _answer(route),
            "default": {
                "description": "A problem (RFC 9457)",
                "content": {CONTENT_TYPE: {"schema": _ref(Problem)}},
            },
        },
    }
    if route.permission is not None:
        operation["x-permission"] = route.permission
    body = _body(route)
    return operation | ({"requestBody": body} if body else {})


def _answer(route: Route) -> Schema:
    if route.answer is None and route.media == (JSON,):
        return {"description": route.summary}
    return {
        "description": route.summary,
        "content": {
            media: {"schema": _ref(route.answer)} if media == JSON and route.answer else {}
            for media in route.media
        },
    }


def _body(route: Route) -> Schema | None:
    if route.body is not None:
        return {"required": True, "content": {JSON: {"schema": _ref(route.body)}}}
    if route.body_media is not None:
        return {"required": True, "content": {route.body_media: {}}}
    return None


def _path_parameters(route: Route) -> Iterable[Schema]:
    for name in _PATH_PARAMETER.findall(route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(route: Route) -> Iterable[Schema]:
    schema = msgspec.json.schema(route.query)
    properties = schema["$defs"][route.query.__name__]["properties"]
    for name, parameter in properties.items():
        yield {"name": name, "in": "query", "required": False, "schema": parameter}


def _ref(of: type[msgspec.Struct]) -> Schema:
    return {"$ref": _REF.format(name=of.__name__)}
