"""What a box says it is made of, and how likely two such words are of one box.

It is *scored, never a key*: but for a TPM's certified endorsement key it is the node's own word. It
catches honest mistakes (a cloned disk, a swapped box), no thief. Source: docs/enrolment.md.
"""

from enum import StrEnum
from typing import Annotated, Final, NamedTuple

import msgspec

from roost_protocol.patterns import NO_CONTROLS

TEXT_CHARS_MAX: Final = 128
PARTS_MAX: Final = 64  # disks, or network ports, of one box

EK_POINTS: Final = 100
UUID_POINTS: Final = 40
BOARD_POINTS: Final = 30
DISKS_POINTS: Final = 20
MACS_POINTS: Final = 20
WHOLE_POINTS: Final = UUID_POINTS + BOARD_POINTS + DISKS_POINTS + MACS_POINTS  # without a TPM
SAME_POINTS_MIN: Final = 60
UNSURE_POINTS_MIN: Final = 30

# What vendors ship where a number should be; compared in lower case without -, : and spaces.
_BLANKS: Final = frozenset(
    {
        "", "0", "none", "null", "unknown", "default", "defaultstring", "notspecified", "oem",
        "systemserialnumber", "baseboardserialnumber", "tobefilledbyo.e.m.", "tobefilledbyoem",
        "serialnumber", "notapplicable", "n/a", "123456789", "0123456789", "invalid",
        "03000200040005000006000700080009",  # one BIOS kit's UUID, on whole product lines
        "00020003000400050006000700080009",
        "123456781234567890abcddeefaabbcc",
    }
)  # fmt: skip

Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX, pattern=NO_CONTROLS)]
Parts = Annotated[tuple[Text, ...], msgspec.Meta(max_length=PARTS_MAX)]


class Hardware(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A box in its own words; empty is not known.

    Attributes:
        ek: SHA-256 of the TPM's endorsement key, hexadecimal.
        uuid: DMI's UUID of the system.
        serial: DMI's serial number of the system, as on its label.
        board: DMI's serial number of the board.
        disks: serial numbers.
        macs: permanent addresses of the ports.
        firmware: its version as DMI has it; told, and not scored: it changes.
    """

    vendor: Text = ""
    product: Text = ""
    serial: Text = ""
    ek: Text = ""
    uuid: Text = ""
    board: Text = ""
    disks: Parts = ()
    macs: Parts = ()
    firmware: Text = ""


class Likeness(StrEnum):
    """What a score says."""

    SAME = "same"
    UNSURE = "unsure"  # a human decides
    OTHER = "other"


def score(known: Hardware, seen: Hardware) -> int:
    """Return how many points speak for one box, 0 to 210."""
    return (
        _equal(known.ek, seen.ek) * EK_POINTS
        + _equal(known.uuid, seen.uuid) * UUID_POINTS
        + _equal(known.board, seen.board) * BOARD_POINTS
        + _shared(known.disks, seen.disks, DISKS_POINTS)
        + _shared(known.macs, seen.macs, MACS_POINTS)
    )


class Alike(NamedTuple):
    """What speaks for a box being the one that was known, in points.

    A part that was known and is not said now, since root alone may read it or it broke, speaks
    neither for nor against.

    Attributes:
        agreed: of what is as it was.
        unsaid: of what was known and is not said now.
        known: of all that was known.
    """

    agreed: int
    unsaid: int
    known: int

    @property
    def is_same(self) -> bool:
        """Whether nothing tells it apart: SAME_POINTS_MIN, or half of what little was known."""
        return self.agreed + self.unsaid >= self._needed

    @property
    def is_blind(self) -> bool:
        """Whether so much is unsaid now that any box would pass as this one."""
        return bool(self.unsaid) and self.unsaid >= self._needed

    @property
    def _needed(self) -> int:
        return SAME_POINTS_MIN if self.known >= WHOLE_POINTS else self.known // 2


def compare(known: Hardware, seen: Hardware) -> Alike:
    """Return how much of what a box was known to be is still so."""
    agreed = unsaid = whole = 0
    for then, now, points in (
        ((known.ek,), (seen.ek,), EK_POINTS),
        ((known.uuid,), (seen.uuid,), UUID_POINTS),
        ((known.board,), (seen.board,), BOARD_POINTS),
        (known.disks, seen.disks, DISKS_POINTS),
        (known.macs, seen.macs, MACS_POINTS),
    ):
        before, after = _said(then), _said(now)
        if before:
            whole += points
            agreed += points * len(before & after) // len(before)
            unsaid += 0 if after else points
    return Alike(agreed, unsaid, whole)


def likeness(points: int) -> Likeness:
    """Return what a score says."""
    if points >= SAME_POINTS_MIN:
        return Likeness.SAME
    return Likeness.UNSURE if points >= UNSURE_POINTS_MIN else Likeness.OTHER


def plain(text: str) -> str:
    """Return a number as it is compared, in lower case and bare; blank where it says nothing."""
    bare = "".join(text.lower().split()).replace("-", "").replace(":", "")
    return "" if bare in _BLANKS or len(set(bare)) == 1 else bare


def _equal(known: str, seen: str) -> bool:
    return plain(known) != "" and plain(known) == plain(seen)


def _shared(known: tuple[str, ...], seen: tuple[str, ...], points: int) -> int:
    """Return the part of what was known that is still there, in points."""
    before, after = _said(known), _said(seen)
    return points * len(before & after) // len(before) if before else 0


def _said(parts: tuple[str, ...]) -> set[str]:
    return {plain(each) for each in parts} - {""}
