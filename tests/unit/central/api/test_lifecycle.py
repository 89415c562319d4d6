"""Many sites or nodes at once: labels, and whether sites are managed."""

import pytest

from roost_central.access.core import Grant
from roost_central.alarms.facts import OwnRaised
from roost_central.api.bulk import NAMES_MAX
from roost_central.fleet.labels import LABELS_MAX
from roost_central.fleet.restore import restore
from roost_central.storage import audit, nodes, sites
from roost_central.storage.nodes import NodeRecord
from roost_central.storage.sites import SiteRecord
from roost_protocol.severity import Severity

SITES, NODES, MANAGE = "/api/v1/sites:label", "/api/v1/nodes:label", "/api/v1/sites:manage"


@pytest.fixture(autouse=True)
async def kept(central, view):
    """The fleet of the view, in storage as well."""
    async with central.database.write() as connection:
        rows = [
            SiteRecord(r.site, r.shard, r.labels, None, None, 1, 1) for r in view.sites.values()
        ]
        await sites.save(connection, rows)
        await nodes.save(
            connection, [NodeRecord(r.node, r.site, r.name, 1) for r in view.nodes.values()]
        )


async def restored(central):
    async with central.database.read() as connection:
        return await restore(connection)


async def audited(central):
    async with central.database.read() as connection:
        rows = await audit.page(connection, before=None, limit=10)
    acts = [(row.act.action, row.act.object, row.act.detail) for row in rows]
    return [act for act in acts if act[0] != "token.create"]


async def test_all_sites_that_match_get_the_label_and_keep_their_others(post, central):
    body = {"filter": "region=r02", "expect_count": 2, "set": {"wave": "2"}, "remove": ["tier"]}
    assert await post(SITES, body) == (200, {"matched": 2, "changed": 2})
    found = (await restored(central)).sites
    assert found["beta"].labels == {"region": "r02", "carrier": "carB", "wave": "2"}
    assert found["gamma"].labels == {"region": "r02", "wave": "2"}
    assert found["alpha"].labels == {"region": "r01", "carrier": "carA"}
    assert found["beta"].revision == 2
    assert await post(SITES, body) == (200, {"matched": 2, "changed": 0})
    assert (await restored(central)).sites["beta"].revision == 2, "what is so already stays"


async def test_another_count_than_was_seen_is_refused_with_the_real_one(post, central):
    body = {"filter": "region=r02", "expect_count": 3, "set": {"wave": "2"}}
    status, problem = await post(SITES, body)
    assert (status, problem["code"]) == (409, "conflict")
    (error,) = problem["errors"]
    assert (error["field"], error["code"], error["bound"]) == ("expect_count", "differs", 2)
    assert (await restored(central)).sites["beta"].labels == {"region": "r02", "carrier": "carB"}


async def test_a_dry_run_counts_and_changes_nothing(post, central):
    body = {"filter": "region=r02", "expect_count": 2, "set": {"tier": "gold"}}
    assert await post(f"{SITES}?dry_run=true", body) == (200, {"matched": 2, "changed": 1})
    assert "tier" not in (await restored(central)).sites["beta"].labels
    assert await audited(central) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"set": {"a": "b"}}, "invalid"),
        ({"filter": "", "names": ["alpha"], "set": {"a": "b"}}, "invalid"),
        ({"filter": "", "set": {"a": "b"}}, "invalid"),
        ({"names": ["alpha"]}, "invalid"),
        ({"names": ["alpha"], "set": {"a": "b"}, "remove": ["a"]}, "invalid"),
        ({"names": ["omega"], "set": {"a": "b"}}, "not-found"),
        ({"names": ["alpha"] * (NAMES_MAX + 1), "set": {"a": "b"}}, "invalid"),
        ({"filter": "no.such=1", "expect_count": 1, "set": {"a": "b"}}, "bad-filter"),
    ],
    ids=["nobody", "both", "no count", "nothing", "both ways", "unknown", "too many", "bad filter"],
)
async def test_what_makes_no_sense_is_refused(post, body, code):
    assert (await post(SITES, body))[1]["code"] == code


async def test_a_site_with_too_many_labels_is_named_and_nothing_changes(post, central):
    many = {f"k{n}": "v" for n in range(LABELS_MAX)}
    status, problem = await post(SITES, {"names": ["alpha", "beta"], "set": many})
    assert (status, problem["code"]) == (422, "invalid")
    assert f"alpha would have {LABELS_MAX + 2} labels" in problem["errors"][0]["detail"]
    assert "k0" not in (await restored(central)).sites["beta"].labels


