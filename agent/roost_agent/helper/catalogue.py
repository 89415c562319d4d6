"""Reads the catalogue of units, and believes it only where root alone can have written it.

    [unit]
    pump = "pump.service"

The file and every folder above it belong to root and are written by nobody else; a folder that
all may write to must be sticky (an entry of root's in it stays root's). No link is followed.
"""

import os
import re
import stat
import tomllib
from typing import Final

from roost_agent.helper.core import Catalogue

FILE: Final = "/etc/roost/units.toml"
FILE_BYTES_MAX: Final = 64 * 1024
UNITS_MAX: Final = 256
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_UNIT: Final = re.compile(r"[A-Za-z0-9:_][A-Za-z0-9:_.@\\-]{0,239}\.service")
_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def load(path: str = FILE) -> Catalogue:
    """Return what the file allows; nothing, with the reason, where it cannot be believed."""
    try:
        return Catalogue(_units(_read(path)))
    except FileNotFoundError:
        return Catalogue({}, f"{path}: not there, so no unit may be started or stopped")
    except OSError as err:
        return Catalogue({}, f"{path}: {err.strerror}")
    except (ValueError, RecursionError) as err:
        return Catalogue({}, f"{path}: {err}")


def _read(path: str) -> str:
    """Open one component after the other, so that what was checked is what is read."""
    *folders, name = [part for part in path.split("/") if part]
    above = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            inner = os.open(folder, flags, dir_fd=above)
            os.close(above)
            above = inner
            _check_owner(folder, os.fstat(above))
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(name, flags, dir_fd=above), "rb") as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise ValueError(f"{name}: no regular file")
            _check_owner(name, found)
            raw = stream.read(FILE_BYTES_MAX + 1)
    finally:
        os.close(above)
    if len(raw) > FILE_BYTES_MAX:
        raise ValueError(f"bound {FILE_BYTES_MAX} bytes")
    return raw.decode("utf-8")


def _check_owner(name: str, found: os.stat_result) -> None:
    if found.st_uid not in (0, os.geteuid()):
        raise ValueError(f"{name}: belongs to user {found.st_uid}, must be root's")
    is_sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    if found.st_mode & _OTHERS and not is_sticky:
        raise ValueError(f"{name}: others may write to it; chmod go-w")


def _units(text: str) -> dict[str, str]:
    table = tomllib.loads(text)
    units = table.pop("unit", {})
    if table:
        raise ValueError(f"{next(iter(table))}: unknown; there is [unit]")
    if not isinstance(units, dict) or len(units) > UNITS_MAX:
        raise ValueError(f'unit: bound {UNITS_MAX} of NAME = "NAME.service"')
    for name, unit in units.items():
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"unit.{name}: bound a-z 0-9 _ -, at most 64 characters")
        if not isinstance(unit, str) or _UNIT.fullmatch(unit) is None:
            raise ValueError(f'unit.{name}: bound "NAME.service"')
        if unit.startswith("roost-"):
            raise ValueError(f"unit.{name}: {unit} is roost's own")
    return units
