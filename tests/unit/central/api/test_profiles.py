"""Profiles over HTTP: applied, previewed, refused with file and line, and only by who may."""

import pytest

from roost_central.access.core import Grant
from roost_central.storage import audit

FLEET = '[profile]\nname = "fleet"\nfleet = true\n[kernel.sysctl]\n"vm.swappiness" = 10\n'
REGION = '[profile]\nname = "r2"\nselect = "region:r02"\n[kernel.sysctl]\n"vm.swappiness" = 20\n'
R1 = Grant("release", "region:r01")  # alpha is there; beta and gamma are not


def files(*sources):
    return {"files": [{"file": f"{n}.toml", "source": text} for n, text in enumerate(sources)]}


@pytest.fixture
def apply(post):
    async def apply(*sources, **more):
        return await post("/api/v1/profiles:apply", files(*sources) | {"at_once": True} | more)

    return apply


async def test_a_change_is_previewed_applied_and_seen_on_each_node(get, post, apply):
    status, plan = await post("/api/v1/profiles:preview", files(FLEET, REGION))
    assert status == 200
    assert plan["outcomes"] == {"fleet": "created", "r2": "created"}
    assert plan["matched"] == {"fleet": 4, "r2": 2}
    assert [group["nodes"] for group in plan["groups"]] == [2, 2]
    assert (await get("/api/v1/profiles"))[1]["items"] == []
    assert (await apply(FLEET, REGION, reason="because"))[1] == plan
    _, desired = await get("/api/v1/nodes/beta.n1/desired")
    assert (desired["generation"], desired["by"], desired["reason"]) == (1, "admin", "because")
    assert desired["settings"] == [
        {"path": 'kernel.sysctl."vm.swappiness"', "value": 20, "profile": "r2", "mark": "live",
         "found": None}
    ]  # fmt: skip
    assert desired["sections"] == {"kernel": {"sysctl": {"vm.swappiness": 20}}}


async def test_files_of_a_large_fleet_come_in_one_body(apply):
    filler = "# " + "why " * 15_000 + "\n"
    many = [filler + FLEET.replace('"fleet"', f'"f{n}"') for n in range(6)]  # 360 KB
    assert (await apply(*many))[0] == 200


async def test_the_list_is_in_the_order_of_precedence_with_counts_where_asked(get, apply):
    await apply(REGION, FLEET)
    _, page = await get("/api/v1/profiles")
    assert [(each["name"], each["nodes"]) for each in page["items"]] == [
        ("fleet", None),
        ("r2", None),
    ]
    _, page = await get("/api/v1/profiles", count="true")
    assert [each["nodes"] for each in page["items"]] == [4, 2]
    _, shown = await get("/api/v1/profiles/r2")
    assert (shown["source"], shown["target"], shown["revision"]) == (REGION, "region:r02", 1)
    assert (await get("/api/v1/profiles/none"))[0] == 404


async def test_a_fault_is_told_with_file_line_setting_and_bound_and_nothing_counts(get, apply):
    status, problem = await apply(FLEET.replace("= 10", "= 1000"))
    assert (status, problem["code"]) == (422, "invalid")
    (error,) = problem["errors"]
    assert error["field"] == 'kernel.sysctl."vm.swappiness"'
    assert "0.toml, line 5" in error["detail"]
    assert "from 0 to 200, not 1000" in error["detail"]
    assert (await get("/api/v1/profiles"))[1]["items"] == []


async def test_a_conflict_names_the_nodes(post, apply):
    other = REGION.replace('"r2"', '"gold"').replace("region:r02", "label.tier:gold")
    await apply(REGION)
    status, plan = await post("/api/v1/profiles:preview", files(other.replace("= 20", "= 30")))
    (fault,) = plan["faults"]
    assert (status, fault["code"], fault["examples"]) == (200, "conflict", ["gamma.n1"])
    status, problem = await apply(other.replace("= 20", "= 30"))
    assert status == 422
    assert "(1 node: gamma.n1)" in problem["detail"]


async def test_generations_are_listed_and_each_can_be_seen_again(get, apply):
    for value in (1, 2, 3):
        await apply(FLEET.replace("= 10", f"= {value}"), reason=f"for the {value}")
    _, page = await get("/api/v1/nodes/alpha.n1/desired/generations", limit=2)
    assert [(each["generation"], each["reason"]) for each in page["items"]] == [
        (3, "for the 3"),
        (2, "for the 2"),
    ]
    _, rest = await get("/api/v1/nodes/alpha.n1/desired/generations", limit=2, cursor=page["next"])
    assert ([each["generation"] for each in rest["items"]], rest["next"]) == ([1], None)
    _, old = await get("/api/v1/nodes/alpha.n1/desired", generation=1)
    assert old["settings"][0]["value"] == 1
    assert (await get("/api/v1/nodes/alpha.n1/desired", generation=9))[0] == 404
    assert (await get("/api/v1/nodes/none.n1/desired"))[0] == 404


