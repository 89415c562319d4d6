import asyncio
import sqlite3

import pytest
from sqlalchemy import make_url, text

from roost_central.ports import SystemClock
from roost_central.storage import sqlite_driver
from roost_central.storage.engine import Database


@pytest.fixture
async def connection(tmp_path):
    url = make_url(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    opened = await sqlite_driver.creator(url)()
    yield opened
    await opened.close()


@pytest.fixture
def visits(connection, monkeypatch):
    """What the connection's thread is asked for."""
    asked, queue = [], connection._tx

    class Counted:
        def put_nowait(self, work):
            asked.append(work)
            queue.put_nowait(work)

    monkeypatch.setattr(connection, "_tx", Counted())
    return asked


async def run(connection, sql, parameters=()):
    cursor = await connection.cursor().__aenter__()  # as SQLAlchemy has it
    await cursor.execute(sql, parameters)
    return cursor, await cursor.fetchall()


async def test_a_statement_with_rows_takes_one_visit_to_the_thread(connection, visits):
    cursor, rows = await run(connection, "SELECT ? AS a, 2", (1,))
    await cursor.close()
    assert (rows, [name for name, *_ in cursor.description]) == ([(1, 2)], ["a", "2"])
    assert len(visits) == 1


async def test_how_many_rows_a_write_touched_is_told(connection):
    await run(connection, "CREATE TABLE t (a)")
    cursor = connection.cursor()
    await cursor.executemany("INSERT INTO t VALUES (?)", [(1,), (2,), (3,)])
    assert cursor.rowcount == 3
    cursor, rows = await run(connection, "UPDATE t SET a = a + 1 WHERE a > 1 RETURNING a")
    assert (cursor.rowcount, sorted(rows)) == (2, [(3,), (4,)])


async def test_nothing_is_visited_to_roll_back_nothing(connection, visits):
    await connection.rollback()
    assert visits == []
    await run(connection, "BEGIN")
    await connection.rollback()
    assert not connection.in_transaction


async def test_a_transaction_whose_begin_was_cancelled_is_rolled_back(connection):
    """The thread is busy: from here the connection seems to have no transaction."""
    connection._tx.put_nowait((None, lambda: __import__("time").sleep(0.2)))
    beginning = asyncio.ensure_future(run(connection, "BEGIN IMMEDIATE"))
    await asyncio.sleep(0.01)
    beginning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await beginning
    assert not connection.in_transaction
    await connection.rollback()
    assert not connection.in_transaction
    await run(connection, "BEGIN IMMEDIATE")


async def test_an_error_of_sqlite_keeps_its_type(connection):
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await run(connection, "SELECT * FROM nowhere")


async def test_the_database_uses_it(tmp_path):
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=SystemClock())
    try:
        async with database.read() as connection:
            raw = await connection.get_raw_connection()
            assert isinstance(raw.driver_connection, sqlite_driver.Connection)
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    finally:
        await database.close()
