"""``alarm.raise_to_page_*`` and ``alarm.storm_2000_sites_s``: from a node's word to the paint.

Real alarms through a real Mosquitto and a real central to a page in a real Chromium, all on this
machine, so that one wall clock times both ends. The page is the alarm list, newest first; what it
shows is noted in the frame after each change of it.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiomqtt
from central_process import CentralProcess
from figure import QUICK, Figure
from mosquitto import Mosquitto

sys.path.append(str(Path(__file__).parents[1] / "browser"))

from chromium import Tab, connected, running

from roost_protocol.alarm import Alarm, Change
from roost_protocol.beat import Beat, PathKind, PathReport, PathState
from roost_protocol.codec import encode
from roost_protocol.envelope import Item, ItemKind, Lane, Report
from roost_protocol.severity import Severity
from roost_protocol.topics import NodeTopics

RATE = 200  # alarms a second
LASTS_S = 8 if QUICK else 30
WARM_S = 2  # the first alarms meet imports and empty caches
NODES = 100  # that raise them in turn
STORM_SITES = 2_000
STORM_S = 2.0
BEAT_MS = 120_000  # longer than the storm: silence is not what is measured
WAIT_S = 60.0
PENDING_MAX = 2_000  # publishes under way: a storm is not held back here
TYPE = "100.104"

Say = Callable[[str], None]
Part = Callable[[Tab, aiomqtt.Client, CentralProcess, Say], Awaitable[list[Figure]]]

# Notes [moment, count of visible major alarms] and the moment of each row, after the paint.
WATCH = """(() => {
  window.seen = { counts: [], rows: {} };
  const note = () => {
    const at = Date.now();
    const shown = document.querySelector('[data-severity=major] b')?.innerText ?? '0';
    window.seen.counts.push([at, Number(shown.replaceAll(',', ''))]);
    for (const row of document.querySelectorAll('.alarm-rows .c-text')) {
      window.seen.rows[row.innerText] ??= at;
    }
  };
  let due = false;
  new MutationObserver(() => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => setTimeout(() => { due = false; note(); }));
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
})()"""


def measure(say: Say) -> Iterator[Figure]:
    """Raise at a steady rate, then everywhere at once."""
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as folder, Mosquitto() as broker:
        central = CentralProcess(Path(folder), f"mqtt://127.0.0.1:{broker.port}")
        central.start()
        try:
            central.ready()
            _register(central)
            with running() as browser:
                for part in (_steady, _storm):
                    yield from asyncio.run(_on_a_page(part, central, broker.port, browser, say))
        finally:
            central.kill()


async def _on_a_page(
    part: Part, central: CentralProcess, port: int, address: str, say: Say
) -> list[Figure]:
    async with (
        connected(address) as browser,
        browser.context() as context,
        aiomqtt.Client("127.0.0.1", port, max_inflight_messages=1_000) as client,
    ):
        client.pending_calls_threshold = PENDING_MAX
        tab = await context.tab(width=1440, height=900)
        await _log_in(tab, central)
        return await part(tab, client, central, say)


async def _steady(
    tab: Tab, client: aiomqtt.Client, central: CentralProcess, say: Say
) -> list[Figure]:
    await tab.open(f"http://127.0.0.1:{central.port}/alarms?sort=-raised")
    await tab.wait("document.querySelector('.alarm-counts [data-severity=major]')")
    await tab.js(WATCH)
    total = RATE * (LASTS_S + WARM_S)
    said_ms: list[float] = []
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for n in range(total):
            wait = began + n / RATE - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            said_ms.append(time.time() * 1000)
            node = f"{_site(n % NODES)}.n1"
            tasks.create_task(
                client.publish(NodeTopics.of(node).report, _raised(node, n // NODES, f"no. {n}"), 1)
            )
    await tab.wait(f"{_number('[data-severity=major] b')} >= {total}", for_s=WAIT_S)
    await asyncio.sleep(0.5)  # the last note is taken a frame later
    seen = json.loads(await tab.js("JSON.stringify(window.seen)"))
    first = RATE * WARM_S
    counted = _counted(said_ms, seen["counts"])[first:]
    rows = {int(text.split()[1]): at for text, at in seen["rows"].items() if text.startswith("no.")}
    drawn = [at - said_ms[n] for n, at in rows.items() if n >= first]
    say(f"{total} alarms; p50 {statistics.median(counted):.0f} ms; {len(drawn)} seen as rows")
    against = f"{RATE}/s for {LASTS_S} s; p50 {statistics.median(counted):.0f} ms"
    row_against = f"{len(drawn)} of {len(counted)} alarms had a row; the rest were scrolled past"
    return [
        Figure("alarm.raise_to_page_p99_ms", _p99(counted), "ms", "<= 1,000", against),
        Figure("alarm.raise_to_row_p99_ms", _p99(drawn), "ms", "", row_against),
    ]


async def _storm(
    tab: Tab, client: aiomqtt.Client, central: CentralProcess, say: Say
) -> list[Figure]:
    await tab.open(f"http://127.0.0.1:{central.port}/")
    await tab.wait("document.querySelector('.alarm-counts [data-severity=major]')")
    sites = NODES + 5 * STORM_SITES
    for n in range(sites):  # who was never heard is no site that could have been hit
        node = f"{_site(n)}.n1"
        await client.publish(NodeTopics.of(node).beat, _beat(node), 1)
    await tab.wait(f"{_number('.banner .tone-ok b')} >= {sites}", for_s=WAIT_S)
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for n in range(STORM_SITES):
            wait = began + STORM_S * n / STORM_SITES - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            node = f"{_site(NODES + n)}.n1"
            tasks.create_task(
                client.publish(NodeTopics.of(node).report, _raised(node, 0, "storm"), 1)
            )
    await tab.wait("document.querySelector('.strip li')", for_s=WAIT_S)
    took_s = time.monotonic() - began
    await tab.wait("document.querySelector('.strip').innerText.includes('carB')", for_s=WAIT_S)
    explained_s = time.monotonic() - began
    say(f"incident after {took_s:.1f} s, its cause after {explained_s:.1f} s")
    against = f"{STORM_SITES} sites in {STORM_S:.0f} s; its cause with it; without {took_s:.1f} s"
    value = round(explained_s, 2)
    return [Figure("alarm.storm_2000_sites_s", value, "s", "<= 5", against)]


def _raised(node: str, number: int, text: str) -> bytes:
    """Return a report whose one item, the ``number``-th of its node, raises one alarm."""
    body = encode(
        Alarm(
            v=1,
            type=TYPE,
            change=Change.RAISE,
            severity=Severity.MAJOR,
            entity=f"fs=/d{number}",
            text=text,
        )
    )
    at_ms = int(time.time() * 1000)
    return encode(
        Report(
            v=1,
            node=node,
            boot_id=b"b" * 16,
            incarnation=1,
            path="wan1",
            sent_ms=at_ms,
            lane=Lane.ALARM,
            stream=node.encode().ljust(16, b"-")[:16],
            prev=number,
            items=[Item(number + 1, ItemKind.ALARM, at_ms, body)],
        )
    )


def _beat(node: str) -> bytes:
    """Return the beat of a node that is well."""
    sent_ms = int(time.time() * 1000)
    return encode(
        Beat(
            v=1,
            node=node,
            boot_id=b"b" * 16,
            incarnation=1,
            path="wan1",
            sent_ms=sent_ms,
            n=1,
            interval_ms=BEAT_MS,
            uptime_s=1_000,
            agent="0",
            why="timer",
            paths=[PathReport("wan1", PathKind.WAN, PathState.UP, sent_ms)],
        )
    )


def _number(selector: str) -> str:
    """Return the expression of a count on the page."""
    return f"Number(document.querySelector('{selector}')?.innerText.replaceAll(',', ''))"


def _site(number: int) -> str:
    return f"edge-{number:05d}"


def _register(central: CentralProcess) -> None:
    """Make the sites known with their labels; those of the storm share a carrier and regions."""
    lines = []
    for n in range(NODES + 5 * STORM_SITES):
        is_hit = NODES <= n < NODES + STORM_SITES
        labels = {
            "carrier": "carB" if is_hit else ("carA", "carC")[n % 2],
            "region": f"r{n % 12:02d}",
            "pe": f"pe{n % 40}",
        }
        lines.append(json.dumps({"site": _site(n), "labels": labels, "nodes": ["n1"]}))
    token = (central.data_dir / "admin.token").read_text().strip()
    for start in range(0, len(lines), 2_000):
        request = urllib.request.Request(
            f"http://127.0.0.1:{central.port}/api/v1/sites:import",
            data="\n".join(lines[start : start + 2_000]).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"},
        )
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:  # noqa: S310 - as above
            assert json.load(answer)["errors"] == []


async def _log_in(tab: Tab, central: CentralProcess) -> None:
    token = (central.data_dir / "admin.token").read_text().strip()
    await tab.open(f"http://127.0.0.1:{central.port}/login")
    await tab.wait("document.querySelector('#token')")
    await tab.js(f"document.querySelector('#token').value = {token!r}")
    await tab.js("document.querySelector('form').requestSubmit()")
    await tab.wait("document.querySelector('.banner .count')", for_s=WAIT_S)


def _counted(said_ms: list[float], counts: list[list[float]]) -> list[float]:
    """Return for each alarm how long it took until the page counted so many."""
    delays, at = [], 0
    for n, said in enumerate(said_ms, 1):
        while counts[at][1] < n:
            at += 1
        delays.append(counts[at][0] - said)
    return delays


def _p99(delays_ms: list[float]) -> float:
    return round(statistics.quantiles(delays_ms, n=100)[98], 0)
