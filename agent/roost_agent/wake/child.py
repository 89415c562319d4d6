"""The probe as a child that exits: heavy imports and long reads cost the resident agent nothing.

The child lowers its own priorities (nice, idle I/O) and limits its processor time.
"""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from typing import Any, Final

import msgspec

from roost_agent.errors import ProbeError

log = logging.getLogger(__name__)

DEADLINE_S: Final = 30.0
REAP_S: Final = 5.0  # for a killed child to go; one stuck in the kernel is left
OUTPUT_BYTES_MAX: Final = 16 << 20
CHUNK_BYTES: Final = 64 << 10
ERROR_BYTES: Final = 2_048  # of its standard error, for the log
VERSION: Final = 1


class ProbedSection(msgspec.Struct, frozen=True):
    """One class as the child found it."""

    items: dict[str, dict[str, Any]]
    missing: dict[str, str]
    as_of_ms: int
    cost_ms: int = 0


class Document(msgspec.Struct, frozen=True):
    """What the child writes."""

    v: int
    sections: dict[str, ProbedSection]


async def probe(classes: tuple[str, ...]) -> Document:
    """Return what a probe of the classes finds; of all of them where empty.

    Raises:
        ProbeError: it failed, took longer than DEADLINE_S, or wrote what is no document.
    """
    process = await _start(classes)
    try:
        async with asyncio.timeout(DEADLINE_S):
            raw, complaint, status = await _read_all(process)
    except TimeoutError as err:
        raise ProbeError(f"not done after {DEADLINE_S:g} s, killed") from err
    finally:
        await _end(process)
    if status:
        raise ProbeError(f"exit status {status}: {complaint.decode(errors='replace').strip()}")
    return _decoded(raw)


async def _start(classes: tuple[str, ...]) -> Process:
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "roost_agent", "probe", "--msgpack", *classes,
            stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True, env=_environment(),
        )  # fmt: skip
    except OSError as err:
        raise ProbeError(f"cannot start: {err}") from err


def _environment() -> dict[str, str]:
    """Return what a child needs to find itself, and nothing else of ours."""
    kept = ("PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C.UTF-8"}


async def _read_all(process: Process) -> tuple[bytes, bytes, int]:
    async with asyncio.TaskGroup() as group:
        out = group.create_task(_bounded(process.stdout, OUTPUT_BYTES_MAX), name="probe.out")
        err = group.create_task(_bounded(process.stderr, ERROR_BYTES), name="probe.err")
    return out.result(), err.result(), await process.wait()


async def _bounded(stream: asyncio.StreamReader | None, limit: int) -> bytes:
    """Read to the end, keep ``limit`` bytes."""
    kept = bytearray()
    while stream is not None and (chunk := await stream.read(CHUNK_BYTES)):
        kept += chunk[: limit - len(kept)]
    return bytes(kept)


async def _end(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        try:
            async with asyncio.timeout(REAP_S):
                await process.wait()
        except TimeoutError:
            log.warning("probe: child %d is stuck in the kernel and left there", process.pid)


def _decoded(raw: bytes) -> Document:
    try:
        document = msgspec.msgpack.Decoder(Document).decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
        raise ProbeError(f"no document of a probe: {err}") from err
    if document.v != VERSION:
        raise ProbeError(f"a document of version {document.v}, this agent knows {VERSION}")
    return document
