"""The OpenAPI document says what the table says."""

import re

from roost_central.api.openapi import document
from roost_central.api.route import Auth
from roost_central.api.routes import API

DOCUMENT = document(API, "1.2.3")


def references(part):
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def test_every_route_of_the_api_is_an_operation():
    operations = {
        (method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods
    }

    assert operations == {(route.method, route.path) for route in API}


def test_an_operation_asks_for_what_its_route_asks_for():
    for route in API:
        operation = DOCUMENT["paths"][route.path][route.method.lower()]
        assert bool(operation["security"]) is (route.auth is not Auth.NONE), route.label


def test_every_reference_leads_to_a_schema():
    names = DOCUMENT["components"]["schemas"]

    assert {re.sub(".*/", "", each) for each in references(DOCUMENT)} <= names.keys()


def test_operation_ids_are_unique():
    ids = [op["operationId"] for methods in DOCUMENT["paths"].values() for op in methods.values()]

    assert len(ids) == len(set(ids))


def test_a_query_parameter_carries_its_bounds():
    parameters = DOCUMENT["paths"]["/api/v1/nodes"]["get"]["parameters"]
    limit = next(each for each in parameters if each["name"] == "limit")

    assert "1000" in str(limit["schema"])


async def test_it_is_served_to_anyone(central):
    answer = await central.client.get("/api/openapi.json")

    assert answer.status == 200
    assert (await answer.json())["openapi"] == "3.1.0"
