"""Proofs: hosts stand as they may, and watched processes run, whatever is killed, cut or hung."""

import asyncio
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from host_machine import HostMachine
from loopback_ports import free_port
from machine import proven
from process_faults import ACTIVE, OF_ACTIVE, OF_PASSIVE, Stage, befall
from process_stage import watched
from proof import Proof

RUNS = 1_000
STEPS = 60
FAULTS = 160
TOGETHER = 4  # services that are hit at once


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Run the machine of three hosts and their coordinator; then hit real processes."""
    wanted = Proof(
        "host.machine",
        runs=RUNS,
        failures=0,
        seed=seed,
        note=f"runs of up to {STEPS} steps over three hosts and their coordinator: agents killed "
        "between two actions, boots, a cut LAN, failures, locks, power that goes, maintenance, all "
        "who watch begun anew at once; every move a row of the table, no failure forgotten, the "
        "last that serves not failed, a storm blamed on the network, one reset for one loss",
    )
    yield proven(wanted, HostMachine, steps=STEPS, share=share, say=say)
    runs = max(2 * TOGETHER, round(FAULTS * share))
    wrong = asyncio.run(processes(runs, seed, say))
    for each in wrong:
        say(f"host.processes: {each}")
    yield Proof(
        "host.processes",
        runs=runs,
        failures=len(wrong),
        seed=seed,
        note="faults of real processes: killed, stopped, restarted by others, dead and not reaped, "
        "a stale pid file, its number a stranger's, a storm of forks or a fork bomb; then "
        "one that lives is followed, and no other beside it",
    )


async def processes(runs: int, seed: int, say: Callable[[str], None]) -> list[str]:
    """Hit services of one helper, several at once; return what went wrong."""
    entropy, wrong = random.Random(seed), list[str]()  # noqa: S311 - a repeatable course
    back = free_port()
    with tempfile.TemporaryDirectory(prefix="roost-prove-") as folder:
        stage = Stage(Path(folder), [free_port() for _ in range(ACTIVE)], back)
        try:
            await stage.services.start()
            async with watched(stage.services, port=back) as seen:
                for name in stage.services.names:
                    await seen.sees(name, "running")
                done = 0
                while done < runs:
                    hit = entropy.sample(stage.services.names, min(TOGETHER, runs - done))
                    faults = [
                        entropy.choice(OF_ACTIVE if name.startswith("a") else OF_PASSIVE)
                        for name in hit
                    ]
                    async with asyncio.TaskGroup() as group:
                        tasks = [
                            group.create_task(befall(stage, seen, name, fault))
                            for name, fault in zip(hit, faults, strict=True)
                        ]
                    wrong += [each for task in tasks if (each := task.result())]
                    done += len(hit)
                    say(f"host.processes: {done} of {runs}")
        finally:
            stage.end()
    return wrong
