"""Programs that do one thing and exit: bounded output, a deadline, nothing of ours inherited."""

import asyncio
import logging
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import msgspec

log = logging.getLogger(__name__)

REAP_S: Final = 5.0  # for a killed child to go; one stuck in the kernel is left
CHUNK_BYTES: Final = 64 << 10
ERROR_BYTES: Final = 2_048  # of its standard error, for the log
ITSELF: Final = "roost-agent: "  # what its commands that fail begin with


class Outcome(msgspec.Struct, frozen=True):
    """How a program ended.

    Attributes:
        status: its exit status, negative a signal.
        output: what it wrote, cut at the bound.
        complaint: what it wrote to standard error, cut at ERROR_BYTES.
    """

    status: int
    output: bytes
    complaint: bytes

    @property
    def why(self) -> str:
        """Its complaint as text, without the name of this program where it was one of its own."""
        return self.complaint.decode(errors="replace").strip().removeprefix(ITSELF)


def environment() -> dict[str, str]:
    """Return what a child needs to find itself, and nothing else of ours."""
    kept = ("PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C.UTF-8"}


async def run(  # noqa: PLR0913 - the parts of a program's start
    words: Sequence[str],
    *,
    seconds: float,
    bytes_max: int,
    given: bytes = b"",
    env: Mapping[str, str] | None = None,
    descriptors: Sequence[int] = (),
) -> Outcome:
    """Run a program to its end, in a session of its own that ends with it.

    Args:
        words: the program and its arguments.
        seconds: it is killed after.
        bytes_max: of its output that is kept.
        given: its standard input.
        env: its whole environment; without it ``environment()``.
        descriptors: of ours that it gets too, under the same numbers.

    Raises:
        OSError: it cannot be started.
        TimeoutError: it was killed.
    """
    process = await asyncio.create_subprocess_exec(
        *words, stdin=PIPE if given else DEVNULL, stdout=PIPE, stderr=PIPE,
        start_new_session=True, env=environment() if env is None else env, pass_fds=descriptors,
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            return await _all_of(process, bytes_max, given)
    finally:
        await _end(process)


async def _all_of(process: Process, bytes_max: int, given: bytes) -> Outcome:
    async with asyncio.TaskGroup() as group:
        out = group.create_task(_bounded(process.stdout, bytes_max), name="child.out")
        err = group.create_task(_bounded(process.stderr, ERROR_BYTES), name="child.err")
        if process.stdin is not None:
            process.stdin.write(given)
            with suppress(ConnectionError):  # it read no more of it than it wanted
                await process.stdin.drain()
            process.stdin.close()
    return Outcome(await process.wait(), out.result(), err.result())


async def _bounded(stream: asyncio.StreamReader | None, limit: int) -> bytes:
    """Read to the end, keep ``limit`` bytes."""
    kept = bytearray()
    while stream is not None and (chunk := await stream.read(CHUNK_BYTES)):
        kept += chunk[: limit - len(kept)]
    return bytes(kept)


async def _end(process: Process) -> None:
    """Kill what is left of its session: itself, or what it began and left behind."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.returncode is None:
        try:
            async with asyncio.timeout(REAP_S):
                await process.wait()
        except TimeoutError:
            log.warning("child: %d is stuck in the kernel and left there", process.pid)
