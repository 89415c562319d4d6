"""``console.*``: the dashboard of a real central, in a real headless Chromium.

*Ready* is the time from navigation to the frame in which the counts, the heat grid and the first
rows of the table of all sites are on screen, by the page's own clock; assets come from the
browser's cache, the snapshot does not, for the fleet beats and every snapshot is a new one.

A *storm*: 2,000 sites of 10,000 lose a path and say so within two seconds. The figure is the
longest task of the page's main thread from the first beat to the frame in which the counts have
all of them, as Chromium's own trace has it.
"""

import asyncio
import statistics
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from central import Central, load
from figure import QUICK, Figure
from fleet import Fleet
from mosquitto import Mosquitto

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from chromium import Browser, Tab, connected, executable, running

SIZES = {
    10_000: ("console.ready_ms_10k", "<= 500"),
    50_000: ("console.ready_ms_50k", "<= 1,000"),
}
LOADS = 3 if QUICK else 7
STORM_SITES = 2_000
STORM_S = 2.0
STORMS = 2 if QUICK else 3
STORM_FLEET = 10_000
WAIT_S = 60.0
MEET_S = 240.0  # for all sites to be heard
MEET_SITES = 1_000  # at once
MEET_PAUSE_S = 0.1
LOOKS = 15  # one a second, before all is said again
CALM_S = 2.0  # after the last load, and between storms
TRACED = ["disabled-by-default-devtools.timeline", "__metadata"]
TASK, MAIN_THREAD = "RunTask", "CrRendererMain"

# Told by the page itself: the second frame after all is there is the first that shows it.
WATCH = """
(() => {
  const look = () => {
    const total = document.querySelector(".banner .total b")?.innerText.replaceAll(",", "");
    const there = Number(total) === %d && document.querySelector(".rows-body .row")
      && document.querySelector(".pane-grid canvas");
    if (there) requestAnimationFrame(() => { globalThis.readyMs = performance.now(); });
    else requestAnimationFrame(look);
  };
  look();
})();
"""
DEGRADED = (
    "Number(document.querySelector('.banner .tone-degraded b').innerText.replaceAll(',', ''))"
)


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Load the page with each fleet, and let a storm pass over the smaller one."""
    if executable() is None:
        say("Chromium is not installed: no figures")
        return
    with running() as devtools:
        for sites in SIZES:
            yield from asyncio.run(_of_fleet(devtools, sites, say))


async def _of_fleet(devtools: str, sites: int, say: Callable[[str], None]) -> list[Figure]:
    figures = []
    key, goal = SIZES[sites]
    with Mosquitto() as broker, Central(broker.port) as central:
        fleet = Fleet(broker.port, sites)
        fleet.register(central)
        async with connected(devtools) as browser, asyncio.TaskGroup() as tasks:
            await _meet(fleet, central)
            await asyncio.to_thread(central.settle)
            beating = tasks.create_task(fleet.run())
            async with logged_in(browser, central) as tab:
                ready = [await _ready_ms(tab, central, sites) for _ in range(LOADS)]
                note = f"median of {LOADS}, {min(ready):.0f} to {max(ready):.0f}; real central; "
                say(f"{sites:,} sites: {note}")
                value = round(statistics.median(ready))
                figures.append(Figure(key, value, "ms", goal, note + load()))
                if sites == STORM_FLEET:
                    figures.append(await _storms(tab, browser, fleet, say))
            beating.cancel()
    return figures


async def _meet(fleet: Fleet, central: Central) -> None:
    """Let every site be heard, so that all are well; again, where the machine dropped beats."""
    async with asyncio.timeout(MEET_S):
        while True:
            for first in range(0, len(fleet.sites), MEET_SITES):
                await fleet.say(range(first, first + MEET_SITES))
                await asyncio.sleep(MEET_PAUSE_S)
            for _ in range(LOOKS):
                if central.get("/status")["nodes"]["online"] == len(fleet.sites):
                    return
                await asyncio.sleep(1)


@asynccontextmanager
async def logged_in(browser: Browser, central: Central) -> AsyncIterator[Tab]:
    async with browser.context() as context:
        tab = await context.tab()
        await tab.open(f"{central.url}/login")
        await tab.wait("document.activeElement.id === 'token'")
        await tab.call("Input.insertText", {"text": central.token})
        await tab.press("Enter")
        await tab.wait("document.querySelector('.banner .total')", for_s=WAIT_S)
        yield tab


async def _ready_ms(tab: Tab, central: Central, sites: int) -> float:
    script = await tab.call("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH % sites})
    await tab.open(f"{central.url}/")
    value = await tab.wait("globalThis.readyMs", for_s=WAIT_S)
    await tab.call("Page.removeScriptToEvaluateOnNewDocument", script)
    return float(value)


async def _storms(tab: Tab, browser: Browser, fleet: Fleet, say: Callable[[str], None]) -> Figure:
    longest, own = [], []
    for number in range(STORMS):
        await asyncio.sleep(CALM_S)
        struck = range(number * STORM_SITES, (number + 1) * STORM_SITES)
        async with _traced(browser) as events:
            await fleet.strike(struck, seconds=STORM_S)
            await tab.wait(f"{DEGRADED} >= {struck.stop}", for_s=WAIT_S)
        tasks = _main_thread_tasks(events)
        longest.append(max(task["dur"] for task in tasks) / 1000)
        own.append(max(task.get("tdur", 0) for task in tasks) / 1000)
        say(f"storm {number + 1}: longest task {longest[-1]:.0f} ms, {own[-1]:.0f} of processor")
    note = f"median of {STORMS}, highest {max(longest):.0f}; {statistics.median(own):.0f} ms of it "
    note += f"processor time; {STORM_FLEET:,} sites, real central; {load()}"
    value = round(statistics.median(longest), 1)
    return Figure("console.storm_longest_task_ms", value, "ms", "<= 50", note)


@asynccontextmanager
async def _traced(browser: Browser) -> AsyncIterator[list[dict]]:
    """Gather what Chromium traces while the context lasts."""
    events: list[dict] = []
    complete = asyncio.Event()

    def hear(method: str, params: dict) -> None:
        if method == "Tracing.dataCollected":
            events.extend(params["value"])
        elif method == "Tracing.tracingComplete":
            complete.set()

    browser.listeners[""] = hear
    await browser.call("Tracing.start", {"traceConfig": {"includedCategories": TRACED}})
    try:
        yield events
    finally:
        await browser.call("Tracing.end")
        async with asyncio.timeout(WAIT_S):
            await complete.wait()
        del browser.listeners[""]


def _main_thread_tasks(events: list[dict]) -> list[dict]:
    """Return the tasks of pages' main threads; only one page is open."""
    threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == MAIN_THREAD
    }
    return [
        event
        for event in events
        if event["name"] == TASK and event["ph"] == "X" and (event["pid"], event["tid"]) in threads
    ]
