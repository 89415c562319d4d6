"""What befalls watched processes in the proof of their watching: real processes, real signals.

Each fault ends with the process gone, hung, or another than it was; after each the watching must
have a living process running within AGAIN_S, which is not the one that was hit.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Awaitable, Callable
from pathlib import Path

from process_stage import ANSWERS, Services, Watched, is_alive
from waiting import until

AGAIN_S = 30.0  # to have settled again, on a machine that does other things too
PASSIVE = 6
ACTIVE = 2
FORKS = 300  # of a storm
BOMB_S = 2.0  # that a fork bomb has
BOMB_PROCESSES = 60  # at a time: the bound of its user
NOBODY = 65_534  # whose bound is not root's, who has none
BOMB = f"""
import os, resource
os.nice(10)
resource.setrlimit(resource.RLIMIT_NPROC, ({BOMB_PROCESSES}, {BOMB_PROCESSES}))
os.setuid({NOBODY})
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
TRIES = 20  # for a number that others take meanwhile

# Returns the process that must not be followed, where it is another than was there before.
Fault = Callable[["Stage", str], Awaitable[int | None]]


class Stage:
    """Services of one helper, and whoever else starts processes."""

    def __init__(self, folder: Path, ports: list[int], back: int) -> None:
        self.services = Services(folder)
        self.children: list[subprocess.Popen[bytes]] = []
        for number in range(PASSIVE):
            self.services.add(f"p{number}", interval=1, startuptime=1, debounce=1, restarts=100)
        for number, port in zip(range(ACTIVE), ports, strict=True):
            program = ANSWERS.replace("PORT", str(port)).replace("BACK", str(back))
            self.services.add(
                f"a{number}", program, mode="active", port=port, period=1, timeout=1, threshold=2,
                interval=1, startuptime=1, debounce=1, restarts=100,
            )  # fmt: skip

    def own(self, name: str) -> subprocess.Popen[bytes]:
        """Start a process of our own under a service's name, as another hand does."""
        child = subprocess.Popen(["sleep", "1000"])
        self.children.append(child)
        file = self.services.folder / f"{name}.pid"
        fresh = file.with_suffix(".other")
        fresh.write_text(f"{child.pid}\n")
        fresh.replace(file)
        return child

    def take_number(self, number: int) -> None:
        """Start a stranger under a number that is free; where others are quicker, under another."""
        for _ in range(TRIES):
            LAST_PID.write_text(str(number - 1))
            self.children.append(subprocess.Popen(["sleep", "1000"]))
            if self.children[-1].pid == number:
                return

    def end(self) -> None:
        """End all of it."""
        self.services.end()
        for child in self.children:
            child.kill()
            child.wait()


async def killed(stage: Stage, name: str) -> None:
    """It dies."""
    os.kill(stage.services.pid(name), signal.SIGKILL)


async def stopped(stage: Stage, name: str) -> None:
    """It hangs: nothing but a ping tells."""
    os.kill(stage.services.pid(name), signal.SIGSTOP)


async def restarted_by_others(stage: Stage, name: str) -> None:
    """Another hand ends it and starts another at once; later that one dies."""
    before = stage.services.pid(name)
    os.kill(before, signal.SIGKILL)
    child = stage.own(name)
    await asyncio.sleep(random.Random(child.pid).uniform(0, 3))  # noqa: S311 - a fault's moment
    child.kill()
    child.wait()


async def zombie(stage: Stage, name: str) -> None:
    """It dies, and nobody reaps it: its number goes on to be in use."""
    before = stage.services.pid(name)
    child = stage.own(name)
    os.kill(before, signal.SIGKILL)
    await asyncio.sleep(2.5)  # it is found by the next look
    child.kill()


async def stale_pid_file(stage: Stage, name: str) -> None:
    """It dies, and its pid file is written anew with the number of a stranger that dies as well."""
    before = stage.services.pid(name)
    stranger = await asyncio.create_subprocess_exec("sleep", "0.1")
    os.kill(before, signal.SIGKILL)
    (stage.services.folder / f"{name}.pid").write_text(f"{stranger.pid}\n")
    await stranger.wait()


async def fork_storm(stage: Stage, name: str) -> None:
    """Numbers are given out by the hundred while it dies."""
    storm = f"i=0; while [ $i -lt {FORKS} ]; do i=$((i+1)); (exit 0) & done; wait"
    process = await asyncio.create_subprocess_exec("sh", "-c", storm)
    os.kill(stage.services.pid(name), signal.SIGKILL)
    await process.wait()


async def fork_bomb(stage: Stage, name: str) -> None:
    """A real one, as a user with a bound, fills it again and again while it dies."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BOMB, stderr=DEVNULL, start_new_session=True
    )
    os.kill(stage.services.pid(name), signal.SIGKILL)
    await asyncio.sleep(BOMB_S)
    os.killpg(process.pid, signal.SIGKILL)  # all at once: a fork in between is ended too
    await process.wait()


async def number_again(stage: Stage, name: str) -> int:
    """Its number is a stranger's as soon as it is free, and its pid file still says it."""
    before = stage.services.pid(name)
    child = stage.own(name)
    os.kill(before, signal.SIGKILL)
    await asyncio.sleep(2.5)  # it is found by the next look
    child.kill()
    child.wait()
    stage.take_number(child.pid)
    return child.pid


OF_ROOT: tuple[Fault, ...] = (fork_bomb, number_again) if os.geteuid() == 0 else ()
OF_PASSIVE: tuple[Fault, ...] = (
    *(killed, restarted_by_others, zombie, stale_pid_file, fork_storm), *OF_ROOT
)  # fmt: skip
OF_ACTIVE: tuple[Fault, ...] = (killed, stopped, fork_storm)


async def befall(stage: Stage, seen: Watched, name: str, fault: Fault) -> str:
    """Let one fault happen; return what is wrong after it, empty where all is well."""
    hit = stage.services.pid(name)
    before = await fault(stage, name) or hit

    def well() -> bool:
        row = seen.row(name)
        pid = stage.services.pid(name)
        return row.state == "running" and row.pid == pid != before and is_alive(pid)

    try:
        await until(well, f"{name} runs again", seconds=AGAIN_S)
    except AssertionError:
        return (
            f"{name} after {fault.__name__}: {seen.row(name)}, pid file {stage.services.pid(name)}"
        )
    if is_alive(before):
        return f"{name} after {fault.__name__}: {before} runs beside {stage.services.pid(name)}"
    return ""
