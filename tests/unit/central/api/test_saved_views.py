"""Views that people keep: their own to change, anybody's to open who has the link."""

import pytest

from roost_central.access.core import Grant
from roost_central.api.saved_views import NAME_CHARS_MAX, QUERY_CHARS_MAX, VIEWS_MAX
from roost_central.api.view_query import PARAMETERS_MAX

VIEWS = "/api/v1/views"
VIEW = {"name": "West, serious", "page": "alarms", "query": "q=region:r01+sev>=major"}


@pytest.fixture
def put(central):
    async def put(path, body):
        answer = await central.client.put(path, json=body, headers=central.bearer)
        return answer.status, await answer.json(content_type=None)

    return put


@pytest.fixture
async def other(central, person):
    """Ask as somebody else; return (status, document)."""
    headers = await person("jd", Grant("admin"))

    async def ask(method, path, **given):
        answer = await central.client.request(method, path, headers=headers, **given)
        return answer.status, await answer.json(content_type=None) if answer.status != 204 else None

    return ask


async def test_a_view_is_kept_under_its_name_and_listed_by_it(get, post):
    assert (await get(VIEWS))[1] == {"items": []}
    status, made = await post(VIEWS, VIEW)
    assert status == 200
    assert {key: made[key] for key in VIEW} == VIEW
    assert (made["owner"], made["link"]) == ("admin", f"/v/{made['id']}")
    await post(VIEWS, {"name": "All", "page": "fleet"})
    assert [view["name"] for view in (await get(VIEWS))[1]["items"]] == ["All", "West, serious"]


async def test_who_has_the_link_opens_a_view_and_does_not_change_it(get, post, other):
    _, made = await post(VIEWS, VIEW)
    path = f"{VIEWS}/{made['id']}"
    assert await other("GET", path) == (200, made)
    assert (await other("GET", VIEWS))[1] == {"items": []}
    for method, given in (("PUT", {"json": VIEW}), ("DELETE", {})):
        status, problem = await other(method, path, **given)
        assert (status, problem["code"]) == (409, "conflict")
        assert problem["detail"].startswith("the view is admin's")
    assert (await get(path))[1] == made


async def test_two_people_may_use_one_name(post, other):
    assert (await post(VIEWS, VIEW))[0] == 200
    assert (await other("POST", VIEWS, json=VIEW))[0] == 200


async def test_a_replaced_view_keeps_its_link(get, post, put):
    _, made = await post(VIEWS, VIEW)
    status, changed = await put(f"{VIEWS}/{made['id']}", VIEW | {"name": "W", "query": "q=x"})
    assert (status, changed["link"], changed["name"]) == (200, made["link"], "W")
    assert (await get(VIEWS))[1]["items"] == [changed]


async def test_a_name_that_is_taken_says_what_to_do(post, put):
    await post(VIEWS, VIEW)
    _, made = await post(VIEWS, VIEW | {"name": "B"})
    for status, problem in (
        await post(VIEWS, VIEW | {"name": f" {VIEW['name']} "}),
        await put(f"{VIEWS}/{made['id']}", VIEW),
    ):
        assert (status, problem["errors"][0]["field"]) == (409, "name")
        assert "choose another name" in problem["detail"]


async def test_a_removed_view_is_gone_for_all(get, post, delete):
    _, made = await post(VIEWS, VIEW)
    path = f"{VIEWS}/{made['id']}"
    assert await delete(path) == 204
    assert await delete(path) == 404
    status, problem = await get(path)
    assert (status, problem["code"]) == (404, "not-found")


async def test_nobody_keeps_more_views_than_the_bound(post, put):
    for number in range(VIEWS_MAX):
        status, made = await post(VIEWS, VIEW | {"name": f"v{number}"})
        assert status == 200
    status, problem = await post(VIEWS, VIEW)
    assert (status, str(VIEWS_MAX) in problem["detail"]) == (409, True)
    assert (await put(f"{VIEWS}/{made['id']}", VIEW))[0] == 200


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("inventory", "class=disk&where=type%3Dnvme&q=region:r01"),
        ("inventory", "text=S4EVNX0R"),
        ("inventory", "part=nic%20b8:83:03:00:00:01%200000:17:00.0"),
        ("hosts", "q=avail%3Dfailed"),
        ("drift", "site=alpha"),
        ("incidents", "state=closed"),
        ("fleet", "q=&sort=-status&group=region"),
    ],
)
async def test_every_page_with_something_in_its_address_has_views(get, post, page, query):
    status, made = await post(VIEWS, VIEW | {"page": page, "query": query})
    assert (status, made["page"], made["query"]) == (200, page, query)
    assert (await get(f"{VIEWS}/{made['id']}"))[1] == made


@pytest.mark.parametrize(
    ("page", "query", "refused"),
    [
        ("fleet", "q=sevv%3Dmajor", (400, "q")),
        ("alarms", "q=sev%3E%3D", (400, "q")),
        ("events", "q=heard%3C1h", (400, "q")),
        ("hosts", "q=avial%3Dfailed", (400, "q")),
        ("inventory", "q=(", (400, "q")),
        ("inventory", "class=disk&where=driver%3Dice", (400, "where")),
        ("inventory", "where=type%3Dnvme", (400, "where")),
        ("inventory", "class=disc", (422, "class")),
        ("inventory", "part=disc%201", (422, "part")),
        ("inventory", "part=disk", (400, "item")),
        ("drift", f"site={'x' * 65}", (400, "site")),
        ("drift", "q=region:r01", (422, "q")),
        ("incidents", "q=region:r01", (422, "q")),
        ("fleet", "&".join(f"p{n}=1" for n in range(PARAMETERS_MAX + 1)), (422, "query")),
    ],
)
async def test_what_its_page_could_not_show_is_not_kept(get, post, page, query, refused):
    answer, problem = await post(VIEWS, VIEW | {"page": page, "query": query})
    assert (answer, problem["errors"][0]["field"]) == refused
    assert (await get(VIEWS))[1] == {"items": []}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " \t"}, "name"),
        ({"name": "x" * (NAME_CHARS_MAX + 1)}, "name"),
        ({"page": "https://evil.example"}, "page"),
        ({"page": "profiles"}, "page"),
        ({"query": "x" * (QUERY_CHARS_MAX + 1)}, "query"),
        ({"owner": "jd"}, "owner"),
    ],
)
async def test_what_breaks_a_rule_is_named(get, post, change, field):
    status, problem = await post(VIEWS, VIEW | change)
    assert (status, problem["errors"][0]["field"]) == (422, field)
    assert (await get(VIEWS))[1] == {"items": []}
