"""Proof: every engine of the query language gives the same answers.

Queries and objects are generated (tests/support/query_strategies.py). Python is asked first; then
the browser's twin on Node, which must give the same tree, text, error and matches; then SQLite,
which must find the same objects. At last all shared vectors.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from proof import Proof
from query_facts import FACTS, OBJECTS, Row, facts, said, statement
from query_strategies import NOW_MS, any_query, queries, rows
from sqlalchemy import create_engine, delete, insert

from roost_central.fleet.fields import FIELDS, Field, FieldTable, table
from roost_central.fleet.query import QueryError, parse

ROOT = Path(__file__).parents[2]
APP = ROOT / "central/roost_central/dashboard/static/app"
TWIN_CASES, SQL_CASES = 100_000, 10_000
SAID_EVERY = 5_000  # queries between two lines of progress


class Twin:
    """query.js on Node: a question a line, an answer a line."""

    def __init__(self, folder: Path) -> None:
        (folder / "package.json").write_text('{"type": "module"}')
        (folder / "app").mkdir()
        for file in [*APP.glob("query*.js"), *(ROOT / "tests/browser").glob("query.*.js")]:
            shutil.copy(file, folder / "app" if file.parent == APP else folder)
        node = shutil.which("node")
        if node is None:
            raise AssertionError("no node")
        self._process = subprocess.Popen(
            [node, "query.node.js"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def ask(self, question: Any) -> Any:
        """Return the answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise AssertionError("no pipes")
        stdin.write(json.dumps(question) + "\n")
        stdin.flush()
        return json.loads(stdout.readline())

    def close(self) -> None:
        """End it."""
        with self._process:  # which closes the pipes
            self._process.terminate()


def prove(say: Callable[[str], None], seed_: int, share: float) -> Iterator[Proof]:
    """Compare the engines."""
    vectors = json.loads((ROOT / "tests/protocol/vectors/query.json").read_text(encoding="utf-8"))
    extra = [Field(each["name"], each["kind"], "", ("node",)) for each in vectors["fields"]]
    fields = table([*FIELDS.values(), *extra])
    on_node = OnNode(vectors, fields, say)
    _run(on_node.check, any_query, seed_, max(200, round(TWIN_CASES * share)))
    on_node.close()
    in_sql = InSql(fields)
    _run(in_sql.check, queries, seed_, max(100, round(SQL_CASES * share)))
    wrong = [*on_node.wrong, *in_sql.wrong]
    for each in wrong[:10]:
        say(each)
    note = f"{on_node.asked:,} queries on Node and {in_sql.asked:,} in SQLite answered as in Python"
    runs = on_node.asked + in_sql.asked
    yield Proof("query.vectors", runs=runs, failures=len(wrong), seed=seed_, note=note)


class OnNode:
    """The browser's twin beside Python."""

    def __init__(
        self, vectors: dict[str, Any], fields: FieldTable, say: Callable[[str], None]
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="roost-query-")
        self._twin = Twin(Path(self._folder.name))
        self._extra = vectors["fields"]
        self._fields = fields
        self._say = say
        self.asked = 0
        self.wrong = [json.dumps(each) for each in self._twin.ask(vectors)["wrong"]]

    def check(self, text: str, many: list[dict[str, Any]]) -> None:
        """Ask both."""
        self.asked += 1
        if self.asked % SAID_EVERY == 0:
            self._say(f"{self.asked:,} queries")
        question = {"query": text, "rows": many, "now_ms": NOW_MS, "fields": self._extra}
        if self._twin.ask(question) != said(question, self._fields):
            self.wrong.append(f"the twin: {text!r} of {many!r}")

    def close(self) -> None:
        """End the twin."""
        self._twin.close()
        self._folder.cleanup()


class InSql:
    """SQLite beside Python."""

    def __init__(self, fields: FieldTable) -> None:
        self._fields = fields
        self._base = create_engine("sqlite://").connect()
        for made in (OBJECTS, FACTS):
            made.create(self._base)
        self.asked = 0
        self.wrong: list[str] = []

    def check(self, text: str, many: list[dict[str, Any]]) -> None:
        """Load the objects and ask both."""
        try:
            query = parse(text, self._fields)
        except QueryError:
            return
        self.asked += 1
        objects = {str(number): values for number, values in enumerate(many)}
        for made in (OBJECTS, FACTS):
            self._base.execute(delete(made))
        found = [row for name, row_ in objects.items() for row in facts(name, row_, self._fields)]
        for made, kept in ((OBJECTS, [{"node": name} for name in objects]), (FACTS, found)):
            if kept:
                self._base.execute(insert(made), kept)
        held = set(self._base.execute(statement(query, NOW_MS, "sqlite")).scalars())
        if held != {name for name, row in objects.items() if query.match(Row(row), NOW_MS)}:
            self.wrong.append(f"SQL: {text!r} of {many!r}")


def _run(check: Callable[..., None], texts: Any, seed_: int, cases: int) -> None:
    """Generate so many cases and check each; nothing is shrunk: it is shown as it was found."""
    limits = settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    seed(seed_)(limits(given(texts, st.lists(rows, max_size=3))(check)))()
