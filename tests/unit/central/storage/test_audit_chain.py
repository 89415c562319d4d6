"""The audit log in the database: linked in the act's transaction, cut only from its beginning."""

import asyncio

import msgspec
import pytest
from alembic import command
from sqlalchemy import text

from roost_central.access.chain import START, Act, Anchor, BrokenChainError, ChainCheck
from roost_central.ports import SystemClock
from roost_central.storage import audit
from roost_central.storage.engine import Database

DAY_MS = 86_400_000


def act(n, *, at_ms=0, **more):
    return Act(at_ms, "ann\0", "admin", "site.put", f"s{n}", {"n": n, "text": "a\0b"}, **more)


async def checked(database, heads=()):
    async with database.read() as connection:
        start = await audit.anchor(connection, audit.CUT) or START
        chain = ChainCheck(start, heads)
        for row in await audit.after(connection, 0, audit.PAGE_MAX):
            chain.see(row)
        chain.end()
        head = await audit.anchor(connection, audit.HEAD)
    assert head == chain.at
    return chain


async def test_rows_are_linked_as_they_are_written_and_read_back(database):
    async with database.write() as connection:
        await audit.add(connection, act(1, reason="why", before="0", after="1"), act(2))
    async with database.write() as connection:
        await audit.add(connection, act(3))
    assert (await checked(database)).rows == 3


async def test_writers_at_once_make_one_chain(database):
    async def write(n):
        async with database.write() as connection:
            await audit.add(connection, act(n))

    async with asyncio.TaskGroup() as tasks:
        for n in range(20):
            tasks.create_task(write(n))
    assert (await checked(database)).rows == 20


async def test_two_programs_that_write_the_first_row_at_once_make_one_chain(database, database_url):
    """A command of the data directory beside a centre that starts: each has its own door."""
    begun = asyncio.Event()
    other = await Database.open(database_url, clock=SystemClock())

    async def second():
        await begun.wait()
        async with other.write() as connection:
            await audit.add(connection, act(2))

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(second())
            async with database.write() as connection:
                await audit.add(connection, act(1))
                begun.set()
                await asyncio.sleep(0.3)  # the other one is at its first row by now
    finally:
        await other.close()
    assert (await checked(database)).rows == 2


async def test_an_act_that_is_undone_leaves_no_row_and_no_gap(database):
    async def fail():
        async with database.write() as connection:
            await audit.add(connection, act(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.write() as connection:
        await audit.add(connection, act(2))
    assert (await checked(database)).at.seq == 1


COLUMNS = ("at_ms", "actor", "role", "action", "object", "via", "source", "request_id", "reason",
           "before", "after", "outcome", "prev_hash", "hash", "detail")  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS)
async def test_any_column_that_was_changed_in_the_database_is_found(database, column):
    async with database.write() as connection:
        await audit.add(connection, act(1), act(2), act(3))
        value = {"at_ms": 5, "detail": msgspec.msgpack.encode({"n": 9})}.get(column, "x")
        value = b"x" * 32 if column.endswith("hash") else value
        change = text(f'UPDATE audit SET "{column}" = :value WHERE seq = 2')  # noqa: S608  a name of ours
        await connection.execute(change, {"value": value})
    with pytest.raises(BrokenChainError, match="row 2"):
        await checked(database)


async def test_a_cut_keeps_the_chain_and_leaves_a_row_that_says_so(database):
    async with database.write() as connection:
        await audit.add(connection, *(act(n, at_ms=n * DAY_MS) for n in range(10)))
        kept = (await audit.after(connection, 7, 1))[0]
        assert await audit.prune(connection, now_ms=735 * DAY_MS) == 5
        assert await audit.prune(connection, now_ms=735 * DAY_MS) == 0
    chain = await checked(database, [Anchor(kept.seq, kept.hash)])
    assert chain.rows == 6
    async with database.read() as connection:
        (last,) = await audit.page(connection, before=None, limit=1)
    assert (last.act.actor, last.act.action, last.act.detail["through"]) == (
        "central",
        "audit.cut",
        5,
    )


async def test_acts_are_found_by_who_what_and_when(database):
    async with database.write() as connection:
        for n, action in enumerate(("alarm.ack", "alarmx.ack", "site.put")):
            await audit.add(connection, Act(n, f"u{n}", "admin", action, "x", {}))

        async def found(**what):
            rows = await audit.page(connection, before=None, limit=10, asked=audit.Asked(**what))
            return [row.seq for row in rows]

        assert await found() == [3, 2, 1]
        assert await found(actor="u1") == [2]
        assert await found(action="alarm") == [1]
        assert await found(action="site.put") == [3]
        assert await found(since_ms=1) == [3, 2]


async def test_rows_of_before_the_chain_are_linked_by_the_migration(tmp_path, at_revision):
    url = f"sqlite+aiosqlite:///{tmp_path}/old.db"
    database = await Database.open(url, clock=SystemClock())

    async with database.write() as connection:
        await at_revision(connection, command.downgrade, "0006")
        for seq in (3, 4, 7):
            await connection.execute(
                text("INSERT INTO audit (seq, at_ms, actor, role, action, object, detail) "
                     "VALUES (:seq, 1, 'a', 'admin', 'alarm.ack', :seq, :detail)"),
                {"seq": seq, "detail": msgspec.msgpack.encode({"matched": seq})},
            )  # fmt: skip
        await at_revision(connection, command.upgrade, "head")
    assert (await checked(database)).at.seq == 5
    async with database.read() as connection:
        rows = await audit.after(connection, 0, 10)
    assert [(row.seq, row.act.detail["matched"]) for row in rows] == [(3, 3), (4, 4), (5, 7)]
    await database.close()
