"""What root tells the agent of settings: a file that the agent's group reads, replaced whole.

It holds what is applied with its settings, so that the agent can look for drift without a
right of its own; nothing in it is secret.
"""

import os
from pathlib import Path
from typing import Any, Final

import msgspec

from roost_protocol.config_report import ConfigState, SectionReport

FOLDER: Final = "/run/roost-config"
NAME: Final = "told.json"
TOLD_BYTES_MAX: Final = 512 * 1024


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A document that root keeps until its window opens.

    Attributes:
        opens_ms: when, UTC by this machine's clock.
        text: what of it has to wait.
    """

    desired: int
    digest: str
    opens_ms: int
    text: str


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A document that was ordered and is not applied; see Told."""

    seq: int
    desired: int
    digest: str
    state: ConfigState
    code: str
    text: str
    sections: dict[str, SectionReport] = {}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How it stands.

    Attributes:
        seq: of the order that ``state`` is about; 0: nobody ordered it, it was applied again.
        desired, digest: of its document.
        state: None while it is on its way.
        waits_ms: until when root waits for the agent to confirm, on CLOCK_BOOTTIME; 0: it does not.
        trial: what the agent goes by until then, in place of these sections of ``applied``.
        held: a document that waits for its window; None: none does.
        failure: the last order's, where it was undone or refused, whatever was applied again since.
        applied_desired, applied_digest, applied: what counts; 0, empty and none before the first.
        is_unread: root itself cannot read what is applied, so these three say nothing.
        pending: settings that wait for a reboot; ``leaving``: those of them that are gone, and in
            effect until then.
    """

    v: int = 1
    seq: int = 0
    desired: int = 0
    digest: str = ""
    state: ConfigState | None = None
    code: str = ""
    text: str = ""
    waits_ms: int = 0
    trial: dict[str, dict[str, Any]] = {}
    held: Waiting | None = None
    failure: Failure | None = None
    sections: dict[str, SectionReport] = {}
    applied_desired: int = 0
    applied_digest: str = ""
    applied: dict[str, dict[str, Any]] = {}
    pending: list[str] = []
    leaving: list[str] = []
    is_unread: bool = False


_decoder: Final = msgspec.json.Decoder(Told)


def read(folder: Path) -> Told | None:
    """Return what root told; None: nothing yet.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    try:
        with (folder / NAME).open("rb") as stream:
            return _decoder.decode(stream.read(TOLD_BYTES_MAX))
    except FileNotFoundError:
        return None


def write(folder: Path, told: Told) -> None:
    """Replace what was told.

    Raises:
        OSError: it was not written.
    """
    fresh = folder / f"{NAME}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(fresh, flags, 0o640), "wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(told), indent=1))
    fresh.rename(folder / NAME)
