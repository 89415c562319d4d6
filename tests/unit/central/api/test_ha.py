"""A site's local HA over HTTP."""

import pytest

from roost_central.storage import events
from roost_protocol.ha_report import (
    HA_DECISION,
    HA_ROLE,
    HaGroup,
    HaPeer,
    HaReport,
    HaRole,
    HaWay,
)

HOSTS = ["n1", "n2"]
NODES = ("n1", "n2", "n3")
WAYS = [HaWay("lan/n1", "lan", "mqtt", "n1"), HaWay("lan/udp", "lan", "udp")]


def report(role, *, hears, epoch=8):
    return HaReport(
        v=1,
        profile="fast",
        nodes=list(NODES),
        voters=list(NODES),
        cfgver=7,
        groups=[
            HaGroup(
                name="main",
                model="2N",
                hosts=HOSTS,
                role=role,
                epoch=epoch,
                holder="n1",
                bar="maintenance" if role is HaRole.BARRED else "",
                state="active" if role is HaRole.ACTIVE else "disabled",
                services={"db": "active"} if role is HaRole.ACTIVE else {},
            )
        ],
        ways=WAYS,
        peers=[HaPeer(peer, state, 1_000, {"0": path, "1": "up"}) for peer, state, path in hears],
        faults=["disk full"] if role is HaRole.BARRED else [],
    )


@pytest.fixture
def site(view, clock):
    """Site `pair`: n1 is active, n2 stands by, n3 votes."""

    view.add_site("pair", 1)
    for name in NODES:
        view.add_node(f"pair.{name}", "pair", name).presence = "online"
    hears = {
        "n1": [("n2", "alive", "up"), ("n3", "alive", "up")],
        "n2": [("n1", "alive", "down"), ("n3", "alive", "up")],
        "n3": [("n1", "alive", "up"), ("n2", "alive", "up")],
    }
    roles = {"n1": HaRole.ACTIVE, "n2": HaRole.STANDBY, "n3": HaRole.VOTER}
    for name, role in roles.items():
        row = view.nodes[f"pair.{name}"]
        row.ha, row.ha_at_ms = report(role, hears=hears[name]), clock.now_ms - 4_000
    return view


def said(node, type_, text, at_ms, **params):
    return events.NewEvent(
        at_ms, at_ms, "ha", type_, 1, text, site="pair", node=f"pair.{node}", params=params
    )


@pytest.fixture
async def history(central, clock):
    now_ms = clock.now_ms
    turn = {"group": "main", "epoch": 8}
    async with central.database.write() as connection:
        await events.append(
            connection,
            [
                said(
                    "n2", HA_ROLE, "took (3)", now_ms - 9_000, role="active", **turn | {"epoch": 3}
                ),
                said("n1", HA_DECISION, "path down", now_ms - 7_000, path=0),
                said("n1", HA_ROLE, "took (8)", now_ms - 5_000, role="active", **turn),
                events.NewEvent(now_ms, now_ms, "node", HA_ROLE, 1, "no", site="pair"),
                events.NewEvent(now_ms, now_ms, "ha", HA_ROLE, 1, "no", site="alpha"),
            ],
        )


async def test_a_site_says_who_is_active_and_why(get, site, history):
    status, told = await get("/api/v1/sites/pair/ha")

    assert (status, told["redundancy"], told["voters"]) == (200, "ok", list(NODES))
    (group,) = told["groups"]
    assert (group["group"], group["active"], group["standby"]) == ("main", ["n1"], ["n2"])
    assert (group["epoch"], group["why"]) == (8, "took (8)")
    assert group["since"] == "2026-11-01T02:26:35.000Z"
    assert [(host["node"], host["role"]) for host in group["hosts"]] == [
        ("n1", "active"),
        ("n2", "standby"),
    ]
    assert group["hosts"][0]["services"] == {"db": "active"}


async def test_the_matrix_has_a_cell_for_each_node_that_hears_and_each_that_is_heard(get, site):
    _, told = await get("/api/v1/sites/pair/ha")

    cells = {(cell["node"], cell["peer"]): cell["paths"] for cell in told["matrix"]}
    assert len(cells) == 6
    assert cells["n1", "n2"] == {"lan/n1": "up", "lan/udp": "up"}
    assert cells["n2", "n1"] == {"lan/n1": "down", "lan/udp": "up"}
    assert [way["name"] for way in told["ways"]] == ["lan/n1", "lan/udp"]
    assert {node["age_s"] for node in told["nodes"]} == {4.0}


