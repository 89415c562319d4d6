"""Runs one health script as the agent's user: bounded in time and output, and nothing left of it.

The script leads a process group of its own, which is killed when the script has ended or its time
is over: what it started does not stay. Its output is read as it comes and its end is kept; one that
floods is killed.
"""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from contextlib import suppress
from typing import Final

SCRIPT_S: Final = 60.0
KEPT_BYTES: Final = 1_024  # the end of its output
FLOOD_BYTES_MAX: Final = 1 << 20
CHUNK_BYTES: Final = 64 << 10
REAP_S: Final = 5.0  # for a killed one to go; one stuck in the kernel is left
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class _FloodError(Exception):
    """It writes without end."""


async def complaint(path: str, argument: str, seconds: float = SCRIPT_S) -> str:
    """Run a script and return why it is not well, with its last words; empty: it is.

    Args:
        path: of the script.
        argument: ``enable`` or ``inservice``.
        seconds: that it may take.
    """
    env = {"PATH": PATH, "LC_ALL": "C.UTF-8"}
    try:
        process = await asyncio.create_subprocess_exec(
            path, argument, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT,
            start_new_session=True, cwd="/", env=env,
        )  # fmt: skip
    except OSError as err:
        return f"cannot be run: {err.strerror}"
    kept = bytearray()
    try:
        async with asyncio.timeout(seconds):
            await _read(process, kept)
            await process.wait()
    except TimeoutError:
        if process.returncode is None:  # else what it left behind holds its output open
            return f"takes longer than {seconds:g} s{_words(kept)}"
    except _FloodError:
        return f"writes more than {FLOOD_BYTES_MAX} bytes{_words(kept)}"
    finally:
        await _end(process)
    status = process.returncode
    return "" if status == 0 else f"status {status}{_words(kept)}"


async def _read(process: Process, kept: bytearray) -> None:
    size = 0
    stream = process.stdout
    while stream is not None and (chunk := await stream.read(CHUNK_BYTES)):
        size += len(chunk)
        kept += chunk
        del kept[:-KEPT_BYTES]
        if size > FLOOD_BYTES_MAX:
            raise _FloodError


async def _end(process: Process) -> None:
    """Kill what is left of its group, the script itself or what it began."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(REAP_S):
            await process.wait()


def _words(kept: bytearray) -> str:
    said = " ".join(kept.decode("utf-8", "replace").split())
    shown = "".join(each if each.isprintable() else "?" for each in said)
    return f": {shown}" if shown else ""
