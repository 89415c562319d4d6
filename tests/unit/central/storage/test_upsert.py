"""Statements for many rows: what storage's contract cannot see of them."""

from roost_central.storage import tables, upsert


async def test_the_same_columns_are_compiled_once(database):
    rows = [{"key": "a", "value": b"1"}, {"key": "b", "value": b"2"}]
    async with database.write() as connection:
        if connection.dialect.name != "sqlite":
            return  # SQLAlchemy keeps those itself
        await upsert.upsert(connection, tables.setting, rows)
        before = upsert._one_row.cache_info()
        await upsert.upsert(connection, tables.setting, rows[:1])
    after = upsert._one_row.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 1)
