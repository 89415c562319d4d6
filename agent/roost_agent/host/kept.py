"""What a host must not forget when its agent or its machine restarts: on disk before it counts."""

from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_agent.durable import replace_file
from roost_agent.errors import StorageError
from roost_protocol.host import Admin, Sentence
from roost_protocol.limits import HA_NODES_MAX, NAME_CHARS_MAX

FILE: Final = "host.json"
OTHERS: Final = "hosts-locked.json"  # of the site's other hosts, those that are locked or failed
BYTES_MAX: Final = 16_384
OTHERS_BYTES_MAX: Final = 65_536  # 31 hosts, 255 characters of each that JSON writes as six
TEXT_CHARS_MAX: Final = 200
CAUSES_MAX: Final = 8
REBOOTS_KEPT: Final = 4  # twice what a day allows: the latest of each fault is among them

Text = Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]
Count = Annotated[int, Meta(ge=0, le=2**53)]


class Pending(msgspec.Struct, frozen=True, omit_defaults=True):
    """An act on this host that is under way: the next agent goes on with it.

    Attributes:
        verb: of host_verbs.py.
        boot_id: of the machine's boot in which it began, in hexadecimal digits.
        until_ms: UTC: later it has failed.
    """

    verb: Text
    by: Text
    reason: Text
    boot_id: Text
    until_ms: Count
    force: bool = False


class Rebooted(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reboot that this host ordered of itself, as it was decided; the last rung before giving up.

    Attributes:
        cause: the stage that failed too often.
        boot_id: of the boot that was to end, in hexadecimal digits.
        at_ms: UTC.
        is_over: the host served for long enough since, or an operator has let it begin anew.
    """

    cause: Text
    boot_id: Text
    at_ms: Count
    is_over: bool = False


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """See the module.

    Attributes:
        admin: what operators want of this host.
        by, reason: who locked it and why.
        boot_id: of the machine's boot that the next two are about, in hexadecimal digits.
        is_enabled: its enable sequence was through.
        lets_services_run: it was far enough for local HA to run services here.
        attempts: how often it failed of late, by cause.
        maintenance_until_ms: UTC; 0: it is in none.
        pending: what is under way with it; None: nothing.
        reboots: that it ordered of itself, the oldest first.
    """

    admin: Admin
    boot_id: Text = ""
    is_enabled: bool = False
    lets_services_run: bool = False
    by: Text = ""
    reason: Text = ""
    attempts: Annotated[dict[str, Count], Meta(max_length=CAUSES_MAX)] = {}
    maintenance_until_ms: Count = 0
    pending: Pending | None = None
    reboots: Annotated[list[Rebooted], Meta(max_length=REBOOTS_KEPT)] = []


_decode: Final = msgspec.json.Decoder(Kept).decode


Name = Annotated[str, Meta(max_length=NAME_CHARS_MAX)]


class Failed(msgspec.Struct, frozen=True):
    """Another host that was failed for its silence, and was not back when this was kept.

    Attributes:
        since_ms: when it was, UTC.
        lost_ms: from when on it counts what is done about that, UTC: later after a maintenance.
        boot_id: of its boot before, in hexadecimal digits.
        maintenance_until_ms: UTC; 0: it is in none.
    """

    since_ms: Count
    lost_ms: Count
    boot_id: Text = ""
    maintenance_until_ms: Count = 0


class Locked(msgspec.Struct, frozen=True, omit_defaults=True):
    """Other hosts of the site that are out of service, and do not say so themselves.

    Attributes:
        names: of those that were locked when they were heard last, or since.
        absent: those that do not know it yet, as they are silent: by whom and why.
        failed: those that are failed for their silence.
        tries: how often each was lost and came back without a boot (graceful).
    """

    names: Annotated[list[Name], Meta(max_length=HA_NODES_MAX)] = []
    absent: Annotated[dict[Name, Sentence], Meta(max_length=HA_NODES_MAX)] = {}
    failed: Annotated[dict[Name, Failed], Meta(max_length=HA_NODES_MAX)] = {}
    tries: Annotated[dict[Name, Count], Meta(max_length=HA_NODES_MAX)] = {}


_locked: Final = msgspec.json.Decoder(Locked).decode


def read(folder: Path) -> Kept | None:
    """Return what was kept; None: nothing was yet.

    Raises:
        StorageError: the file cannot be read, or makes no sense: a host that may be locked is not
            to come into service by that.
    """
    path = folder / FILE
    try:
        with path.open("rb") as file:
            body = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as err:
        raise StorageError(f"{path}: {err.strerror}") from err
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as err:
        raise StorageError(f"{path}: {err}") from err


def write(folder: Path, kept: Kept) -> None:
    """Bring it to the disk, in place of what was there.

    Raises:
        StorageError: it is not there.
    """
    _replace(folder / FILE, msgspec.json.encode(kept))


def read_locked(folder: Path) -> Locked:
    """Return the site's other hosts that are locked or failed, as far as this one knows.

    It is a memory, and no right hangs on it: one that makes no sense is as good as none.
    """
    try:
        with (folder / OTHERS).open("rb") as file:
            return _locked(file.read(OTHERS_BYTES_MAX))
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Locked()


def write_locked(folder: Path, locked: Locked) -> None:
    """Keep them.

    Raises:
        StorageError: they are not kept.
    """
    _replace(folder / OTHERS, msgspec.json.encode(locked))


def _replace(path: Path, body: bytes) -> None:
    try:
        replace_file(path, body)
    except OSError as err:
        raise StorageError(f"{path}: {err.strerror}") from err
