"""``authz.*``: what it costs to decide, for each request, who asks and what that may.

The real table, the real ``Access`` over SQLite, a token of three grants with selectors over 10,000
sites: from the header to the parts of the API cut to the scope, as ``server.py`` does it before a
handler runs. Answered out of memory, as all but one request in 10 s of a token is; beside it the
same with an admin over everything, and the first of a token, which asks the database.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

from figure import QUICK, Figure

from roost_central.access.core import Grant, Permission, role_for, scope_of
from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.api.auth import Access
from roost_central.api.scoped import Scopes
from roost_central.api.secret import digest, new_token
from roost_central.fleet.view import FleetView
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.storage import accounts, tokens
from roost_central.storage.accounts import AccountRecord
from roost_central.storage.engine import Database
from roost_central.storage.tokens import TokenRecord

SITES = 1_000 if QUICK else 10_000
CHECKS = 2_000 if QUICK else 20_000
GRANTS = {
    "scoped": (
        Grant("viewer", "region:r0*"),
        Grant("operator", "region:r01 label.tier:gold"),
        Grant("release", "carrier:carB"),
    ),
    "whole": (Grant("admin"),),
}


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Check many requests of one token each."""
    with tempfile.TemporaryDirectory() as folder:
        took = asyncio.run(checks(Path(folder), say))
    against = (
        f"{SITES:,} sites, 3 grants; admin over everything {took['whole']:.1f} us; first request "
        f"of a token {took['first']:.0f} us, of a scope {took['scope']:.0f} us"
    )
    yield Figure("authz.check_us", round(took["scoped"], 1), "us", "<= 50", against)


async def checks(folder: Path, say: Callable[[str], None]) -> dict[str, float]:
    """Return the median time of a check in us, by what was checked."""
    clock, entropy = SystemClock(), SystemEntropy()
    database = await Database.open(f"sqlite+aiosqlite:///{folder}/roost.db", clock=clock)
    access = Access(database, clock, entropy, is_secure=False)
    view = fleet()
    scopes = Scopes(view, clock, entropy, AlarmBook(shipped(), view, database, clock))

    async def check(request: SimpleNamespace) -> None:
        who = await access.admit(request)  # type: ignore[arg-type] # as much of one as is read
        scope = scope_of(who.grants, Permission.ALARM)
        if scope is None:
            raise AssertionError("not let in")
        role_for(who.grants, Permission.ALARM)
        if not scope.is_whole:
            scopes.of(scope)

    found: dict[str, float] = {}
    for name, grants in GRANTS.items():
        say(name)
        secret = new_token(entropy)
        async with database.write() as connection:
            await accounts.save(connection, AccountRecord(name, grants, 0))
            await tokens.add(connection, TokenRecord(digest(secret), name, name, 0))
        headers = {"Authorization": f"Bearer {secret}"}
        request = SimpleNamespace(headers=headers, remote="127.0.0.1", cookies={}, method="GET")
        if name == "scoped":
            found["scope"] = await timed(check, request)
            access.forget()
            found["first"] = await timed(check, request)
        found[name] = statistics.median([await timed(check, request) for _ in range(CHECKS)])
    await database.close()
    return found


async def timed(check: Callable[..., object], request: SimpleNamespace) -> float:
    """Return how long one check takes, in us."""
    began = time.perf_counter_ns()
    await check(request)  # type: ignore[misc] # a coroutine function
    return (time.perf_counter_ns() - began) / 1_000


def fleet() -> FleetView:
    """Return sites in 24 regions, of three carriers and two tiers."""
    view = FleetView()
    for n in range(SITES):
        row = view.add_site(f"s{n}", n % 64)
        row.labels = {
            "region": f"r{n % 24:02d}",
            "carrier": f"car{'ABC'[n % 3]}",
            "tier": "gold" if n % 5 == 0 else "silver",
        }
        view.add_node(f"s{n}.n1", f"s{n}", "n1")
    return view
