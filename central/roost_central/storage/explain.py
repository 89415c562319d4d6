"""What a database would do with a statement: its own plan, line by line."""

from typing import Any

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement, Executable


class _Explain(Executable, ClauseElement):
    """EXPLAIN of a statement, with the statement's own bound parameters."""

    inherit_cache = False

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement


@compiles(_Explain)
def _explained(element: _Explain, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    verb = "EXPLAIN QUERY PLAN" if compiler.dialect.name == "sqlite" else "EXPLAIN"
    return f"{verb} {compiler.process(element.statement, **options)}"


async def plan_lines(connection: AsyncConnection, statement: Select[Any]) -> list[str]:
    """Return the lines of a plan; nothing is run."""
    rows = await connection.execute(_Explain(statement))
    return [str(row[-1]) for row in rows]
