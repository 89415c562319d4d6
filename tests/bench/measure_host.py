"""``host.*``: how soon a process that died runs again, and what watching costs.

Real processes, watched by the agent's own code on its loop, started by roost-helper as a process of
its own; in systemd's place stands a shell script, so what systemd takes to start a unit is not in
it. A time is from the signal until the new process's number is in its pid file. The cost is that of
the installed agent with its default looks and with 20 watched processes.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from figure import QUICK, Figure, percentile
from measure_agent import SETTLE_S, agent, config, cpu_ticks, rss_mib
from mosquitto import Mosquitto

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from process_stage import Services, watched

DEATHS = 40 if QUICK else 200
PROCESSES = 20
WATCH_S = 30 if QUICK else 240
TICKS = os.sysconf("SC_CLK_TCK")
STEP_S = 0.001


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
