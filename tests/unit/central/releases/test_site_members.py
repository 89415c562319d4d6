"""Who belongs to a site: the nodes whose box has an identity that nobody ended."""

import pytest
from migrated import database_url

from roost_central.enrol.states import State
from roost_central.fleet.view import FleetView
from roost_central.ports import SystemClock
from roost_central.releases.site_members import SiteMembers
from roost_central.storage import identities
from roost_central.storage.engine import Database
from roost_central.storage.identities import IdentityRecord


def identity(node, generation, box, state):
    unique = f"{node}{generation}".encode()
    return IdentityRecord(
        node=node, generation=generation, box=box, serial=unique.hex(), fingerprint=unique,
        key_hash=unique, state=state, not_after_ms=9, hardware="{}", sealing_key=b"",
        certificate="", issued_ms=1, changed_ms=1,
    )  # fmt: skip


@pytest.fixture
async def members(tmp_path):
    view = FleetView()
    for site, labels in (("lab", {"wan": "none"}), ("edge", {"wan": "lte"})):
        view.add_site(site, 1).labels = labels
        for name in ("n1", "n2", "n3", "n4"):
            view.add_node(f"{site}.{name}", site, name)
    database = await Database.open(database_url(tmp_path), clock=SystemClock())
    async with database.write() as connection:
        for each in (
            identity("lab.n1", 1, 1, State.REPLACED), identity("lab.n1", 2, 2, State.ACTIVE),
            identity("lab.n2", 1, 1, State.EXPIRED_GRACE), identity("lab.n3", 1, 1, State.REVOKED),
            identity("lab.n4", 1, 1, State.APPROVED), identity("edge.n1", 5, 3, State.QUARANTINED),
        ):  # fmt: skip
            await identities.add(connection, each)
    yield SiteMembers(database, view)
    await database.close()


async def test_a_box_belongs_from_its_certificate_on_until_somebody_ends_it(members):
    assert await members.of(["lab", "edge", "gone"]) == {
        "lab": {"lab.n1": 2, "lab.n2": 1}, "edge": {"edge.n1": 3}, "gone": {},
    }  # fmt: skip


def test_a_label_says_that_a_site_has_no_wan(members):
    assert [members.is_offline(site) for site in ("lab", "edge", "gone")] == [True, False, False]
