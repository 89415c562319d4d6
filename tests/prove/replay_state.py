"""All that a centre's database holds, so that two moments can be compared."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

State = dict[str, Counter[str]]

# A box that asks again is noted, and gets another ticket to ask with; of a token that is good (the
# proof's own) the minute of its last use is kept; a node that lives is heard, by each of its paths.
MOVING = {
    "enrolment": {"seen_ms", "ticket_hash"},
    "token": {"used_ms"},
    "node": {"heard_ms", "uptime_s", "clock_skew_ms"},
    "path": {"heard_ms", "reported_ms", "rtt_us", "since_ms"},  # of its clocks: 1 ms of jitter
}


def state(data_dir: Path) -> State:
    """Return every row of every table."""
    with closing(sqlite3.connect(data_dir / "roost.db", timeout=30)) as base:
        names = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: _rows(base, name) for (name,) in names}


def _rows(base: sqlite3.Connection, table: str) -> Counter[str]:
    found = base.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - a name of its own schema
    columns = [each[0] for each in found.description]
    moving = MOVING.get(table, set())
    return Counter(
        repr([value for name, value in zip(columns, row, strict=True) if name not in moving])
        for row in found
    )


def differences(before: State, after: State) -> list[str]:
    """Return what is there or gone that was not."""
    found = []
    for table in sorted(before.keys() | after.keys()):
        old, new = before.get(table, Counter()), after.get(table, Counter())
        for what, rows in (("new", new - old), ("gone", old - new)):
            if rows:
                found.append(f"{table}: {rows.total()} {what}, {min(rows)[:300]}")
    return found
