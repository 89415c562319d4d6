"""What a host must not forget when its agent or its machine restarts: on disk before it counts."""

from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_agent.durable import replace_file
from roost_agent.errors import StorageError
from roost_protocol.host import Admin

FILE: Final = "host.json"
BYTES_MAX: Final = 16_384
TEXT_CHARS_MAX: Final = 200
CAUSES_MAX: Final = 8

Text = Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]
Count = Annotated[int, Meta(ge=0, le=2**53)]


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """See the module.

    Attributes:
        admin: what operators want of this host.
        by, reason: who locked it and why.
        boot_id: of the machine's boot that ``is_enabled`` is about, in hexadecimal digits.
        is_enabled: its enable sequence was through.
        attempts: how often it failed of late, by cause.
        maintenance_until_ms: UTC; 0: it is in none.
    """

    admin: Admin
    boot_id: Text = ""
    is_enabled: bool = False
    by: Text = ""
    reason: Text = ""
    attempts: Annotated[dict[str, Count], Meta(max_length=CAUSES_MAX)] = {}
    maintenance_until_ms: Count = 0


_decode: Final = msgspec.json.Decoder(Kept).decode


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
    path = folder / FILE
    try:
        replace_file(path, msgspec.json.encode(kept))
    except OSError as err:
        raise StorageError(f"{path}: {err.strerror}") from err
