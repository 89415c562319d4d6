"""Sites: registered, changed, removed, imported."""

import io
import json

import pytest

from roost_central.api.site_import import IMPORT_BYTES_MAX, LINE_BYTES_MAX
from roost_central.fleet.restore import restore

PATH = "/api/v1/sites/delta"
BODY = {"labels": {"region": "r09"}, "lat": 52.5, "lon": 13.4}


@pytest.fixture
def put(central):
    async def put(body=BODY, path=PATH, **headers):
        answer = await central.client.put(path, json=body, headers={**central.bearer, **headers})
        return answer.status, answer.headers.get("ETag"), await answer.json(content_type=None)

    return put


@pytest.fixture
def load(central):
    """POST lines to the import; return (status, document)."""

    async def load(*lines):
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        answer = await central.client.post(
            "/api/v1/sites:import",
            data=io.BytesIO(text.encode()),
            headers={**central.bearer, "Content-Type": "application/x-ndjson"},
        )
        return answer.status, await answer.json(content_type=None)

    return load


async def test_a_new_site_is_registered_and_kept(put, get, central):
    status, etag, site = await put()

    assert (status, etag, site["revision"]) == (201, '"1"', 1)
    async with central.database.read() as connection:
        kept = await restore(connection)
    assert kept.sites["delta"].labels == {"region": "r09"}
    assert (await get("/api/v1/sites", filter="region=r09"))[1]["items"][0]["site"] == "delta"


async def test_a_change_names_the_revision_that_it_replaces(put):
    _, etag, _ = await put()

    status, _, found = await put({"labels": {}})
    assert (status, found["code"]) == (428, "if-match-needed")

    status, after, site = await put({"labels": {"a": "b"}}, **{"If-Match": etag})
    assert (status, after, site["labels"]) == (200, '"2"', {"a": "b"})

    status, _, found = await put({"labels": {}}, **{"If-Match": etag})
    assert (status, found["code"]) == (412, "stale")


@pytest.mark.parametrize("tag", ["nonsense", '"x"', 'W/"1"', '"99"', ""])
async def test_a_tag_that_is_not_the_present_one_changes_nothing(put, view, tag):
    await put()
    status, _, _ = await put({"labels": {}}, **{"If-Match": tag})

    assert status == 412
    assert view.sites["delta"].labels == {"region": "r09"}


async def test_a_new_site_cannot_replace_a_revision(put):
    status, _, found = await put(**{"If-Match": '"1"'})

    assert (status, found["code"]) == (412, "stale")


async def test_a_site_that_must_be_new_is_not_replaced(put):
    await put()
    status, _, _ = await put(**{"If-None-Match": "*"})

    assert status == 412


@pytest.mark.parametrize("name", ["Delta", "-x", "a.b", "x" * 33, "a%2fb", "%ff"])
async def test_a_bad_name_is_refused(put, name):
    status, _, found = await put(path=f"/api/v1/sites/{name}")

    assert (status, found["code"]) == (422, "invalid")
    assert found["errors"][0]["field"] == "site"


async def test_a_site_is_removed_with_its_nodes(central, get):
    answer = await central.client.delete("/api/v1/sites/alpha", headers=central.bearer)
    assert answer.status == 204

    assert (await get("/api/v1/sites/alpha"))[0] == 404
    assert (await get("/api/v1/nodes/alpha.n1"))[0] == 404
    again = await central.client.delete("/api/v1/sites/alpha", headers=central.bearer)
    assert again.status == 404


async def test_an_import_says_what_became_of_its_lines(load, get):
    lines = [
        {"site": "s1", "labels": {"region": "r1"}, "nodes": ["n1", "n2"]},
        {"site": "s2", "lat": 1, "lon": 2},
        "",
        "not json",
        {"site": "S3"},
        {"site": "s1"},
        {"site": "s4", "nodes": ["Bad"]},
        {"site": "s5", "lat": 200, "lon": 0},
    ]

    status, answer = await load(*lines)

    assert status == 200
    assert (answer["created"], answer["updated"], answer["unchanged"]) == (2, 0, 0)
    assert [(fault["line"], fault["field"]) for fault in answer["errors"]] == [
        (4, ""), (5, "site"), (6, "site"), (7, "nodes"), (8, "lat"),
    ]  # fmt: skip
    assert (await get("/api/v1/sites/s1"))[1]["nodes"]["total"] == 2

    status, answer = await load(*lines[:2], {"site": "s2", "labels": {"x": "y"}})
    assert len(answer["errors"]) == 1
    status, answer = await load(lines[0], {"site": "s2", "labels": {"x": "y"}})
    assert (answer["created"], answer["updated"], answer["unchanged"]) == (0, 1, 1)


async def test_a_line_that_is_too_long_stops_the_import(load, view):
    status, found = await load({"site": "s1"}, "x" * (LINE_BYTES_MAX + 1))

    assert (status, found["code"]) == (413, "too-large")
    assert "s1" not in view.sites


async def test_an_import_that_is_too_large_stops(load, view):
    lines = [json.dumps({"site": f"s{n}"}) + " " * 8_000 for n in range(IMPORT_BYTES_MAX // 8_000)]

    status, found = await load(*lines)

    assert (status, found["code"]) == (413, "too-large")
    assert "s1" not in view.sites


async def test_an_import_is_larger_than_any_other_body_may_be(load):
    status, answer = await load(
        *({"site": f"s{n}", "labels": {"a": "b" * 100}} for n in range(3_000))
    )

    assert (status, answer["created"]) == (200, 3_000)


@pytest.mark.parametrize("labels", [{"a\n": "b"}, {"a": "b\n"}, {"a": "b\x00"}])
async def test_a_label_holds_no_line_end_and_no_control_character(put, labels):
    status, _, problem = await put({"labels": labels})
    assert (status, problem["code"]) == (422, "invalid")
