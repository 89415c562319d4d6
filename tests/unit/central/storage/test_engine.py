import asyncio
import subprocess
import sys

import aiosqlite
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import make_url, text

from roost_central.errors import StorageError, StorageRefusedError, StorageUnavailableError
from roost_central.ports import SystemClock
from roost_central.storage import engine, events, settings
from roost_central.storage.engine import Database
from roost_central.storage.tables import metadata

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
EVENT = events.NewEvent(1, 1, "node", "100.101", 1, "hot")
POSTGRESQL = pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


async def test_the_migrations_make_the_schema_that_the_tables_say(database):
    async with database.read() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )
    assert differences == []


@SQLITE
async def test_every_connection_is_durable(database):
    async with database.read() as one, database.read() as other, database.write() as writer:
        for connection in (one, other, writer):
            assert (await connection.execute(text("PRAGMA synchronous"))).scalar_one() == 2
            cache = (await connection.execute(text("PRAGMA cache_size"))).scalar_one()
            assert cache == -engine.CACHE_KIB
            assert (await connection.execute(text("PRAGMA journal_mode"))).scalar_one() == "wal"
            assert (await connection.execute(text("PRAGMA foreign_keys"))).scalar_one() == 1


async def test_nobody_else_reads_the_database_whatever_it_and_its_folder_were_before(tmp_path):
    tmp_path.chmod(0o755)
    url = f"sqlite+aiosqlite:///{tmp_path / 'roost.db'}"
    for mode in (None, 0o644):
        if mode is not None:
            (tmp_path / "roost.db").chmod(mode)
        database = await Database.open(url, clock=SystemClock())
        kept = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        await database.close()
        assert kept == dict.fromkeys(("roost.db", "roost.db-wal", "roost.db-shm"), 0o600)


@SQLITE
async def test_a_connection_that_opened_for_reading_only_is_not_used_again(database_url):
    """What SQLite does, without a word, where the disk refuses just then: nothing could heal it."""
    await (await Database.open(database_url, clock=SystemClock())).close()
    modes = iter(["ro"])

    async def creator(*_args, **_options):
        path = make_url(database_url).database
        return await aiosqlite.connect(f"file:{path}?mode={next(modes, 'rw')}", uri=True)

    database = await Database.open(database_url, clock=SystemClock(), async_creator=creator)
    try:
        with pytest.raises(StorageUnavailableError, match="readonly"):
            async with database.write() as connection:
                await events.append(connection, [EVENT])
        async with database.write() as connection:
            await events.append(connection, [EVENT])
    finally:
        await database.close()


@SQLITE
async def test_a_setting_that_does_not_hold_is_refused_at_the_start(database_url, monkeypatch):
    monkeypatch.setitem(engine._PRAGMAS, "synchronous", 1)
    seen = dict(engine._PRAGMAS)
    monkeypatch.setattr(engine, "_PRAGMAS", _Lying(seen))
    with pytest.raises(StorageError, match="pragma, at synchronous, got '1', bound 2"):
        await Database.open(database_url, clock=SystemClock())


class _Lying(dict):
    """Sets NORMAL and expects FULL: what a file system that ignores the pragma looks like."""

    def __init__(self, pragmas):
        super().__init__(pragmas)
        self.asked = 0

    def items(self):
        self.asked += 1
        return {**self, "synchronous": 1 if self.asked == 1 else 2}.items()


async def test_a_driver_that_is_not_installed_is_named_with_the_way_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(StorageError, match=r"driver, at database, .*asyncpg.*roost\[postgres\]"):
        await Database.open("postgresql+asyncpg://127.0.0.1/x", clock=SystemClock())


