"""``host.*``: how soon a process that died runs again, and what watching costs.

Real processes, watched by the agent's own code on its loop, started by roost-helper as a process of
its own; in systemd's place stands a shell script, so what systemd takes to start a unit is not in
it. A time is from the signal until the new process's number is in its pid file. The cost is that of
the installed agent with its default looks and with 20 watched processes. A full sample is every
look of the agent that starts no program, at a machine with 150 processes more.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from figure import QUICK, Figure, percentile
from measure_agent import SETTLE_S, agent, config, cpu_ticks, rss_mib
from mosquitto import Mosquitto

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from process_stage import Services, watched

from roost_agent.alarms.samplers import samplers
from roost_agent.alarms.samples.clock import KernelClock
from roost_agent.alarms.samples.inside import Inside, OutboxState
from roost_agent.alarms.samples.rarely import Rarely
from roost_agent.alarms.samples.sampler import Look, Measured, Sampler
from roost_agent.alarms.samples.units import Units
from roost_agent.config_file import load
from roost_agent.discovery.reader import Reader
from roost_agent.host.samples.minutes import Minutes
from roost_agent.host.samples.ring import Ring
from roost_agent.host.samples.rollup import samples, window
from roost_agent.host.samples.summary import chosen
from roost_protocol.codec import VERSION, encode, pack
from roost_protocol.envelope import Item, ItemKind, Lane, Report
from roost_protocol.limits import SEAL_BYTES

DEATHS = 40 if QUICK else 200
PROCESSES = 20
WATCH_S = 30 if QUICK else 240
TICKS = os.sysconf("SC_CLK_TCK")
STEP_S = 0.001
CROWD = 150  # processes more
LOOKS = 20 if QUICK else 100
HEADER_BYTES = 64  # of MQTT, its topic and TLS, for each report
START_MINUTE = 30_000_000  # of UTC, when the day of the summary begins


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Kill processes one by one, then watch an agent that watches."""
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as folder:
        services = Services(Path(folder))
        try:
            spent = asyncio.run(restarts_ms(services, say))
        finally:
            services.end()
    note = f"median {percentile(spent, 50):.0f} over {len(spent)}, a script in systemd's place"
    yield Figure(
        "host.process_death_to_restart_ms",
        round(percentile(spent, 99), 1),
        "ms p99",
        "<= 100",
        note,
    )
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as folder:
        services = Services(Path(folder))
        try:
            yield from cost(services, say)
        finally:
            services.end()
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as folder, crowd() as pids:
        yield from looks(Path(folder), pids, say)


async def restarts_ms(services: Services, say: Callable[[str], None]) -> list[float]:
    """Return how long each death took to be mended."""
    names = [f"p{number}" for number in range(PROCESSES)]
    for name in names:
        services.add(name, interval=1, startuptime=1, debounce=1, restarts=100)
    await services.start()
    spent = []
    async with watched(services) as seen:
        for name in names:
            await seen.sees(name, "running")
        await asyncio.sleep(1.2)  # the helper takes 20 requests a second, and had as many
        for number in range(DEATHS):
            if number % 50 == 0:
                say(f"{number} of {DEATHS} deaths")
            name = names[number % PROCESSES]
            before = services.pid(name)
            began = time.monotonic()
            os.kill(before, signal.SIGKILL)
            while services.pid(name) in (0, before):  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(STEP_S)
            spent.append((time.monotonic() - began) * 1000)
            await asyncio.sleep(0.1)  # the next death of this one is past its interval by then
    return spent


def cost(services: Services, say: Callable[[str], None]) -> Iterator[Figure]:
    """Watch an agent that watches processes."""
    names = [f"p{number}" for number in range(PROCESSES)]
    for name in names:
        services.add(name)
    asyncio.run(services.start())
    with Mosquitto() as broker:
        file = config(str(services.folder), broker.port, 1)
        given = services.config()
        file.write_text(
            f'{file.read_text()}[processes]\nfolders = ["{given.folders[0]}"]\n'
            f'units = "{given.units}"\nhelper = "{given.helper}"\n'
        )
        with agent(file) as process:
            time.sleep(SETTLE_S)
            say(f"watching an agent for {WATCH_S} s")
            began, ticks = time.monotonic(), cpu_ticks(process.pid)
            time.sleep(WATCH_S)
            spent = (cpu_ticks(process.pid) - ticks) / TICKS
            percent = 100 * spent / (time.monotonic() - began)
            memory = rss_mib(process.pid)
    note = f"{PROCESSES} processes watched, over {WATCH_S} s{', a shorter run' if QUICK else ''}"
    yield Figure("host.agent_cpu_percent", round(percent, 3), "% of a core", "<= 0.2", note)
    yield Figure("host.agent_rss_mib", round(memory, 1), "MiB", "<= 32", note)


@contextmanager
def crowd() -> Iterator[list[int]]:
    """Run processes that do nothing, and give their numbers."""
    running = [subprocess.Popen(["sleep", "600"]) for _ in range(CROWD)]
    try:
        yield [each.pid for each in running]
    finally:
        for each in running:
            each.kill()
            each.wait()


def looks(folder: Path, pids: list[int], say: Callable[[str], None]) -> Iterator[Figure]:
    """Take full samples one after another, and count what an hour of them is told in."""
    given = load(config(str(folder), 1, 1))
    inside = Inside(lambda: OutboxState(0, 1, ""), lambda: 0.0)
    watched_ = {f"p{number}": pid for number, pid in enumerate(pids[:PROCESSES])}
    programs = (Rarely, KernelClock, Units)
    every = [
        each
        for each in samplers(given, inside, list, lambda: watched_)
        if not isinstance(each, programs)
    ]
    spent, minutes, ring = [], Minutes(), Ring(folder / "samples")
    reader = Reader("/")
    for number in range(LOOKS):
        began = time.process_time()
        seen = _full(every, Look(reader, number * 10_000))
        spent.append((time.process_time() - began) * 1000)
        row = minutes.take(seen, START_MINUTE + number * 60 // LOOKS)
        if row is not None:
            ring.append(row)
        time.sleep(0.02)
    reader.close()
    say(f"{LOOKS} full samples")
    mean = sum(spent) / len(spent)
    note = f"of {len(every)} looks, {CROWD} processes more, {PROCESSES} watched; highest "
    yield Figure("host.sample_cpu_ms", round(mean, 2), "ms", "<= 5", f"{note}{max(spent):.1f}")
    wanted = window(START_MINUTE * 60_000, (START_MINUTE + 60) * 60_000, 600)
    hour = chosen(samples(ring.parts(), wanted, ()))
    assert hour is not None
    told = _report_bytes(pack(hour))
    note = f"{len(hour.series)} series of this machine, {told} bytes an hour"
    yield Figure("host.samples_bytes_per_node_day", 24 * told, "B", "<= 20,000", note)


def _full(every: list[Sampler], look: Look) -> list[Measured]:
    return [
        found for each in every for found in list(each.sample(look)) if isinstance(found, Measured)
    ]


def _report_bytes(body: tuple[bytes, bool]) -> int:
    report = Report(
        v=VERSION,
        node="edge-00001.n1",
        boot_id=b"b" * 16,
        incarnation=1,
        path="p1",
        sent_ms=START_MINUTE * 60_000,
        lane=Lane.BULK,
        stream=b"s" * 16,
        prev=0,
        items=[Item(1, ItemKind.SAMPLES, START_MINUTE * 60_000, *body)],
    )
    return HEADER_BYTES + SEAL_BYTES + len(encode(report))
