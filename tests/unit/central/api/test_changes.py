"""Staged changes over HTTP: begun by an apply, followed by group, moved by who may, undone."""

import pytest

from roost_central.access.core import Grant
from roost_central.storage import audit

FLEET = '[profile]\nname = "fleet"\nfleet = true\n[kernel.sysctl]\n"vm.swappiness" = 10\n'
R1 = Grant("release", "region:r01")  # alpha alone


@pytest.fixture
def able(view):
    """Have all nodes take settings."""
    for row in view.nodes.values():
        row.config.applied_digest = "0" * 16


@pytest.fixture
async def change(post, able):
    body = {"files": [{"file": "f.toml", "source": FLEET}], "groups": "1,rest", "reason": "why"}
    status, plan = await post("/api/v1/profiles:apply", body)
    assert (status, plan["sites"], plan["stages"]) == (200, 3, [1, 2])
    return plan["change"]


async def test_a_change_of_several_sites_is_staged_unless_somebody_says_at_once(post):
    body = {"files": [{"file": "f.toml", "source": FLEET}]}
    _, plan = await post("/api/v1/profiles:preview", body)
    assert (plan["sites"], plan["change"]) == (3, "")
    _, plan = await post("/api/v1/profiles:apply", body | {"at_once": True})
    assert (plan["change"], plan["stages"]) == ("", [])


async def test_a_staged_change_that_no_node_can_take_is_refused_with_who_and_why(get, post, view):
    body = {"files": [{"file": "f.toml", "source": FLEET}]}
    status, problem = await post("/api/v1/profiles:apply", body)
    assert status == 409
    assert "none of the 4 nodes takes settings (alpha.n1, alpha.n2, " in problem["detail"]
    assert "roost node list -q config=unable" in problem["detail"]
    assert (await get("/api/v1/profiles"))[1]["items"] == []
    view.nodes["alpha.n1"].config.applied_digest = "0" * 16
    assert (await post("/api/v1/profiles:apply", body))[0] == 200


async def test_sizes_that_are_none_are_refused_with_what_is(get, post):
    body = {"files": [{"file": "f.toml", "source": FLEET}], "groups": "1,most"}
    status, problem = await post("/api/v1/profiles:apply", body)
    assert (status, problem["errors"][0]["field"]) == (422, "groups")
    assert "percent (10%)" in problem["detail"]
    assert (await get("/api/v1/profiles"))[1]["items"] == []


async def test_a_change_is_listed_and_shown_with_its_groups(get, change):
    _, page = await get("/api/v1/changes")
    [item] = page["items"]
    assert (item["id"], item["state"], item["group"], item["groups"]) == (
        change, "running", 1, [1, 2],
    )  # fmt: skip
    assert (item["by"], item["reason"], item["profiles"]) == ("admin", "why", ["fleet"])
    _, shown = await get(f"/api/v1/changes/{change}")
    assert [(each["sites"], each["turn"]) for each in shown["stages"]] == [(1, "now"), (2, "later")]
    assert sum(each["counts"]["total"] for each in shown["stages"]) == 4
    assert (await get("/api/v1/changes/none"))[0] == 404


async def test_a_person_moves_it_and_each_move_is_written_down(get, post, change, central):
    for move, state in (("pause", "paused"), ("resume", "running"), ("abort", "aborted")):
        status, shown = await post(f"/api/v1/changes/{change}/{move}", {"reason": "mine"})
        assert (status, shown["state"]) == (200, state)
        turns = [each["turn"] for each in shown["stages"]]
        assert turns == ["had" if state == "aborted" else "now", "later"]
    status, problem = await post(f"/api/v1/changes/{change}/resume", {})
    assert (status, "aborted" in problem["detail"]) == (409, True)
    async with central.database.read() as connection:
        rows = await audit.page(connection, before=None, limit=5)
    assert [row.act.action for row in rows[:4]] == [
        "change.resume", "change.abort", "change.resume", "change.pause",
    ]  # fmt: skip


async def test_no_other_change_crosses_it_and_going_back_ends_it(get, post, change):
    other = {"files": [{"file": "f.toml", "source": FLEET.replace("10", "20")}]}
    status, problem = await post("/api/v1/profiles:apply", other)
    assert (status, f"roost change show {change}" in problem["detail"]) == (409, True)
    status, shown = await post(f"/api/v1/changes/{change}/roll-back", {"reason": "wrong"})
    assert (status, shown["state"], shown["why"]) == (200, "rolled-back", "wrong")
    assert [each["turn"] for each in shown["stages"]] == ["had", "later"]
    assert (await get("/api/v1/profiles"))[1]["items"] == []
    assert (await post(f"/api/v1/changes/{change}/roll-back", {}))[0] == 409
    assert (await post("/api/v1/profiles:apply", other))[0] == 200


@pytest.mark.usefixtures("able")
async def test_going_back_brings_the_former_text(get, post):
    body = {"files": [{"file": "f.toml", "source": FLEET}], "at_once": True}
    await post("/api/v1/profiles:apply", body)
    newer = {"files": [{"file": "f.toml", "source": FLEET.replace("10", "20")}]}
    _, plan = await post("/api/v1/profiles:apply", newer)
    await post(f"/api/v1/changes/{plan['change']}/roll-back", {})
    _, shown = await get("/api/v1/profiles/fleet")
    assert (shown["source"], shown["revision"]) == (FLEET, 3)


async def test_a_regional_release_manager_sees_it_and_moves_it_not(person, ask, change):
    who = await person("regional", R1)
    _, page = await ask(who, "GET", "/api/v1/changes")
    assert [each["id"] for each in page["items"]] == [change]
    status, problem = await ask(who, "POST", f"/api/v1/changes/{change}/pause", {})
    assert (status, problem["code"]) == (403, "not-allowed")
