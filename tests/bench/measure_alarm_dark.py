"""``alarm.dark_2000_sites_s``: one carrier's regions fall silent, until the page says which.

A fleet that beats every ten seconds through a real Mosquitto to a real central, and a page in a
real Chromium. Nothing says good-bye: the first thing to be seen is that beats do not come. Most of
the figure is how long a node must be silent until it is dark, two and a half of its beats.
"""

import asyncio
import time
from collections.abc import Callable, Iterator

from central import Central, load
from figure import QUICK, Figure
from fleet import REGIONS, Fleet
from measure_console import WAIT_S, connected, executable, logged_in, running
from mosquitto import Mosquitto

SITES = 2_400 if QUICK else 12_000
DARK = SITES * 4 // REGIONS  # the first four regions: a sixth of the fleet
INTERVAL_S = 10
SETTLE_S = 10
CALM_LOOKS = 3 * INTERVAL_S  # one a second: each site is heard a few times first
CALM_S_MAX = 240.0


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Silence a sixth of a fleet."""
    if executable() is None:
        say("Chromium is not installed: no figure")
        return
    with running() as devtools:
        yield asyncio.run(_of_fleet(devtools, say))


async def _calm(central: Central) -> None:
    """Wait until all were heard for a while, and nothing is wrong with any of them."""
    async with asyncio.timeout(CALM_S_MAX):
        calm = 0
        while calm < CALM_LOOKS:
            await asyncio.sleep(1)
            status = await asyncio.to_thread(central.get, "/status")
            is_calm = status["nodes"]["online"] == SITES and not status["quiet"]
            calm = calm + 1 if is_calm else 0
    if central.get("/incidents")["items"]:
        raise AssertionError("there is an incident before anything happened")


async def _of_fleet(devtools: str, say: Callable[[str], None]) -> Figure:
    with Mosquitto() as broker, Central(broker.port, settle_s=SETTLE_S) as central:
        fleet = Fleet(broker.port, SITES, interval_s=INTERVAL_S, has_spare=False)
        fleet.register(central)
        async with connected(devtools) as browser, asyncio.TaskGroup() as tasks:
            beating = tasks.create_task(fleet.run())
            await _calm(central)
            async with logged_in(browser, central) as tab:
                fleet.silence(range(DARK))
                began = time.monotonic()
                await tab.wait("document.querySelector('.strip li')", for_s=2 * WAIT_S)
                seen_s = time.monotonic() - began
                found = "document.querySelector('.strip').innerText.includes('region IN r00..r03')"
                await tab.wait(found, for_s=2 * WAIT_S)
                explained_s = time.monotonic() - began
            beating.cancel()
        incidents = central.get("/incidents")["items"]
    if [each["type"] for each in incidents] != ["280.001"]:
        raise AssertionError(f"other incidents: {incidents}")
    say(f"incident after {seen_s:.1f} s, its cause after {explained_s:.1f} s")
    note = f"{DARK:,} of {SITES:,} sites, beats every {INTERVAL_S} s; its cause with it; "
    note += f"without {seen_s:.1f} s; {load()}"
    return Figure("alarm.dark_2000_sites_s", round(explained_s, 1), "s", "<= 35", note)