async def test_a_node_that_no_profile_is_for_has_no_generation(get):
    _, desired = await get("/api/v1/nodes/alpha.n1/desired")
    assert (desired["generation"], desired["since"], desired["settings"]) == (0, None, [])


async def test_another_number_of_nodes_than_expected_is_a_conflict(apply, get):
    status, problem = await apply(FLEET, expect=3)
    assert (status, problem["detail"].partition(":")[0]) == (409, "4 nodes would change, not 3")
    assert (await apply(FLEET, expect=4))[0] == 200


async def test_a_profile_goes_by_its_name(post, apply, get):
    await apply(FLEET)
    gone = {"remove": ["fleet"], "reason": "over", "at_once": True}
    status, plan = await post("/api/v1/profiles:apply", gone)
    assert (status, plan["outcomes"], plan["changed"]) == (200, {"fleet": "removed"}, 4)
    (setting,) = plan["groups"][0]["changes"]
    assert (setting["old"], setting["new"], setting["profile"]) == (10, None, "fleet")
    assert (await post("/api/v1/profiles:apply", {"remove": ["fleet"]}))[0] == 404
    assert (await post("/api/v1/profiles:apply", {}))[0] == 422


async def test_each_text_of_a_profile_is_kept_with_who_and_why(get, post, apply, person, ask):
    await apply(FLEET, reason="first")
    gone = {"remove": ["fleet"], "reason": "over", "at_once": True}
    await post("/api/v1/profiles:apply", gone)
    _, page = await get("/api/v1/profiles/fleet/revisions")
    told = [(each["revision"], each["reason"], each["source"]) for each in page["items"]]
    assert told == [(2, "over", None), (1, "first", FLEET)]
    assert (await get("/api/v1/profiles/none/revisions"))[0] == 404
    who = await person("regional", R1)
    assert (await ask(who, "GET", "/api/v1/profiles/fleet/revisions"))[0] == 404


async def test_a_regional_release_manager_changes_sites_there_and_nothing_wider(
    central, person, ask, apply
):
    await apply(FLEET, REGION)
    who = await person("regional", R1)
    path = "/api/v1/profiles:apply"
    own = FLEET.replace('"fleet"', '"own"').replace("fleet = true", 'site = "alpha"')
    others = own.replace("alpha", "beta")
    assert (await ask(who, "POST", path, files(own)))[0] == 200
    for wider in (others, FLEET.replace("= 10", "= 11"), REGION.replace('"r2"', '"r3"'),
                  own.replace('"own"', '"fleet"')):  # fmt: skip
        assert (await ask(who, "POST", path, files(wider)))[0] == 403
        assert (await ask(who, "POST", "/api/v1/profiles:preview", files(wider)))[0] == 403
    assert (await ask(who, "POST", path, {"remove": ["r2"]}))[0] == 403
    _, page = await ask(who, "GET", "/api/v1/profiles")
    assert [(each["name"], each["nodes"]) for each in page["items"]] == [("fleet", 2), ("own", 2)]
    assert (await ask(who, "GET", "/api/v1/profiles/r2"))[0] == 404
    assert (await ask(who, "GET", "/api/v1/nodes/beta.n1/desired"))[0] == 404


async def test_what_was_done_and_what_was_refused_is_in_the_audit_log(central, person, ask, apply):
    await apply(FLEET, reason="because")
    await apply(FLEET.replace("= 10", "= 1000"))
    await ask(await person("regional", R1), "POST", "/api/v1/profiles:apply", files(REGION))
    async with central.database.read() as connection:
        rows = [each.act for each in await audit.page(connection, before=None, limit=10)]
    told = [
        (each.actor, each.outcome, each.reason) for each in rows if each.action == "profile.apply"
    ]
    assert told == [
        ("regional", "refused", ""),
        ("admin", "refused", ""),
        ("admin", "done", "because"),
    ]


async def test_a_viewer_sees_and_changes_nothing(person, ask, apply):
    await apply(FLEET)
    who = await person("viewer", Grant("viewer"))
    assert len((await ask(who, "GET", "/api/v1/profiles"))[1]["items"]) == 1
    for path in ("/api/v1/profiles:apply", "/api/v1/profiles:preview"):
        assert (await ask(who, "POST", path, files(FLEET)))[0] == 403
