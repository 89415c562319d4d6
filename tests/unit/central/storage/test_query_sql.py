"""The query language in SQL, on each database: the shared vectors, and Python as the oracle."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, insert

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from query_facts import FACTS, OBJECTS, Row, facts, statement
from query_strategies import NOW_MS, queries, rows

from roost_central.fleet.fields import FIELDS, Field, table
from roost_central.fleet.query import QueryError, parse

ROOT = Path(__file__).parents[4]
INJECTIONS = (
    "' OR 1=1 --",
    "x'; DROP TABLE query_object; --",
    "%",
    "_",
    "\\",
    "\\%",
    '"',
    "ice' UNION SELECT node FROM query_object --",
    ":node",
    "?1",
    "$1",
    "%(node)s",
    "\0",
)


@pytest.fixture(scope="module")
def vectors():
    return json.loads((ROOT / "tests/protocol/vectors/query.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def fields(vectors):
    extra = [Field(each["name"], each["kind"], "", ("node",)) for each in vectors["fields"]]
    return table([*FIELDS.values(), *extra])


@pytest.fixture
async def asked(database, vectors, fields):
    """Asks the vectors' objects: a query's text to the names of those it holds for."""
    objects = vectors["objects"]
    rows = [row for name, values in objects.items() for row in facts(name, values, fields)]
    async with database.write() as connection:
        for made in (OBJECTS, FACTS):
            await connection.run_sync(made.create)
        await connection.execute(insert(OBJECTS), [{"node": name} for name in objects])
        await connection.execute(insert(FACTS), rows)

    async with database.read() as connection:

        async def asked(text):
            dialect = connection.dialect.name
            asked = statement(parse(text, fields), vectors["now_ms"], dialect)
            return set((await connection.execute(asked)).scalars())

        yield asked


async def test_every_vector_holds_in_sql(asked, vectors):
    held = {query: await asked(query) for query in {each["query"] for each in vectors["match"]}}
    wrong = [
        vector
        for vector in vectors["match"]
        if (vector["object"] in held[vector["query"]]) is not vector["match"]
    ]
    assert wrong == []
    assert len(vectors["match"]) >= 350


async def test_what_an_operator_writes_is_a_value_and_never_sql(asked, vectors):
    for field in ("site", "label.tier", "inv.nic.ifname", "inv.disk.id", "inv.nic.reason"):
        for text in INJECTIONS:
            escaped = text.replace("\\", "\\\\").replace('"', '\\"')
            assert await asked(f'{field}="{escaped}"') == set(), text
            assert await asked(f'{field}:"{escaped}"') == set(), text
            assert await asked(f'{field}!="{escaped}"') == await asked(f"{field}!=null"), text
    assert await asked("") == set(vectors["objects"]), "nothing was written"


@pytest.fixture(scope="module")
def sqlite():
    """An open database in memory, for questions by the hundred."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        for made in (OBJECTS, FACTS):
            made.create(connection)
        yield connection


@settings(max_examples=300, deadline=None)
@given(queries, st.lists(rows, min_size=1, max_size=3))
def test_sql_and_python_answer_alike(sqlite, fields, text, many):
    try:
        query = parse(text, fields)
    except QueryError:
        return
    objects = {str(number): values for number, values in enumerate(many)}
    found = [row for name, values in objects.items() for row in facts(name, values, fields)]
    for made in (OBJECTS, FACTS):
        sqlite.execute(delete(made))
    sqlite.execute(insert(OBJECTS), [{"node": name} for name in objects])
    if found:
        sqlite.execute(insert(FACTS), found)
    held = set(sqlite.execute(statement(query, NOW_MS, "sqlite")).scalars())
    assert held == {name for name, row in objects.items() if query.match(Row(row), NOW_MS)}
