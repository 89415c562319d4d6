"""What the tests of the query language share: vectors, rows, the tree as JSON, the twin on Node."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from roost_central.fleet.fields import FIELDS, Field, FieldTable, table
from roost_central.fleet.query import QueryError, parse
from roost_central.fleet.query_ast import (
    And,
    Comparison,
    Count,
    Inventory,
    Node,
    Not,
    Or,
    Text,
)

ROOT = Path(__file__).parents[4]
APP = ROOT / "central/roost_central/dashboard/static/app"


@dataclass(frozen=True, slots=True)
class Row:
    """A JSON object as central's views offer it to a query."""

    values: dict[str, Any]

    def field(self, name: str, key: str | None) -> Any:
        value = self.values.get(name)
        if key is None:
            return value
        if key != "*":
            return (value or {}).get(key)
        return [
            one
            for each in (value or {}).values()
            for one in (each if isinstance(each, list) else [each])
        ]


def as_json(node: Node) -> dict[str, Any]:
    """The tree in the form of the vectors, which is the tree of query.js."""
    match node:
        case And(parts):
            tree = {"and": [as_json(part) for part in parts]}
        case Or(parts):
            tree = {"or": [as_json(part) for part in parts]}
        case Not(part):
            tree = {"not": as_json(part)}
        case Text(text):
            tree = {"text": text}
        case Comparison(field, key, op, values):
            named = {"field": field} if key is None else {"field": field, "key": key}
            tree = {**named, "op": op, "values": list(values)}
        case Inventory(item_class, where):
            tree = {"inv": item_class, "where": as_json(where)}
        case Count(items, op, number):
            named = {"count": items.item_class, "where": as_json(items.where)}
            tree = {**named, "op": op, "number": number}
    return tree


def error_as_json(error: QueryError) -> dict[str, Any]:
    return {
        "code": error.code,
        "offset": error.offset,
        "length": error.length,
        "suggestion": error.suggestion,
    }


@pytest.fixture(scope="session")
def to_json() -> Callable[[Node | QueryError], dict[str, Any]]:
    return lambda found: error_as_json(found) if isinstance(found, QueryError) else as_json(found)


@pytest.fixture(scope="session")
def row_of() -> type[Row]:
    return Row


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    return json.loads((ROOT / "tests/protocol/vectors/query.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def extra_fields(vectors: dict[str, Any]) -> list[dict[str, Any]]:
    """Fields of the kinds that no field of this release has yet."""
    return vectors["fields"]


@pytest.fixture(scope="session")
def fields(extra_fields: list[dict[str, Any]]) -> FieldTable:
    """The field table with the extra ones."""
    extra = (
        Field(each["name"], each["kind"], "", tuple(each["carriers"])) for each in extra_fields
    )
    return table([*FIELDS.values(), *extra])


@pytest.fixture(scope="session")
def ask_python(fields: FieldTable) -> Callable[[Any], Any]:
    """Answers a question as query.vectors.js does: all there is to say about one query."""

    def attempt(asked: Callable[[], Any]) -> Any:
        try:
            return asked()
        except QueryError as error:
            return {**error_as_json(error), "message": error.message}

    def ask(question: Any) -> Any:
        query = attempt(lambda: parse(question["query"], fields))
        if isinstance(query, dict):
            return query
        rows = [Row(row) for row in question["rows"]]
        return {
            "ast": as_json(query.root),
            "canonical": query.canonical(),
            "matches": attempt(lambda: [query.match(row, question["now_ms"]) for row in rows]),
        }

    return ask


@pytest.fixture(scope="session")
def ask_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Any], Any]]:
    """Asks the twin: JSON in, JSON out. One process for all questions."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node")
    folder = tmp_path_factory.mktemp("query")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "app").mkdir()
    for file in [*APP.glob("query*.js"), *(ROOT / "tests/browser").glob("query.*.js")]:
        shutil.copy(file, folder / "app" if file.parent == APP else folder)
    with subprocess.Popen(
        [node, "query.node.js"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as twin:

        def ask(question: Any) -> Any:
            twin.stdin.write(json.dumps(question) + "\n")
            twin.stdin.flush()
            return json.loads(twin.stdout.readline())

        yield ask
        twin.stdin.close()
