"""What an installer is: a program; a verb as its argument, JSON in and out, an exit status.

Whatever it does, whoever calls it goes on: it is killed with all its processes at its deadline,
what it prints is bounded, and what it says beyond the contract is a failure (updates.md 9).
Exit 0 ok, 1 not supported, 2 failed, 3 later (``retry_at_ms``), 4 ok and a boot is needed; anything
else, a signal or too much output is 2.
"""

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from roost_agent.ports import SystemClock

CLOCK: Final = SystemClock()
BYTES_MAX: Final = 64 << 10  # of what is said, either way
COMPLAINT_BYTES: Final = 2_048  # of standard error that is kept, its end
TEXT_CHARS_MAX: Final = 400
CHUNK_BYTES: Final = 64 << 10
LOOK_S: Final = 0.2  # for the end of a program that has closed what it prints to
DEADLINES_S: Final = {
    "describe": 10.0,
    "list": 10.0,
    "precheck": 60.0,
    "stage": 240.0,
    "install": 1_200.0,
    "activate": 500.0,
    "verify": 240.0,
    "commit": 50.0,
    "rollback": 1_500.0,
    "verify-rollback": 240.0,
    "cleanup": 240.0,
}
ENVIRONMENT: Final = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "PYTHONSAFEPATH": "1",
    "PYTHONNOUSERSITE": "1",
}


class Exit(IntEnum):
    """How an installer says that it went."""

    OK = 0
    UNSUPPORTED = 1
    FAILED = 2
    LATER = 3
    REBOOT = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a verb.

    Attributes:
        exit: see Exit.
        text: a sentence for people; of a failure it says why.
        said: all that the installer answered, unknown fields kept.
        complaint: the end of what it wrote to standard error, COMPLAINT_BYTES at most.
    """

    exit: Exit
    text: str = ""
    said: dict[str, Any] = field(default_factory=dict)
    complaint: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether it was done."""
        return self.exit in {Exit.OK, Exit.REBOOT}


def call(
    words: Sequence[str], verb: str, request: dict[str, Any], *, seconds: float | None = None
) -> Answer:
    """Have an installer do a verb, and return what came of it; it never raises for it.

    Args:
        words: the program.
        verb: of DEADLINES_S.
        request: JSON, at most BYTES_MAX.
        seconds: its deadline; None: the verb's.
    """
    given = json.dumps({"verb": verb, **request}).encode()
    if len(given) > BYTES_MAX:
        return Answer(Exit.FAILED, f"{verb}: a request of {len(given)} bytes; bound {BYTES_MAX}")
    limit_s = DEADLINES_S[verb] if seconds is None else seconds
    try:
        status, output, complaint = _run((*words, verb), given, limit_s)
    except TimeoutError:
        return Answer(Exit.FAILED, f"{verb}: not done within {limit_s:.0f} s, so it was killed")
    except OverflowError:
        return Answer(Exit.FAILED, f"{verb}: it said more than {BYTES_MAX} bytes, and was killed")
    except OSError as err:
        return Answer(Exit.FAILED, f"{verb}: {words[0]}: {err.strerror}")
    return _answer(verb, status, output, complaint)


def environment() -> dict[str, str]:
    """Return what an installer gets: nothing of ours but where we found our own modules."""
    kept = ("PYTHONPATH",)  # systemd's environment has none
    return ENVIRONMENT | {name: os.environ[name] for name in kept if name in os.environ}


def _answer(verb: str, status: int, output: bytes, complaint: bytes) -> Answer:
    why = complaint.decode("utf-8", "replace").strip()
    if status not in {*Exit}:
        ended = f"signal {-status}" if status < 0 else f"exit status {status}"
        text = f"{verb}: {ended}: {why}" if why else f"{verb}: {ended}"
        return Answer(Exit.FAILED, _cut(text), complaint=why)
    try:
        said = json.loads(output) if output.strip() else {}
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        text = f"{verb}: what it said is no JSON object"
        return Answer(Exit.FAILED, text, complaint=why)
    text = str(said.get("text", "")) or why
    if status not in {Exit.OK, Exit.REBOOT}:
        text = f"{verb}: {text or Exit(status).name.lower()}"
    return Answer(Exit(status), _cut(text), said, why)


def _run(words: Sequence[str], given: bytes, seconds: float) -> tuple[int, bytes, bytes]:
    """Run a program in a session of its own, which ends with it."""
    handle = os.memfd_create("request", os.MFD_CLOEXEC)
    try:
        os.write(handle, given)  # a memory file takes all of it, whoever reads or does not
        os.lseek(handle, 0, os.SEEK_SET)
        process = subprocess.Popen(  # noqa: S603 - a program of root's
            words, stdin=handle, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/",
            env=environment(), start_new_session=True,
        )  # fmt: skip
    finally:
        os.close(handle)
    try:
        output, complaint = _said(process, CLOCK.boot_ms() + seconds * 1_000)
        return process.returncode, output, complaint
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it, and what it left behind
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None  # noqa: S101 - we asked for it
            stream.close()


def _said(process: "subprocess.Popen[bytes]", until_ms: float) -> tuple[bytes, bytes]:
    """Return what a program says until it ends; who outlives it and holds its pipes is not heard.

    Raises:
        TimeoutError: it does not end.
        OverflowError: it says too much.
    """
    said = {"out": bytearray(), "err": bytearray()}
    with selectors.DefaultSelector() as selector:
        assert process.stdout is not None  # noqa: S101 - we asked for it
        assert process.stderr is not None  # noqa: S101 - as above
        for name, stream in (("out", process.stdout), ("err", process.stderr)):
            selector.register(stream, selectors.EVENT_READ, name)
        while True:
            has_ended = process.poll() is not None  # before the last look at its pipes
            left_s = (until_ms - CLOCK.boot_ms()) / 1_000
            if left_s <= 0 and not has_ended:
                raise TimeoutError
            got = False
            for key, _ in selector.select(0.0 if has_ended else min(left_s, LOOK_S)):
                if _take(said[key.data], key.fd, is_out=key.data == "out"):
                    got = True
                else:
                    selector.unregister(key.fileobj)
            if has_ended and (not got or left_s <= 0):
                return bytes(said["out"]), bytes(said["err"])
            if not selector.get_map() and not has_ended:
                time.sleep(LOOK_S)


def _take(kept: bytearray, handle: int, *, is_out: bool) -> bool:
    """Take what a pipe has; return whether it may have more."""
    chunk = os.read(handle, CHUNK_BYTES)
    kept += chunk
    if is_out and len(kept) > BYTES_MAX:
        raise OverflowError
    if not is_out:
        del kept[:-COMPLAINT_BYTES]
    return bool(chunk)


def _cut(text: str) -> str:
    return text[:TEXT_CHARS_MAX]
