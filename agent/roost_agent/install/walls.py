"""Walls about an installer that came as a plugin: all is read-only to it but what was opened.

A program, with which root's one-shot starts such an installer: it makes a mount namespace of its
own, has every mount in it read-only, puts what is opened back in its place, gives its rights up
and becomes the installer. Where any of that fails nothing is started: it says ``walls`` and ends.

It leaves to others: who says what is opened (grants), devices and networks (the unit's sandbox).
Needs Linux 5.12 (mount_setattr(2)); Debian 12 has 6.1, whose util-linux cannot do that yet.
"""

import argparse
import ctypes
import json
import os
import stat
import struct
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

from roost_agent.install import rights

CODE: Final = "walls"  # in the answer, when nothing was started
FAILED: Final = 2  # the contract's exit status
CLONE_NEWNS: Final = 0x0002_0000  # linux/sched.h
SYS_OPEN_TREE, SYS_MOVE_MOUNT, SYS_MOUNT_SETATTR = 428, 429, 442  # the same on x86-64 and arm64
AT_FDCWD: Final = -100
AT_EMPTY_PATH: Final = 0x1000
AT_RECURSIVE: Final = 0x8000
OPEN_TREE_CLONE: Final = 1
MOVE_MOUNT_F_EMPTY_PATH: Final = 4
MOUNT_ATTR_RDONLY: Final = 1
READ_ONLY: Final = struct.pack("=4Q", MOUNT_ATTR_RDONLY, 0, 0, 0)  # struct mount_attr: to put,
WRITABLE: Final = struct.pack("=4Q", 0, MOUNT_ATTR_RDONLY, 0, 0)  # to take away,
PRIVATE: Final = struct.pack("=4Q", 0, 0, 1 << 18, 0)  # and how mounts spread: MS_PRIVATE
NOTHING: Final = Path("/dev/null")  # what stands in a socket's place

_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def main() -> NoReturn:
    """Build the walls that the command line says and become the program behind ``--``."""
    asked = _parser().parse_args()
    try:
        build(asked.open, asked.close, asked.shut)
        rights.keep(rights.PLUGIN)
    except OSError as err:
        where = f"{err.filename}: " if err.filename else ""
        _end({"code": CODE, "text": f"it cannot be contained here: {where}{err.strerror}"})
    try:
        os.execv(asked.words[0], asked.words)  # noqa: S606 - root's one-shot says what
    except OSError as err:
        _end({"text": f"{asked.words[0]}: {err.strerror}"})


def build(opened: Collection[Path], closed: Collection[Path], shut: Collection[Path]) -> None:
    """Have this process, and whom it starts, see everything read-only but what is opened.

    Args:
        opened: may be written, with what is mounted below. What is not there is passed over.
        closed: may not, though something above is opened. Of both the nearest counts.
        shut: sockets that lead to nobody.

    Raises:
        OSError: the kernel or this process's rights do not allow it; end, and start nothing.
    """
    if _libc.unshare(CLONE_NEWNS):
        raise _error("unshare")
    _set("/", AT_RECURSIVE, PRIVATE)
    with _clones({**dict.fromkeys(opened, False), **dict.fromkeys(closed, True)}) as clones:
        _set("/", AT_RECURSIVE, READ_ONLY)
        for path, handle in clones.items():
            _move(handle, path)
    for path in shut:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            with _clones({NOTHING: True}) as clones:
                _move(clones[NOTHING], path.resolve())


@contextmanager
def _clones(wanted: dict[Path, bool]) -> Iterator[dict[Path, int]]:
    """Hold the tree at each path, with what is mounted in it; True: read-only. Outer ones first."""
    found: dict[Path, int] = {}
    try:
        for path in sorted(wanted):
            if not path.exists():
                continue
            flags = OPEN_TREE_CLONE | os.O_CLOEXEC | AT_RECURSIVE
            found[path] = _call(str(path), SYS_OPEN_TREE, AT_FDCWD, os.fsencode(path), flags)
            if wanted[path]:
                _set("", AT_EMPTY_PATH | AT_RECURSIVE, READ_ONLY, found[path])
            else:  # it is open though the system has it read-only; what is mounted in it stays
                _set("", AT_EMPTY_PATH, WRITABLE, found[path])
        yield found
    finally:
        for handle in found.values():
            os.close(handle)


def _set(path: str, flags: int, attributes: bytes, handle: int = AT_FDCWD) -> None:
    words = (handle, os.fsencode(path), flags, attributes, len(attributes))
    _call(path or f"mount {handle}", SYS_MOUNT_SETATTR, *words)


def _move(handle: int, path: Path) -> None:
    goal = os.fsencode(path)
    _call(str(path), SYS_MOVE_MOUNT, handle, b"", AT_FDCWD, goal, MOVE_MOUNT_F_EMPTY_PATH)


def _call(about: str, number: int, *words: int | bytes) -> int:
    given = [ctypes.c_long(each) if isinstance(each, int) else each for each in words]
    answer = int(_libc.syscall(ctypes.c_long(number), *given))
    if answer < 0:
        raise _error(about)
    return answer


def _error(about: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), about)


def _end(said: dict[str, str]) -> NoReturn:
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()
    sys.exit(FAILED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="walls", description="Run a program to which all is read-only but what is opened."
    )
    for name, what in (
        ("open", "may be written"), ("close", "may not, though something above may"),
        ("shut", "a socket that leads to nobody"),
    ):  # fmt: skip
        parser.add_argument(
            f"--{name}", type=Path, action="append", default=[], metavar="PATH", help=what
        )
    parser.add_argument("words", nargs="+", metavar="WORD", help="the program, and its arguments")
    return parser


if __name__ == "__main__":
    main()
