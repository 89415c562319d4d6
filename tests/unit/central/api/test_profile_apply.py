"""A change of profiles that is applied: over several sites it is a rollout that begins at once."""

import pytest

from roost_central.access.core import Grant
from roost_central.api.profile_apply import ApplyBody, plan_text, waves_of
from roost_central.api.profiles import ProfileFile
from roost_central.profiles import core, desk
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.rules import settled
from roost_central.rollout.table import Kind
from roost_central.storage import audit

FLEET = '[profile]\nname = "fleet"\nfleet = true\n[kernel.sysctl]\n"vm.swappiness" = 10\n'
ALPHA = FLEET.replace("fleet = true", 'site = "alpha"')
R1 = Grant("release", "region:r01")  # alpha alone
APPLY = "/api/v1/profiles:apply"
PLAN = 'name = "x"\nprofiles = ["f.toml"]\napprovers = 0\nuncovered_ok = true\n'
FILES = [{"file": "f.toml", "source": FLEET}]


@pytest.fixture
def able(view):
    """Have all nodes take settings."""
    for row in view.nodes.values():
        row.config.applied_digest, row.presence = "0" * 16, "online"


@pytest.fixture
async def rollout(post, able):
    body = {"files": FILES, "groups": "1,rest", "reason": "why"}
    status, plan = await post(APPLY, body)
    assert (status, plan["sites"], plan["waves"]) == (200, 3, [1, 2])
    return plan["rollout"]


async def test_a_change_of_several_sites_is_a_rollout_unless_somebody_says_at_once(post, get):
    body = {"files": FILES}
    _, plan = await post("/api/v1/profiles:preview", body)
    assert (plan["sites"], plan["rollout"]) == (3, "")
    _, plan = await post(APPLY, body | {"at_once": True})
    assert (plan["rollout"], plan["waves"]) == ("", [])
    assert (await get("/api/v1/rollouts"))[1]["items"] == []


async def test_one_that_no_node_can_take_is_refused_with_who_and_why(get, post, view):
    status, problem = await post(APPLY, {"files": FILES})
    assert status == 409
    assert "none of the 4 nodes takes settings (alpha.n1, alpha.n2, " in problem["detail"]
    assert "roost node list -q config=unable" in problem["detail"]
    assert (await get("/api/v1/profiles"))[1]["items"] == []
    view.nodes["alpha.n1"].config.applied_digest = "0" * 16
    assert (await post(APPLY, {"files": FILES}))[0] == 200


@pytest.mark.parametrize(("text", "sites"), [(FLEET, 3), (ALPHA, 1)])
async def test_the_fleet_is_resolved_once_for_a_change_that_is_applied(
    post, able, monkeypatch, text, sites
):
    resolved = []

    def compiled(*given):
        resolved.append(given)
        return core.compile_profiles(*given)

    monkeypatch.setattr(desk, "compile_profiles", compiled)
    status, plan = await post(APPLY, {"files": [{"file": "f.toml", "source": text}]})
    assert (status, plan["sites"], bool(plan["rollout"])) == (200, sites, sites > 1)
    assert len(resolved) == 1


async def test_sizes_that_are_none_are_refused_with_what_is(get, post):
    status, problem = await post(APPLY, {"files": FILES, "groups": "1,most"})
    assert (status, problem["errors"][0]["field"]) == (422, "groups")
    assert "percent (10%)" in problem["detail"]
    assert (await get("/api/v1/profiles"))[1]["items"] == []


@pytest.mark.usefixtures("able")
async def test_another_number_of_nodes_than_was_seen_is_refused(get, post):
    status, problem = await post(APPLY, {"files": FILES, "expect": 3})
    assert (status, problem["detail"].partition(":")[0]) == (409, "4 nodes would change, not 3")
    assert (await get("/api/v1/rollouts"))[1]["items"] == []


@pytest.mark.usefixtures("able")
async def test_it_is_listed_and_shown_among_the_rollouts(get, rollout):
    _, page = await get("/api/v1/rollouts")
    [item] = page["items"]
    assert (item["id"], item["kind"], item["state"]) == (rollout, "profile", "running")
    assert (item["component"], item["version"]) == ("profile", "fleet")
    assert (item["by"], item["reason"], item["sites"]) == ("admin", "why", 3)
    _, shown = await get(f"/api/v1/rollouts/{rollout}")
    assert [each["sites"] for each in shown["stages"]] == [1, 2]
    assert (await get("/api/v1/profiles"))[1]["items"][0]["name"] == "fleet"


