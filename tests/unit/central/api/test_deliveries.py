"""How far nodes have come, over HTTP: counted, side by side, told again, and adopted by review."""

import pytest

from roost_central.access.core import Grant
from roost_central.storage import audit, config_reports, delivery, nodes, sites
from roost_central.storage.last_reports import LastReport
from roost_protocol.config_report import (
    ConfigReport,
    ConfigState,
    Drift,
    SectionReport,
    SectionState,
)

FLEET = '[profile]\nname = "fleet"\nfleet = true\n[kernel.sysctl]\n"vm.swappiness" = 10\n'
SETTING = 'kernel.sysctl."vm.swappiness"'
NODE = "beta.n1"


@pytest.fixture
async def fleet(central, post, view):
    """One profile for all, and a node of which other hands changed a setting."""
    body = {"files": [{"file": "f.toml", "source": FLEET}], "at_once": True}
    _, plan = await post("/api/v1/profiles:apply", body)
    assert plan["changed"] == 4
    await insert_nodes(central, view)
    report = ConfigReport(
        v=1, desired_gen=1, digest=b"d" * 32, state=ConfigState.APPLIED,
        sections={"kernel": SectionReport(SectionState.DRIFTED, "1 setting differs")},
        drift=[Drift(SETTING, "10", "60")], drift_count=1,
    )  # fmt: skip
    async with central.database.write() as connection:
        await config_reports.save(connection, LastReport(NODE, 5_000, 9_000, report))
    view.nodes[NODE].config.applied_digest = "0" * 16
    view.nodes[NODE].config.drift = 1
    with view.listen() as changes:
        await central.api.deliveries.turn(changes)
    return central


async def insert_nodes(central, view):
    async with central.database.write() as connection:
        for site in view.sites:
            record = sites.SiteRecord(site, 1, {}, None, None, 1, 1)
            await sites.save(connection, [record])
        for row in view.nodes.values():
            await nodes.save(connection, [nodes.NodeRecord(row.node, row.site, row.name, 1)])


async def test_nodes_are_counted_where_they_stand_for_the_fleet_and_each_profile(fleet, get):
    _, said = await get("/api/v1/profiles:status")
    assert said["nodes"] == {
        "in_sync": 0, "pending": 1, "applying": 0, "waiting": 0, "failed": 0, "unable": 3,
        "none": 0, "total": 4, "held": 0, "pending_reboot": 0, "drifted": 1,
    }  # fmt: skip
    assert said["profiles"] == [{"profile": "fleet", "nodes": said["nodes"]}]


async def test_what_a_node_should_be_stands_beside_what_it_is(fleet, get):
    _, desired = await get(f"/api/v1/nodes/{NODE}/desired")
    [setting] = desired["settings"]
    assert (setting["value"], setting["found"]) == (10, "60")
    reported = desired["reported"]
    assert (reported["config"], reported["drift"], reported["applied_digest"]) == (
        "pending", 1, "0" * 16,
    )  # fmt: skip
    assert reported["report"]["sections"] == [
        {"section": "kernel", "state": "drifted", "reason": "1 setting differs"}
    ]


async def test_the_list_of_drift_is_of_the_nodes_that_one_sees(fleet, get, person, ask):
    _, page = await get("/api/v1/drift")
    [item] = page["items"]
    assert (item["node"], item["setting"], item["wanted"], item["found"]) == (
        NODE, SETTING, "10", "60",
    )  # fmt: skip
    assert (await get("/api/v1/drift", site="alpha"))[1]["items"] == []
    _, page = await ask(await person("ann", Grant("viewer", "region:r01")), "GET", "/api/v1/drift")
    assert page["items"] == []


async def test_adopting_drafts_a_profile_and_the_usual_way_applies_it(fleet, get, post):
    status, draft = await post(f"/api/v1/nodes/{NODE}/drift:adopt", {})
    assert (status, draft["taken"], draft["left"]) == (200, [SETTING], [])
    assert len((await get("/api/v1/profiles"))[1]["items"]) == 1
    body = {"files": [{"file": draft["file"], "source": draft["source"]}], "expect": 1}
    assert (await post("/api/v1/profiles:apply", body))[0] == 200
    _, desired = await get(f"/api/v1/nodes/{NODE}/desired")
    assert [(each["value"], each["profile"]) for each in desired["settings"]] == [
        (60, "adopted-beta-n1")
    ]


async def test_what_does_not_differ_is_not_adopted(fleet, post):
    status, problem = await post(f"/api/v1/nodes/{NODE}/drift:adopt", {"settings": ["time.ntp"]})
    assert (status, "these do: kernel" in problem["detail"]) == (422, True)
    assert (await post("/api/v1/nodes/alpha.n1/drift:adopt", {}))[0] == 409


async def test_somebody_has_a_node_told_again_and_it_is_written_down(fleet, post):
    status, reported = await post(f"/api/v1/nodes/{NODE}/desired:reapply", {"reason": "by hand"})
    assert (status, reported["config"]) == (200, "pending")
    async with fleet.database.read() as connection:
        assert (await delivery.load(connection, [NODE]))[NODE].is_forced
        [row, *_] = await audit.page(connection, before=None, limit=5)
    assert (row.act.action, row.act.object, row.act.reason) == ("node.reapply", NODE, "by hand")


async def test_a_node_that_should_be_nothing_is_not_told(post):
    status, problem = await post(f"/api/v1/nodes/{NODE}/desired:reapply", {})
    assert (status, problem["code"]) == (409, "conflict")
    assert "no profile is for" in problem["detail"]
