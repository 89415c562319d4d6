"""Profiles over a real database: refused whole, kept for good, compiled by themselves."""

import asyncio
from contextlib import suppress

import pytest
from inventories import keep
from making import fleet, profile, swappiness
from migrated import database_url

from roost_central.access.chain import Act
from roost_central.errors import NotFoundError, RevisionConflictError, StorageUnavailableError
from roost_central.fleet.view import FleetView
from roost_central.inventory.facts import Section
from roost_central.ports import SystemClock
from roost_central.profiles import ledger
from roost_central.profiles.change import PARTS_MAX, Wanted
from roost_central.profiles.desk import Approval, ProfileDesk
from roost_central.profiles.fault import ProfileFault
from roost_central.profiles.keeper import ProfileKeeper
from roost_central.profiles.source import ProfileError
from roost_central.storage import audit, desired, inventory, nodes, profiles, sites
from roost_central.storage.engine import Database

PAGES = "[memory.hugepages.2M]\nnode0 = 1000\n"


@pytest.fixture
async def database(tmp_path):
    database = await Database.open(database_url(tmp_path), clock=SystemClock())
    yield database
    await database.close()


@pytest.fixture
def view():
    view = FleetView()
    for site in ("a", "b"):
        view.add_site(site, 1).labels = {"region": f"r-{site}"}
        for name in ("n1", "n2"):
            view.add_node(f"{site}.{name}", site, name)
    return view


@pytest.fixture
def desk(database, view):
    return ProfileDesk(database, view, SystemClock())


def anything(_profile):
    return None


def note(plan):
    return Act(1, "ann", "admin", "profile.apply", "profiles", {"outcomes": plan.outcomes})


def wanted(*made, remove=()):
    return Wanted([(each.file, each.source) for each in made], remove)


async def apply(desk, *made, remove=(), expect=None, may=anything):
    return await desk.apply(
        wanted(*made, remove=remove), may, Approval("ann", "because", expect), note
    )


async def desired_of(database):
    async with database.read() as connection:
        heads = await desired.heads(connection)
        found = await desired.documents(connection, {each.document for each in heads.values()})
    return {node: (head.generation, found[head.document].sections) for node, head in heads.items()}


async def test_what_is_applied_counts_and_is_kept_with_who_and_why(database, desk):
    plan = await apply(desk, fleet("f", swappiness(1)), profile("s", 'site = "b"', swappiness(2)))
    assert plan.outcomes == {"f": "created", "s": "created"}
    assert (plan.changed, plan.matched) == (4, {"f": 4, "s": 2})
    found = await desired_of(database)
    assert found["a.n1"] == (1, {"kernel": {"sysctl": {"vm.swappiness": 1}}})
    assert found["b.n2"] == (1, {"kernel": {"sysctl": {"vm.swappiness": 2}}})
    async with database.read() as connection:
        (change,) = await desired.generations(connection, "a.n1")
        assert (change.by, change.reason, change.generation) == ("ann", "because", 1)
        (row,) = await audit.page(connection, before=None, limit=5)
        assert row.act.action == "profile.apply"
        assert [each.name for each in await profiles.load(connection)] == ["f", "s"]


async def test_a_preview_writes_nothing(database, desk):
    plan = await desk.preview(wanted(fleet("f", swappiness(1))), anything)
    assert (plan.changed, [len(group.nodes) for group in plan.groups]) == (4, [4])
    assert await desired_of(database) == {}
    async with database.read() as connection:
        assert await profiles.load(connection) == []


async def test_what_was_drafted_is_applied_as_it_was_unless_anything_was_compiled_since(
    database, desk, view
):
    change = wanted(fleet("f", swappiness(1)))
    await desk.preview(change, anything, is_kept=True)
    view.add_node("b.n3", "b", "n3")
    plan = await desk.apply(change, anything, Approval("ann", "because"), note)
    assert plan.changed == 4, "the node that came is compiled for by itself, afterwards"
    async with database.read() as connection:
        (made,) = await desired.generations(connection, "a.n1")
    assert (made.by, made.reason) == ("ann", "because")
    assert await desk.refresh(["b"]) == 1
    other = wanted(fleet("f", swappiness(2)))
    await desk.preview(other, anything, is_kept=True)
    await desk.refresh(["b"])
    view.add_node("b.n4", "b", "n4")
    assert (await desk.apply(other, anything, Approval("ann", ""), note)).changed == 6
    assert {generation for generation, _ in (await desired_of(database)).values()} == {1, 2}


async def test_who_may_not_is_refused_what_somebody_else_drafted(desk):
    change = wanted(fleet("f", swappiness(1)))
    await desk.preview(change, anything, is_kept=True)

    def nothing(each):
        return ProfileFault(each.file, 1, "profile.fleet", "scope", "not yours")

    with pytest.raises(ProfileError, match="not yours"):
        await desk.apply(change, nothing, Approval("bob", ""), note)


async def test_a_preview_counts_who_takes_no_settings(desk, view):
    for node in ("a.n1", "b.n2"):
        view.nodes[node].config.applied_digest = "0" * 16
    plan = await desk.preview(wanted(fleet("f", swappiness(1))), anything)
    assert (plan.changed, plan.unable) == (4, 2)


