"""What a node said in quarantine: page after page, to whom its site is shown."""

import base64

import pytest

from roost_central.access.core import Grant
from roost_central.storage import held_items


@pytest.fixture
async def said(central):
    """Three items of alpha.n1, by two boxes, and one of beta.n1."""
    items = [
        held_items.NewHeldItem(
            node=node, received_ms=2_000, at_ms=1_000, boot_id=bytes([n]) * 16, incarnation=n,
            lane="alarm", item_seq=n, kind="alarm", text=f"100.101 raise major: {n}", body=b"hot",
        )
        for node, n in (("alpha.n1", 1), ("alpha.n1", 2), ("alpha.n1", 3), ("beta.n1", 4))
    ]  # fmt: skip
    async with central.database.write() as connection:
        await held_items.append(connection, items)


@pytest.mark.usefixtures("said")
async def test_it_is_listed_the_newest_first_with_the_box_that_spoke(get):
    _, first = await get("/api/v1/nodes/alpha.n1/held", limit=2)
    _, second = await get("/api/v1/nodes/alpha.n1/held", limit=2, cursor=first["next"])
    assert [row["item_seq"] for row in first["items"] + second["items"]] == [3, 2, 1]
    assert second["next"] is None
    row = first["items"][0]
    assert (row["boot_id"], row["incarnation"]) == ("03" * 16, 3)
    assert row["at"] == "1970-01-01T00:00:01.000Z"
    assert row["received"] == "1970-01-01T00:00:02.000Z"
    assert (row["text"], row["size_bytes"]) == ("100.101 raise major: 3", 3)
    assert base64.b64decode(row["body"]) == b"hot"


@pytest.mark.usefixtures("said")
async def test_a_cursor_is_of_its_node_alone(get):
    _, page = await get("/api/v1/nodes/alpha.n1/held", limit=1)
    status, problem = await get("/api/v1/nodes/beta.n1/held", cursor=page["next"])
    assert (status, problem["code"]) == (400, "bad-cursor")


@pytest.mark.usefixtures("said")
async def test_of_a_site_out_of_scope_there_is_nothing(central, person, get):
    who = await person("regional", Grant("viewer", "region:r01"))  # alpha is there, beta is not
    for node, status in (("alpha.n1", 200), ("beta.n1", 404), ("alpha.n9", 404)):
        async with central.client.get(f"/api/v1/nodes/{node}/held", headers=who) as answer:
            assert answer.status == status, node
