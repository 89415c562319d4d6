"""``reports.items_per_s`` and ``storage.postgres_ratio``: items committed and receipted, none lost.

A hundred nodes come back with a backlog, as after a cut, and say it as agents do: 128 items a
report, eight reports in flight. The clock runs from the first report to the last receipt. Then
the database is asked, past central: each item must be there, once. The same on a private
PostgreSQL; and with one item a report, which is what a quiet fleet sends.
"""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from central import Central, load
from figure import QUICK, Figure
from mosquitto import Mosquitto
from postgres import Postgres, program, running

HERE = Path(__file__).parent
SHARE = 0.2 if QUICK else 1
DATABASE = "bench"
COUNT = "select count(*), count(distinct node || ' ' || text) from event where kind = 'node'"


@dataclass(frozen=True, slots=True)
class Load:
    """What is reported: ``reports`` of ``items`` by each of ``nodes``."""

    nodes: int
    reports: int
    items: int

    @property
    def argv(self) -> list[str]:
        """As reporting.py takes it."""
        return [str(self.nodes), str(max(1, round(self.reports * SHARE))), str(self.items)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        lost: items that were receipted and are not there.
        twice: items that are there more than once.
        central_us: processor time of central for an item.
    """

    per_s: float
    said: int
    receipted: int
    again: int
    lost: int
    twice: int
    central_us: float

    def __str__(self) -> str:
        return (
            f"{self.per_s:,.0f} items/s of {self.said:,}; {self.lost} lost, {self.twice} twice, "
            f"{self.said - self.receipted} not receipted, {self.again} reports again, "
            f"{self.central_us:.1f} us of central each"
        )


BACKLOG = Load(nodes=100, reports=32, items=128)
SINGLE = Load(nodes=500, reports=100, items=1)


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Take in a backlog on both databases, and single items on SQLite."""
    with Mosquitto() as broker, Central(broker.port) as central:
        on_sqlite = take_in(broker.port, central, BACKLOG, lambda: in_sqlite(central))
    say(f"SQLite, 128 items a report: {on_sqlite}")
    with Mosquitto() as broker, Central(broker.port) as central:
        singly = take_in(broker.port, central, SINGLE, lambda: in_sqlite(central))
    say(f"SQLite, 1 item a report: {singly}")
    note = f"128 items a report: {on_sqlite}; 1 item a report: {singly.per_s:,.0f} items/s, "
    note += f"{singly.lost} lost; {load()}"
    yield Figure("reports.items_per_s", round(sound(on_sqlite)), "items/s", ">= 30,000", note)
    if program("initdb") is None:
        say("PostgreSQL is not installed: no ratio")
        return
    with running() as server:
        url = server.make_database(DATABASE)
        with Mosquitto() as broker, Central(broker.port, database=url) as central:
            on_postgres = take_in(broker.port, central, BACKLOG, lambda: in_postgres(server))
    say(f"PostgreSQL, 128 items a report: {on_postgres}")
    ratio = round(sound(on_postgres) / on_sqlite.per_s, 2)
    yield Figure("storage.postgres_ratio", ratio, "", "", f"PostgreSQL: {on_postgres}; {load()}")


def take_in(
    port: int, central: Central, asked: Load, kept: Callable[[], tuple[int, int]]
) -> Outcome:
    """Report and look at what is kept: rows, and distinct rows."""
    before = central.cpu_s()
    process = subprocess.run(
        [sys.executable, str(HERE / "reporting.py"), str(port), *asked.argv],
        stdout=subprocess.PIPE,
        check=True,
        timeout=240,
    )
    spent_s = central.cpu_s() - before
    said: dict[str, float] = json.loads(process.stdout)
    rows, distinct = kept()
    receipted = int(said["receipted"])
    return Outcome(
        per_s=receipted / said["seconds"],
        said=int(said["said"]),
        receipted=receipted,
        again=int(said["again"]),
        lost=max(0, receipted - distinct),
        twice=rows - distinct,
        central_us=1_000_000 * spent_s / max(receipted, 1),
    )


def sound(outcome: Outcome) -> float:
    """Return the rate; 0 where anything was lost or doubled, for speed is nothing then."""
    return 0.0 if outcome.lost or outcome.twice else outcome.per_s


def in_sqlite(central: Central) -> tuple[int, int]:
    """Return how many rows the file has, and how many distinct ones."""
    with closing(sqlite3.connect(central.data_dir / "roost.db")) as connection:
        rows, distinct = connection.execute(COUNT).fetchone()
    return int(rows), int(distinct)


def in_postgres(server: Postgres) -> tuple[int, int]:
    """Return how many rows the server has, and how many distinct ones."""
    rows, distinct = server.sql(COUNT, database=DATABASE).split("|")
    return int(rows), int(distinct)
