import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from host_words import host, report

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.enrol.states import State
from roost_central.errors import NotFoundError, RevisionConflictError
from roost_central.fleet.restore import restore
from roost_central.fleet.sites import Outcome, SiteRegistry, SiteSpec
from roost_central.fleet.view import FleetView
from roost_central.hosts import told
from roost_central.hosts.core import words_of
from roost_central.ports import SystemClock
from roost_central.storage import audit, enrolments, identities
from roost_central.storage.engine import Database
from roost_central.storage.enrolments import EnrolmentRecord
from roost_central.storage.identities import IdentityRecord
from roost_protocol.codec import encode

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


async def test_what_a_removed_sites_nodes_are_known_by_ends_with_it(database, registry):
    for site in ("lab", "lab-2"):
        await registry.put(SiteSpec(site, nodes=("n1", "n2")), ACT)
    async with database.write() as connection:
        for node, generation in (("lab.n1", 1), ("lab.n1", 2), ("lab.n2", 1), ("lab-2.n1", 1)):
            await identities.add(connection, identity_of(node, generation))
        for site, state in (("lab", State.PENDING), ("lab", State.APPROVED), ("lab-2", "pending")):
            await enrolments.save(connection, box_of(site, State(state)))
    await registry.delete("lab", Act(1, "ann", "admin", "site.delete", "lab", {"nodes": 2}))
    async with database.read() as connection:
        found = await identities.of_nodes(connection, ["lab.n1", "lab.n2", "lab-2.n1"])
        states = {node: {row.state for row in rows} for node, rows in found.items()}
        waiting = await enrolments.in_states(connection, enrolments.WAITING, limit=9)
        acts = [row.act for row in await audit.after(connection, 0, 99)]
    assert states == {
        "lab.n1": {State.DECOMMISSIONED}, "lab.n2": {State.DECOMMISSIONED},
        "lab-2.n1": {State.ACTIVE},
    }  # fmt: skip
    assert [box.site for box in waiting] == ["lab-2"]
    told = [(act.actor, act.action, act.object) for act in acts[-5:]]
    assert told[0] == ("ann", "node.decommission", "lab.n1")
    assert acts[-5].detail == {"generations": [1, 2]}
    assert [action for _, action, _ in told] == [
        "node.decommission", "node.decommission", "enrol.deny", "enrol.deny", "site.delete",
    ]  # fmt: skip


async def test_what_a_removed_node_said_of_its_sites_hosts_goes_with_it(database, registry):
    await registry.put(LAB, ACT)
    alarms, view = registry._alarms, registry._view
    said = report(host("n2", "failed"), epoch=2**62, by="lab.n1")
    async with database.write() as connection:
        taken = await told.take_in(connection, "lab.n1", encode(said), at_ms=1, now_ms=1)
        done = await alarms.write(connection, taken.alarms)
    alarms.written(done)
    view.put_hosts("lab", words_of(taken.words))
    assert {row.node for row in alarms.open_alarms()} == {"lab.n2"}
    await registry.delete_node("lab.n1", ACT)
    assert (view.nodes["lab.n2"].host, alarms.open_alarms()) == (None, [])
    said = report(host("n2"), epoch=3, by="lab.n2")
    async with database.write() as connection:
        assert await told.take_in(connection, "lab.n2", encode(said), at_ms=2, now_ms=2)


def identity_of(node, generation):
    mark = f"{node}/{generation}".encode()
    return IdentityRecord(
        node, generation, 1, "f", mark, mark, State.ACTIVE, 1, "{}", b"", "PEM", 1, 1
    )


def box_of(site, state):
    id_ = f"{site}-{state}"
    return EnrolmentRecord(
        id_, id_.encode(), "token", "", state, site, "n9", False, "", "", "", b"", "{}", "0.1",
        "192.0.2.7", "", b"", 1, 1,
    )  # fmt: skip
