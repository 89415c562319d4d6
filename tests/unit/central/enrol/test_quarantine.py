"""Who is in quarantine is shown and alarmed, as long as it lasts, whoever put it there."""

from dataclasses import replace

import pytest
from enrolling import enrolled, identity_of, release_of

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.enrol.probation import CLEAN_MS
from roost_central.enrol.quarantine import QuarantineSign
from roost_central.enrol.registry import IdentityRegistry
from roost_central.enrol.release import Release
from roost_central.enrol.states import Cause, State
from roost_central.storage import audit, identities


@pytest.fixture
async def watched(office, box):
    """A node that was heard, its registry, and the alarms."""
    await enrolled(office, box, await office.token(node="n1"))
    book = AlarmBook(shipped(), office.view, office.database, office.clock)
    async with office.database.write() as connection:
        await book.load(connection)
        await identities.proven(connection, "lab.n1", 1, now_ms=1)
    registry = IdentityRegistry(office.database, office.clock, QuarantineSign(office.view, book))
    await registry.load()
    return registry, book


async def alarms(office, book):
    async with office.database.write() as connection:
        done = await book.write(connection)
    book.written(done)
    return sorted(row.type for row in book.open_alarms())


async def put(office, cause, reason="because"):
    async with office.database.write() as connection:
        await identities.quarantine(connection, "lab.n1", cause, now_ms=7, reason=reason)


async def test_two_boxes_are_put_in_quarantine_once_and_audited(office, watched):
    registry, book = watched
    registry.suspect("lab.n1", "by turns")
    registry.suspect("lab.n2", "by turns")  # was never enrolled
    await registry._write()
    await registry.load()
    row = office.view.nodes["lab.n1"]
    assert (row.quarantine, row.quarantine_reason) == (
        Cause.CLONE,
        "two boxes use one identity: by turns",
    )
    assert await alarms(office, book) == ["280.805"]
    registry.suspect("lab.n1", "by turns")
    assert registry._suspects == {}
    async with office.database.read() as connection:
        acts = await audit.page(connection, before=None, limit=9)
    assert [each.act.action for each in acts].count("node.quarantine") == 1
    assert registry.is_live("lab.n1", 1), "it is heard and shown"


async def test_who_is_let_out_and_seen_again_goes_back(office, watched):
    registry, _book = watched
    await put(office, Cause.CLONE)
    await registry.load()
    await release_of(office, "lab.n1")
    await registry.load()
    assert office.view.nodes["lab.n1"].quarantine == ""
    registry.suspect("lab.n1", "by turns")
    await registry._write()
    assert (await identity_of(office, 1)).state is State.QUARANTINED


async def test_an_alarm_stands_as_long_as_the_quarantine(office, watched):
    registry, book = watched
    await put(office, Cause.OPERATOR)
    await registry.load()
    assert await alarms(office, book) == ["280.815"]
    await release_of(office, "lab.n1")
    await registry.load()
    assert await alarms(office, book) == []


async def test_a_restart_shows_what_is_and_ends_what_was(office, watched):
    registry, book = watched
    await put(office, Cause.OPERATOR)
    await registry.load()
    await alarms(office, book)
    await release_of(office, "lab.n1")  # while nobody looked
    again = IdentityRegistry(office.database, office.clock, QuarantineSign(office.view, book))
    await again.load()
    assert await alarms(office, book) == []
    await put(office, Cause.OPERATOR)
    office.view.nodes["lab.n1"].quarantine = ""
    third = IdentityRegistry(office.database, office.clock, QuarantineSign(office.view, book))
    await third.load()
    assert office.view.nodes["lab.n1"].quarantine == Cause.OPERATOR
    assert await alarms(office, book) == ["280.815"]


@pytest.mark.parametrize("cause", [Cause.GRACE, Cause.CLONE, Cause.OPERATOR])
async def test_only_who_had_ended_leaves_by_being_well(office, watched, cause):
    registry, book = watched
    await put(office, cause)
    await registry.load()
    row = office.view.nodes["lab.n1"]
    row.presence = "online"
    clock = Hands()
    release = Release(office.database, office.view, book, clock)
    await release.once()
    clock.now_ms = CLEAN_MS
    await release.once()
    state = (await identity_of(office, 1)).state
    assert state is (State.ACTIVE if cause is Cause.GRACE else State.QUARANTINED)
    async with office.database.read() as connection:
        acts = [each.act.action for each in await audit.page(connection, before=None, limit=9)]
    assert ("node.release" in acts) is (cause is Cause.GRACE)


class Hands:
    """A clock that the test sets."""

    now_ms = 0

    def mono_ms(self):
        return self.now_ms

    def wall_ms(self):
        return 1_000_000 + self.now_ms


async def test_a_clone_that_is_found_meanwhile_keeps_a_well_node_in(office, watched):
    registry, book = watched
    await put(office, Cause.GRACE)
    await registry.load()
    office.view.nodes["lab.n1"].presence = "online"
    clock = Hands()
    release = Release(office.database, office.view, book, clock)
    await release.once()
    await put(office, Cause.CLONE)  # the view does not show it yet
    clock.now_ms = CLEAN_MS
    await release.once()
    assert (await identity_of(office, 1)).quarantine is Cause.CLONE


async def test_since_when_a_box_is_let_in_is_shown_and_asked_for(office, watched):
    registry, _ = watched
    row = office.view.nodes["lab.n1"]
    [identity] = await of_node(office, "lab.n1")
    assert row.enrolled_ms == identity.issued_ms
    assert office.view.nodes["lab.n2"].enrolled_ms is None
    renewed = replace(identity, generation=2, issued_ms=identity.issued_ms + 9, fingerprint=b"2")
    async with office.database.write() as connection:
        await identities.save(connection, replace(renewed, key_hash=b"2", box=identity.box))
    await registry.load()
    assert row.enrolled_ms == identity.issued_ms, "a renewal is the same box"
    async with office.database.write() as connection:
        another = replace(renewed, generation=3, fingerprint=b"3", key_hash=b"3")
        await identities.save(connection, replace(another, box=identity.box + 1))
    await registry.load()
    assert row.enrolled_ms == renewed.issued_ms


async def of_node(office, node):
    async with office.database.read() as connection:
        return await identities.of_node(connection, node)