async def test_a_change_with_one_fault_is_refused_whole(database, desk):
    await apply(desk, fleet("f", swappiness(1)))
    one = profile("one", 'select = "site:a"', swappiness(3))
    two = profile("two", 'select = "node:a.n1"', swappiness(4))
    with pytest.raises(ProfileError, match="same rank"):
        await apply(desk, profile("s", 'site = "b"', swappiness(2)), one, two)
    assert {generation for generation, _ in (await desired_of(database)).values()} == {1}
    async with database.read() as connection:
        assert [each.name for each in await profiles.load(connection)] == ["f"]
    assert (await desk.preview(wanted(one, two), anything)).faults[0].code == "conflict"


async def test_a_text_has_its_revision_and_all_are_kept(database, desk):
    await apply(desk, fleet("f", swappiness(1)))
    assert (await apply(desk, fleet("f", swappiness(1)))).outcomes == {"f": "unchanged"}
    await apply(desk, fleet("f", swappiness(2)))
    await apply(desk, remove=["f"])
    await apply(desk, fleet("f", swappiness(3)))
    async with database.read() as connection:
        history = await profiles.history(connection, "f")
        (now,) = await profiles.load(connection)
    assert [each.revision for each in history] == [4, 3, 2, 1]
    assert [each.source is None for each in history] == [False, True, False, False]
    assert now.revision == 4
    found = await desired_of(database)
    assert found["a.n1"][0] == 4  # set, other, none, set
    with pytest.raises(NotFoundError):
        await apply(desk, remove=["g"])


async def test_another_number_of_nodes_than_was_expected_changes_nothing(database, desk):
    with pytest.raises(RevisionConflictError) as refused:
        await apply(desk, fleet("f", swappiness(1)), expect=3)
    assert refused.value.got == 4
    assert await desired_of(database) == {}
    await apply(desk, fleet("f", swappiness(1)), expect=4)


async def test_who_may_not_is_refused_also_for_what_the_new_text_takes_away(desk):
    def only_of_a_site(each):
        if each.layer.word != "fleet":
            return None
        return ProfileFault(each.file, 1, "profile.fleet", "scope", "not yours")

    await apply(desk, fleet("p", swappiness(1)))
    mine = profile("p", 'site = "a"', swappiness(1))
    with pytest.raises(ProfileError, match="not yours"):
        await apply(desk, mine, may=only_of_a_site)
    with pytest.raises(ProfileError, match="not yours"):
        await apply(desk, remove=["p"], may=only_of_a_site)
    await apply(desk, profile("q", 'site = "a"', swappiness(1)), may=only_of_a_site)


async def tell_memory(database, node, total_bytes):
    async with database.write() as connection:
        site, name = node.split(".")
        await sites.save(connection, [sites.SiteRecord(site, 1, {}, None, None, 1, 1)])
        await nodes.save(
            connection, [nodes.NodeRecord(node=node, site=site, name=name, created_ms=1)]
        )
        section = Section("memory", 1, b"d", 1, 1, {"memory": {"total_bytes": total_bytes}}, {})
        await inventory.save_sections(connection, [(node, section)], received_ms=1)


async def test_more_huge_pages_than_memory_are_refused_where_the_inventory_tells(database, desk):
    await tell_memory(database, "a.n1", 1024**3)
    plan = await desk.preview(wanted(fleet("f", PAGES)), anything)
    (fault,) = plan.faults
    assert (fault.code, fault.nodes, fault.examples) == ("impossible", 1, ("a.n1",))
    assert plan.unchecked == 3
    await tell_memory(database, "a.n1", 64 * 1024**3)
    assert (await desk.preview(wanted(fleet("f", PAGES)), anything)).faults == []


async def test_a_fault_of_nodes_that_are_not_concerned_refuses_nobody(database, desk, view):
    await apply(
        desk,
        profile("one", 'select = "region:r-a"', swappiness(3)),
        profile("two", 'select = "region:r-b"', swappiness(4)),
        profile("three", 'select = "label.tier:gold"', swappiness(5), nothing=True),
    )
    view.sites["b"].labels = {"region": "r-b", "tier": "gold"}
    assert await desk.refresh(["b"]) == 0
    async with database.read() as connection:
        heads = await desired.heads(connection)
    assert "say different things" in heads["b.n1"].fault
    assert heads["a.n1"].fault == ""
    await apply(desk, profile("four", 'site = "a"', "[dns]\nattempts = 2\n"))
    with pytest.raises(ProfileError):
        await apply(desk, profile("two", 'select = "region:r-b"', swappiness(6)))


async def test_a_process_that_ends_half_way_goes_on_when_it_starts(database, desk, monkeypatch):
    async def ends(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ledger.Ledger, "write", ends)
        with pytest.raises(KeyboardInterrupt):
            await apply(desk, fleet("f", swappiness(1)))
    assert await desired_of(database) == {}
    assert await desk.refresh() == 4
    assert len(await desired_of(database)) == 4
    assert await desk.refresh() == 0


