"""``profile.compile_50k_s``: what every node should be, after one change of the fleet's profile.

The real desk over SQLite on disk: 50,000 nodes of 16,667 sites, 100 profiles (of the fleet, of 50
regions, 7 carriers, 2 names of nodes and 40 sites), each node with five settings. One value of the
fleet's profile changes: read, compiled, checked and kept as the next generation of almost every
node. Beside it the pure part: compiling alone.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from figure import QUICK, Figure

from roost_central.access.chain import Act
from roost_central.fleet.view import FleetView
from roost_central.ports import SystemClock
from roost_central.profiles.change import Wanted
from roost_central.profiles.core import compile_profiles
from roost_central.profiles.desk import Approval, ProfileDesk
from roost_central.profiles.draft import Plan
from roost_central.profiles.layer import Profile
from roost_central.profiles.selector import Subject
from roost_central.profiles.source import read_profile
from roost_central.storage.engine import Database

SITES = 1_667 if QUICK else 16_667
NODES_OF_A_SITE = 3
REGIONS, CARRIERS = 50, 7
CHANGES = 3


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Change one value of everybody."""
    with tempfile.TemporaryDirectory() as folder:
        took, alone, changed = asyncio.run(changes(Path(folder), say))
    against = f"{changed:,} nodes changed, 100 profiles; compiling alone {alone:.2f} s"
    yield Figure("profile.compile_50k_s", round(took, 2), "s", "<= 10", against)


async def changes(folder: Path, say: Callable[[str], None]) -> tuple[float, float, int]:
    """Return the seconds of a change, of compiling alone, and how many nodes changed."""
    clock = SystemClock()
    database = await Database.open(f"sqlite+aiosqlite:///{folder}/roost.db", clock=clock)
    view = fleet()
    desk = ProfileDesk(database, view, clock)
    first = profiles()
    say(f"{len(view.nodes):,} nodes get their first settings")
    await apply(desk, first)
    took: list[float] = []
    changed = 0
    for number in range(CHANGES):
        say(f"change {number + 1} of {CHANGES}")
        began = time.perf_counter()
        changed = (await apply(desk, [everybody(20 + number)])).changed
        took.append(time.perf_counter() - began)
    subjects = [
        Subject(node, row.site, view.nodes[node].name, row.labels)
        for row in view.sites.values()
        for node in row.nodes
    ]
    began = time.perf_counter()
    compile_profiles(first, subjects)
    alone = time.perf_counter() - began
    await database.close()
    return sorted(took)[CHANGES // 2], alone, changed


async def apply(desk: ProfileDesk, made: list[Profile]) -> Plan:
    """Make profiles count."""
    wanted = Wanted([(each.file, each.source) for each in made])

    def note(plan: Plan) -> Act:
        return Act(0, "bench", "admin", "bench", "profiles", {"nodes": plan.changed})

    return await desk.apply(wanted, lambda _: None, Approval("bench", "measured"), note)


def fleet() -> FleetView:
    """Return sites with three labels each."""
    view = FleetView()
    for number in range(SITES):
        site = f"s{number}"
        row = view.add_site(site, number % 64)
        row.labels = {
            "region": f"r{number % REGIONS}",
            "carrier": f"c{number % CARRIERS}",
            "tier": f"t{number % 3}",
        }
        for name in range(NODES_OF_A_SITE):
            view.add_node(f"{site}.n{name}", site, f"n{name}")
    return view


def everybody(swappiness: int) -> Profile:
    """Return the fleet's profile."""
    return profile("fleet", "fleet = true", f'[kernel.sysctl]\n"vm.swappiness" = {swappiness}')


def profiles() -> list[Profile]:
    """Return a hundred profiles."""
    return [
        everybody(10),
        *(
            profile(f"r{n}", f'select = "region:r{n}"', f'[time]\nservers = ["ntp{n}.example"]')
            for n in range(REGIONS)
        ),
        *(
            profile(f"c{n}", f'select = "carrier:c{n}"', f'[dns]\nservers = ["192.0.2.{n}"]')
            for n in range(CARRIERS)
        ),
        *(profile(f"n{n}", f'select = "name:n{n}"', '[log]\nlevel = "debug"') for n in range(2)),
        *(profile(f"s{n}", f'site = "s{n}"', "[dns]\nattempts = 3") for n in range(40)),
    ]


def profile(name: str, target: str, body: str) -> Profile:
    """Return the profile of a file."""
    return read_profile(f'[profile]\nname = "{name}"\n{target}\n{body}\n', f"{name}.toml")