async def test_what_a_group_lacks_has_its_age_and_its_reason(get, site, clock):
    site.nodes["pair.n1"].presence = "unreachable"
    site.nodes["pair.n1"].heard_ms = clock.now_ms - 95_000
    site.nodes["pair.n2"].ha = report(HaRole.STANDBY, hears=[("n1", "lost", "down")])
    site.nodes["pair.n3"].ha = report(HaRole.VOTER, hears=[("n1", "lost", "down")])
    _, told = await get("/api/v1/sites/pair/ha")

    (group,) = told["groups"]
    assert (told["redundancy"], group["redundancy"], group["active"]) == ("lost", "lost", ["n1"])
    dead = group["hosts"][0]
    assert (dead["role"], dead["services"]) == (None, {}), "its last word is no role"
    assert dead["why_not"] == "it is not heard; it said last: active"
    since = "2026-11-01T02:25:05.000Z"
    assert group["lacks"] == [
        {"node": "n1", "why": "n1 is not heard", "since": since, "age_s": 95.0}
    ]
    assert [(node["heard"], node["heard_age_s"]) for node in told["nodes"]] == [
        (since, 95.0),
        (None, None),
        (None, None),
    ]


async def test_a_site_without_local_ha_says_so(get):
    status, told = await get("/api/v1/sites/alpha/ha")
    assert (status, told["redundancy"], told["groups"], told["nodes"]) == (200, "none", [], [])


@pytest.mark.parametrize("path", ["/api/v1/sites/nowhere/ha", "/api/v1/sites/nowhere/ha/history"])
async def test_a_site_that_is_not_there_is_not_found(get, path):
    assert (await get(path))[0] == 404


async def test_history_is_changes_of_role_with_their_turns_or_all(get, site, history):
    _, roles = await get("/api/v1/sites/pair/ha/history")
    assert [item["text"] for item in roles["items"]] == ["took (8)", "took (3)"]
    assert [(turn["node"], turn["epoch"], turn["told"]) for turn in roles["turns"]] == [
        ("n2", 3, False),
        ("n1", 8, False),
    ]
    assert roles["turns"][0]["end"] == roles["turns"][1]["begin"]
    assert roles["turns"][1]["end"] is None

    _, everything = await get("/api/v1/sites/pair/ha/history", what="all")
    assert [item["text"] for item in everything["items"]] == ["took (8)", "path down", "took (3)"]
    _, late = await get("/api/v1/sites/pair/ha/history", what="all", since="6s")
    assert [item["text"] for item in late["items"]] == ["took (8)"]


async def test_history_is_in_the_order_in_which_things_happened(get, site, central, clock):
    """A node without WAN tells late, and the others' words are there before."""
    now_ms = clock.now_ms
    told = [("n2", "took (9)", 2_000), ("n1", "took (8)", 5_000), ("n3", "path", 3_000)]
    async with central.database.write() as connection:
        await events.append(
            connection,
            [said(node, HA_DECISION, text, now_ms - ago_ms) for node, text, ago_ms in told],
        )
    _, page = await get("/api/v1/sites/pair/ha/history", what="all")
    assert [item["text"] for item in page["items"]] == ["took (9)", "path", "took (8)"]


async def test_history_has_pages(get, site, history):
    _, first = await get("/api/v1/sites/pair/ha/history", what="all", limit=2)
    _, rest = await get("/api/v1/sites/pair/ha/history", what="all", cursor=first["next"])
    assert [item["text"] for item in rest["items"]] == ["took (3)"]
    assert rest["next"] is None
    status, _ = await get("/api/v1/sites/pair/ha/history", cursor=first["next"])  # of another list
    assert status == 400


@pytest.mark.parametrize("asked", [{"what": "some"}, {"since": "soon"}, {"limit": "0"}])
async def test_what_cannot_be_read_is_refused(get, asked):
    assert (await get("/api/v1/sites/alpha/ha/history", **asked))[0] == 400


async def test_sites_without_redundancy_are_a_query(get, site):
    async def found(query):
        _, page = await get("/api/v1/sites", filter=query)
        return [(row["site"], row["redundancy"]) for row in page["items"]]

    assert await found("redundancy=lost") == []
    assert await found("redundancy=ok") == [("pair", "ok")]
    standby = site.nodes["pair.n2"]
    standby.ha = report(HaRole.BARRED, hears=[])
    assert await found("redundancy=lost") == [("pair", "lost")]
    assert ("alpha", "none") in await found("redundancy=none")
    _, nodes = await get("/api/v1/nodes", filter="ha=active,none")
    assert [(row["node"], row["ha"]) for row in nodes["items"]] == [
        ("pair.n1", "active"),
        ("pair.n2", "none"),
        ("pair.n3", "none"),
    ]
