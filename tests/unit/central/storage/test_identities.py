"""Identities on every database: revisions miss nothing, the newest key takes over when heard."""

from dataclasses import replace

import pytest

from roost_central.enrol.states import Cause, Event, State, TransitionError
from roost_central.storage import identities
from roost_central.storage.identities import IdentityRecord

FIRST = IdentityRecord(
    node="lab.n1",
    generation=1,
    box=1,
    serial="0a",
    fingerprint=b"f1",
    key_hash=b"k1",
    state=State.ISSUED,
    not_after_ms=90,
    hardware="{}",
    sealing_key=b"s",
    certificate="PEM",
    issued_ms=1,
    changed_ms=1,
)
SECOND = replace(FIRST, generation=2, serial="0b", fingerprint=b"f2", key_hash=b"k2")


@pytest.fixture
async def known(database):
    async with database.write() as connection:
        await identities.save(connection, FIRST)
        await identities.save(connection, SECOND)
    return database


async def test_each_write_has_a_revision_above_all_before(known):
    async with known.write() as connection:
        first, second = await identities.changed_since(connection, 0)
        assert (first.generation, second.generation) == (1, 2)
        first = await identities.find(connection, "lab.n1", 1)
        await identities.save(connection, first)
        [told] = await identities.changed_since(connection, second.revision)
        changed = await identities.find(connection, told.node, told.generation)
    assert told[:4] == ("lab.n1", 1, State.ISSUED, Cause.NONE)
    assert told.revision == changed.revision
    assert changed == replace(first, revision=second.revision + 1)


async def test_an_identity_is_found_by_certificate_key_and_number(known):
    async with known.read() as connection:
        assert (await identities.by_fingerprint(connection, b"f1")).generation == 1
        assert (await identities.by_key(connection, b"k2")).generation == 2
        assert (await identities.find(connection, "lab.n1", 1)).serial == "0a"
        assert await identities.by_fingerprint(connection, b"?") is None
        assert await identities.filled(connection, ["lab.n1", "lab.n2"]) == {"lab.n1"}


async def test_the_first_word_under_a_new_key_ends_the_older_ones(known):
    async with known.write() as connection:
        await identities.proven(connection, "lab.n1", 1, now_ms=5)
        await identities.proven(connection, "lab.n1", 2, now_ms=6)
        newest, oldest = await identities.of_node(connection, "lab.n1")
    assert (newest.state, newest.changed_ms) == (State.ACTIVE, 6)
    assert (oldest.state, oldest.reason) == (State.REPLACED, "generation 2 was heard")


async def test_a_word_under_an_older_key_leaves_the_newer_one_alone(known):
    async with known.write() as connection:
        await identities.proven(connection, "lab.n1", 1, now_ms=5)
        newest, oldest = await identities.of_node(connection, "lab.n1")
    assert (newest.state, oldest.state) == (State.ISSUED, State.ACTIVE)


async def test_what_ended_is_not_brought_back_by_a_word(known):
    async with known.write() as connection:
        revoked = await identities.happen(
            connection, FIRST, Event.REVOKE, now_ms=5, reason="stolen"
        )
        assert await identities.proven(connection, "lab.n1", 1, now_ms=6) == revoked
        assert await identities.proven(connection, "lab.n1", 9, now_ms=6) is None
        with pytest.raises(TransitionError):
            await identities.happen(connection, revoked, Event.PROVE, now_ms=7, reason="")
        assert [row.generation for row in await identities.load_live(connection)] == [2]
