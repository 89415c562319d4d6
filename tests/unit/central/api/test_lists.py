"""The lists over HTTP."""

import csv
import io
import json

import pytest

NODES = "/api/v1/nodes"


async def all_pages(get, path, **params):
    """Walk a list by its cursors; return the items of all pages."""
    items, cursor = [], None
    for _ in range(100):
        extra = {"cursor": cursor} if cursor else {}
        status, page = await get(path, **params, **extra)
        assert status == 200, page
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items
    raise AssertionError("the list does not end")


async def test_a_node_is_shown_with_ages_as_of_the_answer(get, clock):
    clock.now_ms += 2_500
    status, page = await get(NODES, limit=1)

    (node,) = page["items"]
    assert status == 200
    assert (node["node"], node["site"], node["name"]) == ("alpha.n1", "alpha", "n1")
    assert node["age_s"] == 7.5
    assert node["heard"] == "2026-11-01T02:26:35.000Z"
    assert node["paths"][0]["state"] == "up"


async def test_what_was_never_heard_has_no_age(get):
    _, node = await get("/api/v1/nodes/gamma.n1")

    assert (node["heard"], node["age_s"]) == (None, None)


async def test_pages_follow_each_other_without_a_gap_or_a_repetition(get, grow):
    for n in range(7):
        grow(f"s{n}", nodes=3)

    names = [node["node"] for node in await all_pages(get, NODES, limit=4)]

    assert names == sorted(names)
    assert len(names) == len(set(names)) == 4 + 21


async def test_a_list_runs_backwards_as_well(get):
    names = [node["node"] for node in await all_pages(get, NODES, limit=1, sort="-node")]

    assert names == ["gamma.n1", "beta.n1", "alpha.n2", "alpha.n1"]


@pytest.mark.parametrize("sort", ["heard", "-heard", "presence", "-presence", "agent"])
async def test_any_order_has_all_rows_once_and_rows_without_a_value_last(get, view, sort):
    for age, node in enumerate(view.nodes.values()):
        node.heard_ms = None if node.node == "beta.n1" else 1_000_000 + age

    nodes = await all_pages(get, NODES, limit=1, sort=sort)

    assert sorted(node["node"] for node in nodes) == sorted(view.nodes)
    if "heard" in sort:
        heard = [node["heard"] for node in nodes]
        assert heard[-1] is None
        assert heard[:-1] == sorted(heard[:-1], reverse=sort.startswith("-"))


async def test_a_cursor_is_of_one_list_sort_and_filter(get):
    _, page = await get(NODES, limit=1)
    cursor = page["next"]

    for path, params in (
        (NODES, {"sort": "-node"}),
        (NODES, {"filter": "site=alpha"}),
        ("/api/v1/sites", {}),
    ):
        status, found = await get(path, cursor=cursor, **params)
        assert (status, found["code"]) == (400, "bad-cursor")


async def test_a_row_that_goes_between_two_pages_does_not_disturb(get, view):
    _, page = await get("/api/v1/sites", limit=1)
    view.remove_site("alpha")

    _, rest = await get("/api/v1/sites", cursor=page["next"])

    assert [site["site"] for site in rest["items"]] == ["beta", "gamma"]


@pytest.mark.parametrize(
    ("path", "query", "names"),
    [
        ("/api/v1/sites", "region=r02", ["beta", "gamma"]),
        ("/api/v1/sites", "status>=degraded", ["beta"]),
        ("/api/v1/sites", "label.tier:*", ["gamma"]),
        ("/api/v1/sites", "node=alpha.n2", ["alpha"]),
        ("/api/v1/sites", "path.wan1=up nodes>1", ["alpha"]),
        ("/api/v1/sites", "!age:*", ["gamma"]),
        ("/api/v1/sites", "presence=online age<10s", ["alpha", "beta"]),
        ("/api/v1/sites", "gamm", ["gamma"]),
        (NODES, "region=r02 presence=online", ["beta.n1"]),
        (NODES, "status=down", ["beta.n1"]),
        ("/api/v1/paths", "site=alpha path.wan1=up", ["alpha.n1", "alpha.n2"]),
    ],
)
async def test_a_filter_chooses_rows(get, path, query, names):
    status, page = await get(path, filter=query)

    assert status == 200, page
    key = "site" if path.endswith("sites") else "node"
    assert [item[key] for item in page["items"]] == names


async def test_nodes_are_found_by_when_their_boxes_were_let_in(get, view):
    view.nodes["alpha.n1"].enrolled_ms = 1_793_000_000_000  # 2026-10-26
    for query, names in (
        ("enrolled>2026-10-01T00:00:00Z", ["alpha.n1"]),
        ("enrolled>2026-11-01T00:00:00Z", []),
        ("enrolled=null site=alpha", ["alpha.n2"]),
    ):
        status, page = await get(NODES, filter=query)
        assert status == 200, page
        assert [item["node"] for item in page["items"]] == names


async def test_a_field_of_another_kind_of_row_is_refused(get):
    status, found = await get("/api/v1/sites", filter="masked=true")

    assert (status, found["errors"][0]["code"]) == (400, "not-here")


async def test_only_the_wanted_fields_are_sent(get):
    _, page = await get(NODES, fields="node,presence", limit=1)

    assert page["items"] == [{"node": "alpha.n1", "presence": "online"}]


@pytest.mark.parametrize("sort", ["node", "-heard"])
async def test_the_count_is_of_all_rows_that_fit(get, sort):
    _, page = await get(NODES, filter="region=r02", count="exact", limit=1, sort=sort)

    assert (len(page["items"]), page["count"]) == (1, 2)


async def test_csv_is_the_whole_result(central):
    answer = await central.client.get(
        "/api/v1/sites", headers={**central.bearer, "Accept": "text/csv"}
    )
    rows = list(csv.DictReader(io.StringIO(await answer.text())))

    assert answer.content_type == "text/csv"
    assert [row["site"] for row in rows] == ["alpha", "beta", "gamma"]
    assert rows[0]["label.region"] == "r01"
    assert rows[0]["nodes.online"] == "2"
    assert rows[2]["heard"] == ""


async def test_ndjson_is_the_whole_result(central, grow):
    for n in range(300):
        grow(f"s{n:03d}")
    answer = await central.client.get(
        NODES,
        params={"fields": "node"},
        headers={**central.bearer, "Accept": "application/x-ndjson"},
    )
    lines = (await answer.text()).splitlines()

    assert len(lines) == 304
    assert json.loads(lines[0]) == {"node": "alpha.n1"}


async def test_an_unknown_representation_is_refused(central):
    answer = await central.client.get(NODES, headers={**central.bearer, "Accept": "image/png"})

    assert answer.status == 406


async def test_the_status_counts_everything_and_shows_no_credentials(get, central):
    class Lost:
        name, url, state, since_ms = "b1", "mqtt://user:pass@127.0.0.1:1883", "lost", None

    central.figures.brokers = [Lost]
    central.figures.refused = {"unknown-node": 3}
    _, status = await get("/api/v1/status")

    assert status["sites"] == {
        "ok": 2, "degraded": 0, "maintenance": 0, "down": 1, "unknown": 0, "total": 3,
    }  # fmt: skip
    assert status["nodes"]["online"] == 3
    assert status["brokers"] == [
        {"name": "b1", "url": "mqtt://127.0.0.1:1883", "state": "lost", "since": None}
    ]
    assert status["ingest"]["refused"] == {"unknown-node": 3}
