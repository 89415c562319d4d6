"""What a node tells the centre of its settings: how they were applied, and what differs from them.

An item ``config`` of the bulk lane, a state: it stands in place of the one before it. It goes out
when a document was applied, undone or refused, and when what a look at the system found is another
than the last time. The beat has the digest of what is applied; the report says why.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from roost_protocol.envelope import Count, ShortText
from roost_protocol.limits import (
    ALARM_TEXT_BYTES_MAX,
    CONFIG_DRIFT_MAX,
    CONFIG_SECTIONS_MAX,
    CONFIG_SHOWN_CHARS_MAX,
    STRING_BYTES_MAX,
)

Digest32 = Annotated[bytes, Meta(min_length=32, max_length=32)]
Sentence = Annotated[str, Meta(max_length=ALARM_TEXT_BYTES_MAX)]
Shown = Annotated[str, Meta(max_length=CONFIG_SHOWN_CHARS_MAX)]


class ConfigState(StrEnum):
    """How it stands with the document that ``digest`` names.

    ``rolled-back`` and ``refused`` left what was applied before; after ``rolled-back`` something
    had been changed in between. ``pending-reboot`` is applied but for what the next boot takes.
    ``waiting`` was not begun: it waits for the node's window.
    """

    APPLIED = "applied"
    PENDING_REBOOT = "pending-reboot"
    ROLLED_BACK = "rolled-back"
    REFUSED = "refused"
    WAITING = "waiting"


class SectionState(StrEnum):
    """How it stands with one section.

    ``failed`` is the one because of which all were undone. ``waiting`` was not begun.
    """

    APPLIED = "applied"
    PENDING_REBOOT = "pending-reboot"
    DRIFTED = "drifted"
    FAILED = "failed"
    ROLLED_BACK = "rolled-back"
    REFUSED = "refused"
    WAITING = "waiting"


class SectionReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """One section, and why it is not simply applied."""

    state: SectionState
    reason: Sentence = ""


class Drift(msgspec.Struct, frozen=True, array_like=True):
    """A setting that is not what was applied.

    Attributes:
        setting: its path as TOML writes it.
        wanted, found: as JSON, cut; empty where there is nothing. A secret is told as its digest.
    """

    setting: Annotated[str, Meta(max_length=STRING_BYTES_MAX)]
    wanted: Shown
    found: Shown


class ConfigReport(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One node's settings; the item's ``at_ms`` is when.

    Attributes:
        desired_gen, digest: of the document that ``state`` is about.
        applied_gen, applied_digest: what counts on the node now; 0 and None: nothing yet.
        code, text: why, a word and a sentence; empty where there is nothing to say.
        drift: at most CONFIG_DRIFT_MAX settings, of ``drift_count``.
    """

    v: int
    desired_gen: Count
    digest: Digest32
    state: ConfigState
    applied_gen: Count = 0
    applied_digest: Digest32 | None = None
    code: ShortText = ""
    text: Sentence = ""
    sections: Annotated[dict[ShortText, SectionReport], Meta(max_length=CONFIG_SECTIONS_MAX)] = {}
    drift: Annotated[list[Drift], Meta(max_length=CONFIG_DRIFT_MAX)] = []
    drift_count: Count = 0
