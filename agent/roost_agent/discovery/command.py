"""``roost-agent probe``: probe this machine once, write what was found, exit.

Runs as a child of the agent and by hand. Leaves probing to ``runner``.

Output: a readable summary; JSON when asked; MessagePack for the agent. Log lines go to standard
error.
"""

import argparse
import contextlib
import difflib
import logging
import os
import resource
import shutil
import sys
from typing import Final

import msgspec

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.registry import PROBES, chosen
from roost_agent.discovery.render import render
from roost_agent.discovery.root_facts import borrow
from roost_agent.discovery.runner import DEADLINES, Deadlines, run_probes
from roost_agent.helper.facts import FOLDER
from roost_agent.ports import SystemClock

CPU_S_MAX: Final = 20  # of processor time: a full run takes well under one second
FILES_MAX: Final = 256  # descriptors: probes hold a handful at a time
_NICE: Final = 10
_USAGE_ERROR: Final = 2
_OUTPUT_ERROR: Final = 1


def run(argv: list[str], *, deadlines: Deadlines = DEADLINES) -> int:
    """Run the command with its arguments and return the exit status.

    Does not return when a probe's thread hangs in the kernel: nothing but ``os._exit`` gets past
    such a thread.
    """
    arguments = _parser().parse_args(argv)
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(message)s"
    )
    try:
        lent = arguments.facts or (FOLDER if arguments.root == "/" else "")
        reader = Reader(arguments.root, lent)
    except OSError as err:
        sys.stderr.write(f"roost-agent probe: --root {arguments.root}: {err.strerror}\n")
        return _USAGE_ERROR
    _confine()
    if reader.is_live and os.geteuid():  # root is denied nothing
        borrow(arguments.classes, reader)
    outcome = run_probes(reader, chosen(arguments.classes), SystemClock(), deadlines)
    status = _write(_encode(outcome.document, arguments))
    if outcome.is_stuck:
        sys.stderr.flush()
        os._exit(status)
    reader.close()
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roost-agent probe",
        description="Probe this machine's hardware and software once.",
        epilog=f"classes: {' '.join(PROBES)}",
    )
    parser.add_argument(
        "classes",
        metavar="CLASS",
        nargs="*",
        type=class_name,
        help="classes to probe (default: all)",
    )
    parser.add_argument("--root", default="/", help="read below this directory instead of /")
    parser.add_argument(
        "--facts", default="", help=f"what root lent (with the machine's own root: {FOLDER})"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="write JSON")
    form.add_argument("--msgpack", action="store_true", help="write what the agent reads")
    return parser


def class_name(name: str) -> str:
    """Return the name of a class that can be probed, for argparse; an unknown one gets a hint."""
    if name in PROBES:
        return name
    near = difflib.get_close_matches(name, PROBES, n=1)
    hint = f", did you mean {near[0]!r}?" if near else f": use {', '.join(PROBES)}"
    raise argparse.ArgumentTypeError(f"no class {name!r}{hint}")


def _confine() -> None:
    """Bound what a probe gone wrong can take, and get out of the way of the site's work."""
    for limit, most in ((resource.RLIMIT_CPU, CPU_S_MAX), (resource.RLIMIT_NOFILE, FILES_MAX)):
        _, hard = resource.getrlimit(limit)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (bound, bound))
    with contextlib.suppress(OSError):  # refused: a full run is short all the same
        os.nice(_NICE)
    _idle_io()


def _idle_io() -> None:
    import psutil  # noqa: PLC0415 - only this child has a use for it

    with contextlib.suppress(OSError, psutil.Error):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)


def _encode(document: dict[str, object], arguments: argparse.Namespace) -> bytes:
    if arguments.msgpack:
        return msgspec.msgpack.encode(document)
    if arguments.json:
        text = msgspec.json.encode(document)
        return (msgspec.json.format(text, indent=2) if sys.stdout.isatty() else text) + b"\n"
    return render(document, shutil.get_terminal_size().columns).encode()


def _write(output: bytes) -> int:
    try:
        sys.stdout.buffer.write(output)
        sys.stdout.flush()
    except OSError as err:  # the reader went away, or the disk is full
        sys.stderr.write(f"roost-agent probe: cannot write: {err.strerror}\n")
        return _OUTPUT_ERROR
    return 0
