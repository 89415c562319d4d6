"""The shape of ``bmc.toml``: the board controllers that a node may use, and how sensors count.

The file holds passwords, so it must be the agent's own with mode 0600; the resident agent drops
them as soon as it has read the file, and the child that talks reads it anew.

Invariant: no text of a fault quotes the file.
"""

import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from roost_agent.bmc.sensor import Group
from roost_agent.config import BMC_FILE
from roost_agent.errors import ConfigError
from roost_protocol.limits import NAME_CHARS_MAX
from roost_protocol.patterns import END

FILE_BYTES_MAX: Final = 256 * 1024
BOARDS_MAX: Final = 1_024  # one child asks so many
SECRET_CHARS_MAX: Final = 255
INTERVAL_S: Final = 120
INTERVAL_S_MIN: Final = 10
LOCAL: Final = "local"
_STRANGERS: Final = stat.S_IRWXG | stat.S_IRWXO

Action = Literal["ignore", "log", "alarm", "reset", "power-cycle"]
Mild = Literal["ignore", "log", "alarm"]
Text = Annotated[str, Meta(max_length=255)]
Secret = Annotated[str, Meta(max_length=SECRET_CHARS_MAX)]
Port = Annotated[int, Meta(ge=1, le=65_535)]


GroupInterval = Annotated[int, Meta(ge=0, le=86_400)]


class GroupSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the sensors of a group count.

    Attributes:
        minor, major, critical: what is done about a reading that bad; ``reset`` and
            ``power-cycle`` come with the alarm.
        suppress: nothing is done, whatever they read.
        interval_s: between two of its readings that count; 0: that of the controller.
    """

    minor: Mild = "alarm"
    major: Mild = "alarm"
    critical: Action = "alarm"
    suppress: bool = False
    interval_s: GroupInterval = 0


class Board(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One controller.

    Attributes:
        node: whose machine it controls, by its name in the site.
        host: name or address in the board's network; ``local``: this machine's own /dev/ipmi0.
        type: ``dynamic`` asks for Redfish first and remembers what answered.
        user, password: of an account with the role Operator.
        uuid: that the machine must have; empty: the one that was learned.
        system: its Redfish resource; empty: the controller has one alone.
        ca_file, certificate_sha256: what its certificate is checked by; neither: it is remembered
            when the controller is learned, and no other is spoken to afterwards.
        interval_s: between two reads of its sensors.
        groups: settings by group.
        suppress: keys of sensors that do not count.
    """

    node: Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]
    host: Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[0-9A-Za-z.:_-]+" + END)]
    user: Annotated[str, Meta(max_length=64, pattern=r"^[^\s:]*" + END)] = ""
    password: Secret = ""
    type: Literal["dynamic", "redfish", "ipmi"] = "dynamic"
    port: Port = 443
    ipmi_port: Port = 623
    cipher: Annotated[int, Meta(ge=1, le=17)] = 3
    uuid: Annotated[str, Meta(max_length=45)] = ""
    system: Annotated[str, Meta(max_length=255, pattern=r"^(/redfish/[^?#\s]+)?" + END)] = ""
    ca_file: Annotated[str, Meta(max_length=255, pattern=r"^(/.*)?" + END)] = ""
    certificate_sha256: Annotated[str, Meta(pattern=r"^([0-9a-fA-F]{64})?" + END)] = ""
    interval_s: Annotated[int, Meta(ge=INTERVAL_S_MIN, le=86_400)] = INTERVAL_S
    groups: dict[Group, GroupSettings] = {}
    suppress: Annotated[list[Text], Meta(max_length=256)] = []

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
    return decode(_read(file), file)


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
        if board.host == LOCAL:
            if board.type == "redfish":
                yield f'{where}.type: "redfish" has no local way: use ipmi'
        elif not board.user or not board.password:
            yield f"{where}: user and password must be set"
        for group, settings in board.groups.items():
            if 0 < settings.interval_s < INTERVAL_S_MIN:
                yield f"{where}.groups.{group}.interval_s: bound {INTERVAL_S_MIN} to 86400, or 0"
        if "\n" in board.password:
            yield f"{where}.password: has a line break"
        if board.ca_file and board.certificate_sha256:
            yield f"{where}: one of ca_file, certificate_sha256"


def _read(file: str) -> bytes:
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
