import pytest

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.errors import NotFoundError, RevisionConflictError
from roost_central.fleet.restore import restore
from roost_central.fleet.sites import Outcome, SiteRegistry, SiteSpec
from roost_central.fleet.view import FleetView
from roost_central.ports import SystemClock
from roost_central.storage.engine import Database

ACT = Act(1, "ann", "admin", "site.put", "lab", {})
LAB = SiteSpec("lab", {"region": "west"}, 48.1, 11.5, ("n1", "n2"))


@pytest.fixture
async def database(tmp_path):
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=SystemClock())
    yield database
    await database.close()


@pytest.fixture
def registry(database):
    view = FleetView()
    return SiteRegistry(
        database, view, SystemClock(), AlarmBook(shipped(), view, database, SystemClock())
    )


async def test_what_is_registered_is_there_after_a_restart(database, registry):
    await registry.put(LAB, ACT)
    async with database.read() as connection:
        view = await restore(connection)
    row = view.sites["lab"]
    assert (row.labels, row.lat, row.nodes) == (LAB.labels, 48.1, ["lab.n1", "lab.n2"])
    assert view.nodes["lab.n1"].presence == "unknown"


async def test_a_change_needs_the_revision_that_was_read(registry):
    row = await registry.put(LAB, ACT)
    assert row.revision == 1
    with pytest.raises(RevisionConflictError):
        await registry.put(LAB, ACT)
    assert (await registry.put(SiteSpec("lab"), ACT, revision=1)).revision == 2
    with pytest.raises(RevisionConflictError) as refused:
        await registry.put(SiteSpec("lab"), ACT, revision=1)
    assert refused.value.got == 2


async def test_an_import_says_what_it_did_to_each_site(registry):
    assert await registry.put_all([LAB, SiteSpec("b")], lambda _: ACT) == [
        Outcome("lab", "created"),
        Outcome("b", "created"),
    ]
    assert await registry.put_all([LAB, SiteSpec("b", {"x": "y"})], lambda _: ACT) == [
        Outcome("lab", "unchanged"),
        Outcome("b", "updated"),
    ]


async def test_a_deleted_site_is_gone_from_view_and_storage(database, registry):
    await registry.put(LAB, ACT)
    await registry.delete("lab", ACT)
    with pytest.raises(NotFoundError):
        await registry.delete("lab", ACT)
    async with database.read() as connection:
        assert (await restore(connection)).sites == {}