async def test_a_person_moves_it_and_each_move_is_written_down(post, rollout, central):
    one = f"/api/v1/rollouts/{rollout}"
    for move, state in (("pause", "paused"), ("resume", "running"), ("abort", "aborted")):
        status, shown = await post(f"{one}/{move}", {"reason": "mine"})
        assert (status, shown["state"]) == (200, state)
    async with central.database.read() as connection:
        rows = await audit.page(connection, before=None, limit=6)
    assert [row.act.action for row in rows] == [
        "rollout.abort", "rollout.resume", "rollout.pause", "rollout.start", "profile.apply",
        "rollout.create",
    ]  # fmt: skip


async def test_no_other_change_crosses_it_and_going_back_brings_the_former_text(
    get, post, able, central
):
    await post(APPLY, {"files": FILES, "at_once": True})
    newer = {"files": [{"file": "f.toml", "source": FLEET.replace("10", "20")}]}
    _, plan = await post(APPLY, newer)
    one = f"/api/v1/rollouts/{plan['rollout']}"
    other = {"files": [{"file": "f.toml", "source": FLEET.replace("10", "30")}]}
    for how in ({}, {"at_once": True}):
        status, problem = await post(APPLY, other | how)
        assert (status, plan["rollout"] in problem["detail"]) == (409, True)
    _, shown = await post(f"{one}/roll-back", {"reason": "wrong"})
    assert shown["state"] == "rolled_back"  # nobody had it yet
    await central.api.rollouts.carriers[Kind.PROFILE].settle()
    _, shown = await get("/api/v1/profiles/fleet")
    assert (shown["source"], shown["revision"]) == (FLEET, 3)
    assert (await post(APPLY, other))[0] == 200


async def test_a_regional_release_manager_sees_it_and_moves_it_not(person, ask, rollout):
    who = await person("regional", R1)
    _, page = await ask(who, "GET", "/api/v1/rollouts")
    assert [each["id"] for each in page["items"]] == [rollout]
    status, problem = await ask(who, "POST", f"/api/v1/rollouts/{rollout}/pause", {})
    assert (status, problem["code"]) == (403, "not-allowed")


@pytest.mark.usefixtures("able")
async def test_a_plan_of_profiles_shows_what_changes_before_it_is_made(get, post):
    body = {"plan": PLAN, "files": FILES}
    status, dry = await post("/api/v1/rollouts:plan", body)
    assert (status, dry["kind"], dry["sites"], dry["nodes"]) == (200, "profile", 3, 4)
    assert dry["sections"] == [
        {"section": "kernel", "settings": 1, "nodes": 4, "sites": 3, "mark": "live",
         "affects_service": False},
    ]  # fmt: skip
    [group] = dry["changes"]
    assert [each["path"] for each in group["changes"]] == ["kernel.sysctl.vm.swappiness"] or group
    assert (dry["unable"], dry["refusals"]) == (0, [])
    status, made = await post("/api/v1/rollouts", body | {"expect": 3})
    assert (status, made["state"], made["digest"]) == (201, "scheduled", dry["digest"])
    assert (await get("/api/v1/profiles"))[1]["items"] == []  # it counts from its start
    status, dry = await post("/api/v1/rollouts:plan", body)
    assert "has profile fleet as well" in dry["refusals"][0]
    status, shown = await post(f"/api/v1/rollouts/{made['id']}/start", {})
    assert (status, shown["state"]) == (200, "running")
    assert (await get("/api/v1/profiles"))[1]["items"][0]["name"] == "fleet"


@pytest.mark.usefixtures("able")
@pytest.mark.parametrize(
    ("plan", "files", "named"),
    [
        (PLAN, [], "profiles"),
        (PLAN + 'component = "app/x"\n', FILES, "component"),
        (PLAN + 'selector = "site:alpha"\n', FILES, "selector"),
        (PLAN, [{"file": "f.toml", "source": FLEET + "[nope]\n"}], "nope"),
        ('name = "x"\n', [], "component"),
    ],
)
async def test_a_plan_of_profiles_that_cannot_be_is_refused_by_its_field(post, plan, files, named):
    status, problem = await post("/api/v1/rollouts:plan", {"plan": plan, "files": files})
    assert status == 422
    assert named in str(problem["errors"])


def test_the_plan_of_a_change_says_what_was_asked():
    body = ApplyBody(files=[ProfileFile('a"b.toml', "")], failed_max=2, soak_s=30, wait_s=90)
    plan = read_plan(plan_text(body, waves_of("2,25%")))
    assert plan.profiles == ['a"b.toml']
    assert [(wave.count, wave.percent, wave.rest) for wave in plan.wave] == [
        (2, None, False), (None, 25, False), (None, None, True),
    ]  # fmt: skip
    for index in range(3):
        rules = settled(plan, index)
        assert (rules.error_abs, rules.soak_ms, rules.deadline_ms) == (3, 30_000, 90_000)
