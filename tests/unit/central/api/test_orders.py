"""Orders over HTTP: pages, scopes, and what is said where nobody can sign."""

import pytest

from roost_central.access.core import Grant
from roost_central.hosts.actions import ACTIONS
from roost_central.orders.core import OrderRecord, State
from roost_central.storage import audit, orders
from roost_protocol.host_verbs import HOST_VERBS


def order(number, site="alpha", state=State.DONE):
    return OrderRecord(
        id=f"{number:032x}", node=f"{site}.n1", site=site, verb="resync", given={"what": "all"},
        reason="", by="ada", placed_ms=1_000 + number // 2, not_after_ms=10**13, state=state,
        changed_ms=1_000,
    )  # fmt: skip


@pytest.fixture
async def ordered(central):
    """Nine orders at alpha, two of each moment, and one at beta that waits."""
    async with central.database.write() as connection:
        await orders.save(connection, *map(order, range(9)), order(99, "beta", State.PENDING))


@pytest.mark.usefixtures("ordered")
async def test_pages_give_each_order_once_the_newest_first(get):
    seen, cursor = [], ""
    while cursor is not None:
        _, page = await get("/api/v1/orders", node="alpha.n1", limit=4, cursor=cursor)
        seen += [int(row["id"], 16) for row in page["items"]]
        cursor = page["next"]
    assert seen == list(range(8, -1, -1))


@pytest.mark.usefixtures("ordered")
async def test_a_cursor_is_of_its_list_alone(get):
    _, page = await get("/api/v1/orders", node="alpha.n1", limit=4)
    status, problem = await get("/api/v1/orders", state="open", cursor=page["next"])
    assert (status, problem["code"]) == (400, "bad-cursor")


@pytest.mark.usefixtures("ordered")
async def test_open_orders_are_those_that_have_not_ended(get):
    _, page = await get("/api/v1/orders", state="open")
    assert [row["node"] for row in page["items"]] == ["beta.n1"]


@pytest.mark.usefixtures("ordered")
async def test_orders_of_others_sites_are_not_there(central, person):
    who = await person("regional", Grant("admin", "region:r01"))  # alpha is there, beta is not
    async with central.client.get("/api/v1/orders", headers=who) as answer:
        assert {row["node"] for row in (await answer.json())["items"]} == {"alpha.n1"}
    async with central.client.get(f"/api/v1/orders/{99:032x}", headers=who) as answer:
        assert answer.status == 404
    for act, body in (("approve", None), ("cancel", {"reason": "x"})):
        path = f"/api/v1/orders/{99:032x}/{act}"
        async with central.client.post(path, json=body, headers=who) as answer:
            assert answer.status == 404


async def test_where_nobody_can_sign_nobody_can_order_and_the_try_is_on_record(central, post):
    status, problem = await post("/api/v1/nodes/alpha.n1/orders", {"verb": "resync"})
    assert (status, problem["code"]) == (409, "conflict")
    assert "[signer]" in problem["detail"]
    async with central.database.read() as connection:
        [row] = await audit.page(connection, before=None, limit=1)
    assert (row.act.action, row.act.outcome, row.act.object) == (
        "order.place", "refused", "alpha.n1",
    )  # fmt: skip


@pytest.mark.parametrize("verb", HOST_VERBS)
async def test_an_act_on_a_host_is_not_ordered_past_its_checks(central, post, verb):
    status, problem = await post(
        "/api/v1/nodes/alpha.n1/orders", {"verb": verb, "given": {"node": "n1"}, "reason": "fan"}
    )
    assert (status, problem["errors"][0]["code"]) == (422, "host-act")
    action = verb.removeprefix("host-")
    assert action in ACTIONS
    assert f"roost host {action} alpha.n1" in problem["errors"][0]["detail"]
    async with central.database.read() as connection:
        assert await orders.count_open(connection, "alpha.n1") == (0, 0)
        [row] = await audit.page(connection, before=None, limit=1)
    assert (row.act.action, row.act.outcome) == ("order.place", "refused")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verb": "resync", "life_s": 59},
        {"verb": "resync", "reason": "a\nb"},
        {"x": 1},
        {"verb": "resync", "reason": "a\n"},
    ],
)
async def test_a_body_that_breaks_a_bound_is_refused(post, body):
    assert (await post("/api/v1/nodes/alpha.n1/orders", body))[0] == 422