async def test_what_could_not_be_written_is_made_up_for(database, desk, view, monkeypatch):
    async def fails(*_):
        raise StorageUnavailableError("disk")

    task = asyncio.create_task(ProfileKeeper(desk, view, look_s=0.01).run())
    await asyncio.sleep(0.05)
    with monkeypatch.context() as patched:
        patched.setattr(ledger.Ledger, "write", fails)
        with pytest.raises(StorageUnavailableError):
            await apply(desk, fleet("f", swappiness(1)))
    await settled(database, set(view.nodes))
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_profile_of_another_release_leaves_nodes_what_they_should_be(
    database, desk, caplog
):
    await apply(desk, fleet("f", swappiness(1)))
    async with database.write() as connection:
        (record,) = await profiles.load(connection)
        old = profiles.ProfileRecord("f", 2, "f.toml", record.source + "[ancient]\n", "ann", 1)
        await profiles.save(connection, old, "")
    assert await desk.refresh() == 0
    assert "not within the schema" in caplog.text
    assert (await desired_of(database))["a.n1"][0] == 1


async def test_labels_and_nodes_that_are_others_are_compiled_by_themselves(database, desk, view):
    await apply(desk, profile("p", 'select = "region:r-a"', swappiness(1)))
    keeper = ProfileKeeper(desk, view, look_s=0.01)
    task = asyncio.create_task(keeper.run())
    await settled(database, {"a.n1", "a.n2"})
    view.sites["b"].labels, view.sites["b"].revision = {"region": "r-a"}, 2
    view.touch_site("b")
    view.add_node("a.n3", "a", "n3")
    await settled(database, {"a.n1", "a.n2", "a.n3", "b.n1", "b.n2"})
    before = await desired_of(database)
    view.sites["b"].status = "down"  # a state is no reason
    view.touch_site("b")
    await asyncio.sleep(0.05)
    assert await desired_of(database) == before
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def settled(database, nodes_):
    async with asyncio.timeout(10):
        while set(await desired_of(database)) != nodes_:  # noqa: ASYNC110 - a state on disk
            await asyncio.sleep(0.01)


async def tell(database, view, trees, gen):
    """Let nodes tell their inventories, as ingest takes them in."""
    await keep(database, trees, gen=gen)
    for node in trees:
        view.nodes[node].inventory_gen = gen
        view.touch_node(node)


ICE = {"nic": {"x": {"driver": "ice", "firmware": "4.10"}}}
IGB = {"nic": {"x": {"driver": "igb"}}}
LATE = {"nic": ({}, {"*": "timeout"})}
BY_DRIVER = 'select = "region:r-a inv.nic{driver=ice firmware<4.20}"'


async def test_a_profile_is_for_the_machines_that_are_made_so_and_follows_them(
    database, view, desk
):
    await tell(database, view, {"a.n1": ICE, "a.n2": IGB, "b.n1": ICE}, 1)
    plan = await apply(desk, profile("ice", BY_DRIVER, swappiness(1)))
    assert plan.matched == {"ice": 1}
    assert set(await desired_of(database)) == {"a.n1"}
    assert await desk.count([profile("ice", BY_DRIVER)], view) == {"ice": 1}
    task = asyncio.create_task(ProfileKeeper(desk, view, look_s=0.01).run())
    await asyncio.sleep(0.05)
    await tell(database, view, {"a.n2": ICE}, 2)
    await settled(database, {"a.n1", "a.n2"})
    await tell(database, view, {"a.n1": IGB}, 2)
    async with asyncio.timeout(10):
        while (await desired_of(database))["a.n1"] != (2, {}):  # noqa: ASYNC110 - a state on disk
            await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_node_keeps_its_settings_while_what_decides_cannot_be_read(database, view, desk):
    await tell(database, view, {"a.n1": ICE, "a.n2": ICE, "b.n1": IGB}, 1)
    none = profile("none", 'select = "!inv.nic.driver:ice"', "[dns]\nattempts = 3\n")
    await apply(desk, profile("ice", BY_DRIVER, swappiness(1)), none)
    before = await desired_of(database)
    assert set(before) == {"a.n1", "a.n2", "b.n1"}, "b.n2 told nothing yet"
    late_field = {"nic": ({"x": {"driver": None, "firmware": "4.10"}}, {"x.driver": "busy"})}
    await tell(database, view, {"a.n1": LATE, "a.n2": late_field}, 2)
    assert await desk.refresh() == 0
    assert await desk.refresh(["a"]) == 0
    assert await desired_of(database) == before
    await tell(database, view, {"a.n1": IGB, "a.n2": ICE}, 3)
    assert await desk.refresh(["a"]) == 1
    assert (await desired_of(database))["a.n1"] == (2, {"dns": {"attempts": 3}})


async def test_profiles_ask_the_inventory_a_bounded_number_of_things(desk):
    asking = [
        profile(f"p{n}", f'select = "inv.nic.driver=d{n}"', swappiness(1), nothing=True)
        for n in range(PARTS_MAX + 1)
    ]
    with pytest.raises(ProfileError, match="at most 32"):
        await apply(desk, *asking)
    assert (await apply(desk, *asking[1:])).faults == []