async def test_nobody_labels_a_site_out_of_their_grant_or_one_that_is_not_in_it(
    central, person, ask
):
    who = await person("regional", Grant("admin", "region:r02"))
    leave = {"names": ["beta", "gamma"], "set": {"region": "r01"}}
    status, problem = await ask(who, "POST", SITES, leave)
    assert (status, problem["code"]) == (403, "not-allowed")
    assert (await ask(who, "POST", SITES, {"names": ["alpha"], "set": {"x": "y"}}))[0] == 404
    every = {"filter": "", "expect_count": 3, "set": {"x": "y"}}
    assert (await ask(who, "POST", SITES, every))[1]["errors"][0]["bound"] == 2
    assert (await ask(who, "POST", SITES, {**every, "expect_count": 2}))[0] == 200
    found = (await restored(central)).sites
    assert [found[site].labels.get("x") for site in ("alpha", "beta", "gamma")] == [None, "y", "y"]
    assert found["beta"].labels["region"] == "r02"


async def test_an_act_is_one_row_of_the_audit_log(post, central):
    await post(SITES, {"filter": "region=r02", "expect_count": 2, "set": {"wave": "2"}})
    await post(NODES, {"names": ["alpha.n1"], "set": {"role": "edge"}})
    assert await audited(central) == [
        ("node.label", "alpha.n1", {"matched": 1, "set": {"role": "edge"}, "remove": []}),
        ("site.label", "region=r02", {"matched": 2, "set": {"wave": "2"}, "remove": []}),
    ]


async def test_a_node_has_labels_of_its_own_before_those_of_its_site(post, get, central):
    body = {"names": ["alpha.n1"], "set": {"carrier": "carX", "rack": "7"}}
    assert await post(NODES, body) == (200, {"matched": 1, "changed": 1})
    for query, expected in (
        ("carrier=carX", ["alpha.n1"]),
        ("carrier=carA", ["alpha.n2"]),
        ("region=r01 label.rack=7", ["alpha.n1"]),
    ):
        _, page = await get("/api/v1/nodes", filter=query)
        assert [node["node"] for node in page["items"]] == expected
    kept = await restored(central)
    assert kept.nodes["alpha.n1"].labels == {"carrier": "carX", "rack": "7"}
    assert kept.sites["alpha"].revision == 2, "what is compiled of the site is old"
    assert kept.sites["alpha"].labels == {"region": "r01", "carrier": "carA"}


async def test_the_labels_of_nodes_are_columns_of_their_csv(post, central):
    await post(NODES, {"names": ["alpha.n1"], "set": {"rack": "7"}})
    headers = {**central.bearer, "Accept": "text/csv"}
    async with central.client.get("/api/v1/nodes?fields=node,labels", headers=headers) as answer:
        head, first, second, *_ = (await answer.text()).splitlines()
    assert head == "node,label.rack"
    assert (first, second) == ("alpha.n1,7", "alpha.n2,")


async def test_an_alarm_is_found_by_the_label_of_its_node(post, get, central):
    await post(NODES, {"names": ["alpha.n1"], "set": {"carrier": "carX"}})
    for node in ("alpha.n1", "alpha.n2"):
        entity = f"site=alpha,node={node.partition('.')[2]}"
        central.api.book.signal(
            OwnRaised("280.802", entity, Severity.MINOR, {"s": 9}, site="alpha", node=node)
        )
    await central.api.book.change(list)
    for query, expected in (("carrier=carX", ["alpha.n1"]), ("carrier=carA", ["alpha.n2"])):
        _, page = await get("/api/v1/alarms", filter=query)
        assert [each["node"] for each in page["items"]] == expected


async def test_a_site_that_is_left_alone_says_since_when_and_why(post, get, central, clock):
    body = {"names": ["alpha"], "managed": False, "reason": "lab is rebuilt"}
    assert await post(MANAGE, body) == (200, {"matched": 1, "changed": 1})
    _, site = await get("/api/v1/sites/alpha")
    assert (site["managed"], site["managed_why"]) == (False, "lab is rebuilt")
    assert site["managed_since"] is not None
    assert set(site["sync"].values()) == {"unknown"}
    _, page = await get("/api/v1/sites", filter="managed=false")
    assert [each["site"] for each in page["items"]] == ["alpha"]
    assert (await restored(central)).sites["alpha"].managed is False
    await post(MANAGE, {**body, "managed": True, "reason": "done"})
    assert (await restored(central)).sites["alpha"].managed is True
    assert [row[0] for row in await audited(central)] == ["site.manage", "site.unmanage"]


async def test_labels_that_are_put_leave_alone_whether_a_site_is_managed(post, central):
    await post(MANAGE, {"names": ["alpha"], "managed": False, "reason": "x"})
    await post(SITES, {"names": ["alpha"], "set": {"a": "b"}})
    assert (await restored(central)).sites["alpha"].managed is False


async def test_a_site_says_by_subject_whether_it_is_as_the_centre_has_it(get, view):
    node = view.nodes["beta.n1"]
    node.inventory_gen, node.inventory_behind = 3, True
    _, site = await get("/api/v1/sites/beta")
    assert (site["availability"], site["sync"]["inventory"]) == ("online", "out-of-sync")
    _, page = await get("/api/v1/sites", filter="sync=out-of-sync")
    assert [each["site"] for each in page["items"]] == ["beta"]
    assert (await get("/api/v1/sites/gamma"))[1]["availability"] == "offline"
