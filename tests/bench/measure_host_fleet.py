"""``host.fleet_state_10k_ms``: the states of 10,000 hosts after a restart of the centre.

What coordinators said last is read from a real SQLite file, put beside the fleet, and each host is
told as the API tells it: of a fleet that is not heard yet, so as unknown, with its last state. The
peer is to read and decode the same rows and nothing more.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from central import load
from figure import QUICK, Figure

from roost_central.api.hosts import host_answer
from roost_central.fleet.restore import restore
from roost_central.fleet.view import FleetView
from roost_central.hosts.core import HostsWord, words_of
from roost_central.ports import SystemClock
from roost_central.storage import hosts, nodes, sites
from roost_central.storage.engine import Database
from roost_protocol.host import Admin, Avail, Evidence, HostSaid, HostsReport, Oper
from roost_protocol.topics import shard_of

HOSTS = 10_000
A_SITE = 3
ROUNDS = 5 if QUICK else 20
EVIDENCE = 16  # changes of who heard whom, of each site
NOW_MS = 1_800_000_000_000


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Restart in memory again and again."""
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as folder:
        spent, bare = asyncio.run(_restarts(Path(folder)))
    say(f"{', '.join(f'{each:.0f}' for each in spent)} ms")
    note = f"{HOSTS:,} hosts at {HOSTS // A_SITE:,} sites, median of {ROUNDS}, worst "
    note += (
        f"{max(spent):.0f}; rows read and decoded alone: {statistics.median(bare):.0f}; {load()}"
    )
    value = round(statistics.median(spent), 1)
    yield Figure("host.fleet_state_10k_ms", value, "ms", "<= 1000", note)


async def _restarts(folder: Path) -> tuple[list[float], list[float]]:
    clock = SystemClock()
    database = await Database.open(f"sqlite+aiosqlite:///{folder}/roost.db", clock=clock)
    await _fill(database)
    spent, bare = [], []
    for _ in range(ROUNDS):
        async with database.read() as connection:
            view = await restore(connection)  # the fleet itself is another matter
        for row in view.nodes.values():
            row.host = None
        async with database.read() as connection:
            began = time.perf_counter()
            kept = await hosts.load_all(connection)
            bare.append(1000 * (time.perf_counter() - began))
        spent.append(bare[-1] + 1000 * _told(view, kept))
    await database.close()
    return spent, bare


def _told(view: FleetView, kept: dict[str, list[HostsWord]]) -> float:
    """Return the seconds until every host can be told."""
    began = time.perf_counter()
    for site, words in kept.items():
        view.put_hosts(site, words_of(words))
    answers = [host_answer(row, view, NOW_MS) for row in view.nodes.values()]
    spent_s = time.perf_counter() - began
    if sum(each.last is not None for each in answers) != len(answers):
        raise AssertionError("a host has no last state")
    return spent_s


async def _fill(database: Database) -> None:
    count = HOSTS // A_SITE
    names = [f"edge-{number:05}" for number in range(count)]
    async with database.write() as connection:
        rows = [sites.SiteRecord(site, shard_of(site), {}, None, None, 1, 1) for site in names]
        await sites.save(connection, rows)
        await nodes.save(
            connection,
            [
                nodes.NodeRecord(f"{site}.n{number}", site, f"n{number}", 1)
                for site in names
                for number in range(1, A_SITE + 1)
            ],
        )
        for site in names:
            await hosts.put(connection, site, [HostsWord(site, 1, 1, _report(site))])


def _report(site: str) -> HostsReport:
    said = [
        HostSaid(
            node=f"n{number}",
            admin=Admin.UNLOCKED,
            oper=Oper.ENABLED,
            avail=Avail.DEGRADED,
            since_ms=NOW_MS,
            cause="degraded: process, resource",
            reasons={"process": NOW_MS, "resource": NOW_MS},
            boot_id="0" * 32,
            uptime_s=90_000,
        )
        for number in range(1, A_SITE + 1)
    ]
    seen = [Evidence(NOW_MS, "n2", "cluster/c0", "silent for 4 ticks") for _ in range(EVIDENCE)]
    return HostsReport(v=1, epoch=8, by=f"{site}.n1", hosts=said, evidence=seen)
