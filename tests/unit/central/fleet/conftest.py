"""What the tests of the query language share: vectors, rows, the tree as JSON, the twin on Node."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from query_facts import Row, as_json, error_as_json, said

from roost_central.fleet.fields import FIELDS, Field, FieldTable, table
from roost_central.fleet.query import QueryError
from roost_central.fleet.query_ast import Node

ROOT = Path(__file__).parents[4]
APP = ROOT / "central/roost_central/dashboard/static/app"


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
    return lambda question: said(question, fields)


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
