"""The shape of ``bmc.toml``: the board controllers that a node may use, and how sensors count.

The file holds passwords, sealed to this box (closed) or as an operator wrote them, so it must be
the agent's own with mode 0600; the resident agent drops them as soon as it has read the file, and
the child that talks reads it anew.

Invariant: no text of a fault quotes the file.
"""

import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from roost_agent.config import BMC_FILE
from roost_agent.errors import ConfigError
from roost_protocol.boards import (
    INTERVAL_S,
    BoardAccess,
    Group,
    GroupSettings,
    Interval,
    Keys,
    NodeName,
    SensorSettings,
    access_faults,
    settings_faults,
)
from roost_protocol.patterns import END

FILE_BYTES_MAX: Final = 256 * 1024
BOARDS_MAX: Final = 1_024  # one child asks so many
SEALED_CHARS_MAX: Final = 2_048  # a password of SECRET_CHARS_MAX, closed, in base64
_STRANGERS: Final = stat.S_IRWXG | stat.S_IRWXO


class Board(BoardAccess, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One controller: how it is reached, and beyond that as follows.

    Attributes:
        node: whose machine it controls, by its name in the site.
        sealed: in place of ``password``, that password closed to this box (closed.py).
        ca_file: in place of ``ca``, a file of it. With no ``ca``, ``ca_file`` or digest the
            certificate is remembered when the controller is learned, and no other is spoken to
            afterwards.
        interval_s: between two reads of its sensors.
        groups: settings by group.
        suppress: keys of sensors that do not count.
    """

    node: NodeName
    sealed: Annotated[str, Meta(max_length=SEALED_CHARS_MAX)] = ""
    ca_file: Annotated[str, Meta(max_length=255, pattern=r"^(/.*)?" + END)] = ""
    interval_s: Interval = INTERVAL_S
    groups: dict[Group, GroupSettings] = msgspec.field(default_factory=dict)
    suppress: Keys = msgspec.field(default_factory=list)

    @property
    def access(self) -> BoardAccess:
        """Where it is, and how to be let in."""
        return BoardAccess(**{name: getattr(self, name) for name in BoardAccess.__struct_fields__})

    @property
    def sensors(self) -> SensorSettings:
        """How its sensors count."""
        return SensorSettings(
            interval_s=self.interval_s, groups=self.groups, suppress=self.suppress
        )

    def of(self, group: Group) -> GroupSettings:
        """Return the settings of a group."""
        return self.groups.get(group, _SETTINGS)


_SETTINGS: Final = GroupSettings()


class Boards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    bmc: Annotated[list[Board], Meta(max_length=BOARDS_MAX)] = []


def load(file: str) -> tuple[Board, ...]:
    """Return the controllers of a file.

    Raises:
        ConfigError: it is not there, not ours alone, or wrong; every fault of its rules.
    """
    return decode(read_private(file), file)


def decode(raw: bytes, file: str = BMC_FILE) -> tuple[Board, ...]:
    """Return the controllers that a file's content names; see load."""
    try:
        found = msgspec.convert(tomllib.loads(raw.decode()), Boards)
    except msgspec.ValidationError as err:  # names the key and the bound, not the value
        raise ConfigError([f"{file}: {err}"]) from None
    except ValueError:  # whose text may quote the line
        raise ConfigError([f"{file}: not TOML"]) from None
    if faults := [f"{file}: {each}" for each in _faults(found.bmc)]:
        raise ConfigError(faults)
    return tuple(found.bmc)


def _faults(boards: list[Board]) -> Iterator[str]:
    seen: set[str] = set()
    for board in boards:
        where = f"bmc {board.node!r}"
        if board.node in seen:
            yield f"{where}: named twice: a node has one controller"
        seen.add(board.node)
        access = board.access
        if board.sealed:
            access = replace(access, password=access.password or "closed")
        for field, text in (*access_faults(access), *settings_faults(board.sensors)):
            yield f"{where}.{field}: {text}"
        if board.sealed and board.password:
            yield f"{where}: one of password, sealed"
        if board.ca_file and (board.ca or board.certificate_sha256):
            yield f"{where}: one of ca, ca_file, certificate_sha256"


def read_private(file: str) -> bytes:
    """Return what is in a file that holds passwords.

    Raises:
        ConfigError: it is not there, or not ours alone.
    """
    try:
        with Path(file).open("rb") as stream:
            found = os.fstat(stream.fileno())
            raw = stream.read(FILE_BYTES_MAX + 1)
    except OSError as err:
        raise ConfigError([f"{file}: {err.strerror}"]) from err
    if found.st_mode & _STRANGERS or found.st_uid not in {0, os.geteuid()}:
        mode = stat.S_IMODE(found.st_mode)
        raise ConfigError(
            [f"{file}: mode {mode:04o} of user {found.st_uid}: must be the agent's, 0600"]
        )
    if len(raw) > FILE_BYTES_MAX:
        raise ConfigError([f"{file}: longer than {FILE_BYTES_MAX} bytes"])
    return raw
