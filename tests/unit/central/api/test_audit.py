"""Who did what: each act leaves one row, and the export of all is a chain that holds."""

import json

import pytest

from roost_central.access.chain import START, Act, Anchor, ChainCheck, Entry

SITE = "/api/v1/sites/new"
VIEW = {"name": "mine", "page": "alarms"}


@pytest.fixture
def done(central):
    """Ask for what works; return the body and the headers."""

    async def done(method, path, **more):
        headers = central.bearer | more.pop("headers", {})
        async with central.client.request(method, path, headers=headers, **more) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.read(), answer.headers

    return done


async def test_each_act_leaves_one_row_with_who_from_where_and_on_which_request(done, get):
    seen = 1  # the admin token of the first start

    async def left(headers):
        nonlocal seen
        _, page = await get("/api/v1/audit")
        assert len(page["items"]) == seen + 1
        seen += 1
        row = page["items"][0]
        assert (row["actor"], row["role"], row["via"]) == ("admin", "admin", "token:admin")
        assert (row["source"], row["request_id"]) == ("127.0.0.1", headers["X-Request-Id"])
        return row

    put = await left((await done("PUT", SITE, json={"labels": {"region": "r1"}}))[1])
    assert (put["action"], put["object"], put["before"]) == ("site.put", "new", "")
    changed = await left((await done("PUT", SITE, json={}, headers={"If-Match": "*"}))[1])
    assert changed["before"] == put["after"] != changed["after"]
    gone = await left((await done("DELETE", SITE))[1])
    assert (gone["action"], gone["before"], gone["after"]) == ("site.delete", changed["after"], "")
    lines = b'{"site": "other"}\n'
    ndjson = {"Content-Type": "application/x-ndjson"}
    row = await left((await done("POST", "/api/v1/sites:import", data=lines, headers=ndjson))[1])
    assert (row["action"], row["detail"]["created"]) == ("site.import", 1)
    body, headers = await done("POST", "/api/v1/views", json=VIEW)
    view = f"/api/v1/views/{json.loads(body)['id']}"
    assert (await left(headers))["action"] == "view.put"
    assert (await left((await done("PUT", view, json=VIEW))[1]))["action"] == "view.put"
    assert (await left((await done("DELETE", view))[1]))["action"] == "view.delete"
    row = await left((await done("POST", "/api/v1/northbound/noc1:test"))[1])
    assert (row["action"], row["object"]) == ("northbound.test", "noc1")


async def test_what_is_refused_leaves_no_row(central, get):
    path = "/api/v1/sites/alpha"
    assert (await central.client.put(path, json={}, headers=central.bearer)).status == 428
    items = (await get("/api/v1/audit"))[1]["items"]
    assert [row["action"] for row in items] == ["token.create"]


async def test_the_export_is_a_chain_that_holds_up_to_the_head(done, get):
    for n in range(5):
        await done("PUT", f"/api/v1/sites/s{n}", json={"labels": {"place": "Zürich"}})
    body, _ = await done("GET", "/api/v1/audit/export")
    _, told = await get("/api/v1/audit/head")
    head = Anchor(told["head"]["seq"], bytes.fromhex(told["head"]["hash"]))
    chain = ChainCheck(START, [head])
    names = Act.__slots__
    for line in body.splitlines():
        row = json.loads(line)
        act = Act(**{name: row[name] for name in names})
        hashes = (bytes.fromhex(row["prev_hash"]), bytes.fromhex(row["hash"]))
        chain.see(Entry(row["seq"], act, *hashes))
    chain.end()
    assert chain.rows == 6
    tail, _ = await done("GET", "/api/v1/audit/export?after=3")
    assert [json.loads(line)["seq"] for line in tail.splitlines()] == [4, 5, 6]


async def test_acts_are_found_by_action_and_time(done, get):
    await done("PUT", SITE, json={})
    await done("DELETE", SITE)
    _, page = await get("/api/v1/audit", action="site.put")
    assert [row["action"] for row in page["items"]] == ["site.put"]
    _, page = await get("/api/v1/audit", action="site", since="1h", actor="admin")
    assert len(page["items"]) == 2
    status, problem = await get("/api/v1/audit", since="never")
    assert (status, problem["code"]) == (400, "bad-parameter")