@POSTGRESQL
async def test_a_server_that_does_not_wait_for_its_disk_is_refused(database_url, postgres):
    name = make_url(database_url).database
    postgres.sql(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    with pytest.raises(StorageError, match="pragma, at synchronous_commit, got 'off', bound on"):
        await Database.open(database_url, clock=SystemClock())


@POSTGRESQL
async def test_what_the_server_cannot_do_now_is_no_refusal_of_a_value(database, postgres):
    async def fill(setting):
        async with database.write() as connection:
            await connection.execute(text(setting))
            await connection.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(StorageUnavailableError, match="statement timeout"):
        await fill("SET LOCAL statement_timeout = 50")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'"

    async def lose():
        async with database.write() as connection:
            await settings.save(connection, "key", b"half")
            await asyncio.to_thread(postgres.sql, end)
            await settings.save(connection, "key", b"whole")

    with pytest.raises(StorageUnavailableError):
        await lose()
    async with database.write() as connection:
        assert await settings.read(connection, "key") is None


async def test_a_number_that_no_column_holds_is_refused_and_not_tried_again(database):
    async def overflow():
        async with database.write() as connection:
            await connection.execute(
                events.tables.event.insert(),
                {"at_ms": 2**70, "received_ms": 1, "kind": "node", "type": "1", "severity": 1,
                 "entity": "", "text": "", "params": b""},
            )  # fmt: skip

    with pytest.raises((StorageRefusedError, OverflowError)):  # sqlite3 looks before it asks
        await overflow()


async def test_a_server_that_is_not_there_is_the_environments_fault():
    url = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
    with pytest.raises(StorageUnavailableError):
        await Database.open(url, clock=SystemClock())


@pytest.mark.parametrize("url", ["nonsense", "mysql://localhost/x", "sqlite:///sync.db"])
async def test_a_url_of_another_driver_is_refused(url):
    with pytest.raises(StorageError, match="url"):
        await Database.open(url, clock=SystemClock())


async def test_a_file_that_cannot_be_opened_is_the_environments_fault(tmp_path):
    with pytest.raises(StorageUnavailableError):
        await Database.open(f"sqlite+aiosqlite:///{tmp_path}/absent/roost.db", clock=SystemClock())


async def test_a_database_of_a_later_version_is_refused(database, database_url):
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="schema"):
        await Database.open(database_url, clock=SystemClock())


async def test_opening_again_keeps_what_was_written(database, database_url):
    async with database.write() as connection:
        await settings.save(connection, "key", b"value")
    again = await Database.open(database_url, clock=SystemClock())
    async with again.read() as connection:
        assert await settings.read(connection, "key") == b"value"
    await again.close()


def test_several_programs_may_open_a_new_database_at_once(database_url):
    program = (
        "import asyncio, sys\n"
        "from roost_central.ports import SystemClock\n"
        "from roost_central.storage.engine import Database\n"
        "async def main(): await (await Database.open(sys.argv[1], clock=SystemClock())).close()\n"
        "asyncio.run(main())\n"
    )
    opened = [
        subprocess.Popen([sys.executable, "-c", program, database_url], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [each.communicate(timeout=60)[1].decode()[-500:] for each in opened]
    assert [each.returncode for each in opened] == [0, 0, 0], said


async def test_a_transaction_that_fails_keeps_nothing(database):
    async def spoil():
        async with database.write() as connection:
            await settings.save(connection, "key", b"value")
            await connection.execute(text("INSERT INTO node (node, site) VALUES ('a', 'b')"))

    with pytest.raises(StorageRefusedError):
        await spoil()
    async with database.read() as connection:
        assert await settings.read(connection, "key") is None


async def test_writers_wait_for_each_other(database):
    async def add(number):
        async with database.write() as connection:
            read = await settings.read(connection, "sum") or b"0"
            await asyncio.sleep(0)
            await settings.save(connection, "sum", str(int(read) + number).encode())

    async with asyncio.TaskGroup() as group:
        for number in range(10):
            group.create_task(add(number))
    async with database.read() as connection:
        assert await settings.read(connection, "sum") == b"45"


async def test_a_cancelled_writer_leaves_the_way_free_and_writes_nothing(database):
    inside = asyncio.Event()

    async def slow():
        async with database.write() as connection:
            await settings.save(connection, "key", b"half")
            inside.set()
            await asyncio.sleep(60)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(slow())
        await inside.wait()
        task.cancel()
    async with database.write() as connection:
        assert await settings.read(connection, "key") is None


async def test_a_reader_sees_no_half_transaction(database):
    async with database.write() as writer:
        await settings.save(writer, "key", b"half")
        async with database.read() as reader:
            assert await settings.read(reader, "key") is None


async def test_text_with_nul_is_kept_without_it(database):
    new = events.NewEvent(1, 1, "node", "100.101", 1, "a\0b")
    async with database.write() as connection:
        await events.append(connection, [new])
    async with database.read() as connection:
        (kept,) = await events.page(connection, events.EventQuery())
    assert kept.text == "a\N{REPLACEMENT CHARACTER}b"
