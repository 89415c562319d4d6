"""Which boxes go where without anybody asked: rules of the reviewed configuration. Pure.

A rule says what must be true of a box and which site it belongs to; the first that fits counts.
What a factory certificate says, and which TPM a box has, is a maker's word. All else is the box's
own, and counts only beside a token of the same site. Source: docs/enrolment.md, section "Rules".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from roost_protocol.enrol import ClaimKind, EnrolRequest
from roost_protocol.hardware import Hardware

if TYPE_CHECKING:
    from roost_central.enrol.factory import Vouched
    from roost_central.enrol.tpm.endorsement import Endorsed

_RUNS: Final = re.compile(r"[0-9]+|[a-z]+")


@dataclass(frozen=True, slots=True)
class Said:
    """What is known of a box.

    Attributes:
        maker, serial: of its factory certificate, or of its TPM and the fingerprint of the
            endorsement key; else empty, and its own word.
    """

    kind: ClaimKind
    hardware: Hardware
    serial: str
    maker: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; what is empty may be anything.

    Attributes:
        maker: whose authority must vouch for the box.
        tpm: whose authority must vouch for its TPM; neither: it brings a token of the site.
        node: the one slot that it is for; empty: any empty one.
        serial, vendor, product: patterns, ``*`` and ``?``, whatever the case.
        serials: a list that the number must stand on.
        firmware_min: the least version (``version_order``).
        labels: that the node gets, beside those that it has.
    """

    name: str
    site: str
    node: str = ""
    broker: bool = False
    maker: str = ""
    tpm: str = ""
    serial: str = ""
    vendor: str = ""
    product: str = ""
    serials: frozenset[str] | None = None
    firmware_min: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    def fits(self, said: Said) -> bool:
        """Whether a box is one of those meant."""
        hardware = said.hardware
        return (
            said.kind is self._kind
            and said.maker == (self.maker or self.tpm)
            and _like(said.serial, self.serial)
            and _like(hardware.vendor, self.vendor)
            and _like(hardware.product, self.product)
            and (self.serials is None or said.serial.upper() in self.serials)
            and _is_at_least(hardware.firmware, self.firmware_min)
        )

    @property
    def author(self) -> str:
        """Who decides, as the audit log has it."""
        return f"rule:{self.name}"

    @property
    def _kind(self) -> ClaimKind:
        if self.maker:
            return ClaimKind.FACTORY
        return ClaimKind.TPM if self.tpm else ClaimKind.TOKEN


def said_of(request: EnrolRequest, vouched: "Vouched | Endorsed | None") -> Said:
    """Return what a request says of its box."""
    if vouched is None:
        return Said(request.kind, request.hardware, request.hardware.serial)
    return Said(request.kind, request.hardware, vouched.serial, vouched.maker)


def first_fit(rules: Sequence[Rule], said: Said) -> Rule | None:
    """Return the first rule that a box fits."""
    return next((rule for rule in rules if rule.fits(said)), None)


def version_order(version: str) -> tuple[tuple[bool, int, str], ...]:
    """Return what versions of firmware are compared by: runs of digits as numbers, letters as text.

    Makers agree on no more: 1.9 < 1.10 < 1.10a, F.8 < F.12. A number comes after a letter.
    """
    return tuple(
        (True, int(run), "") if run.isdecimal() else (False, 0, run)
        for run in _RUNS.findall(version.lower())
    )


def _is_at_least(version: str, least: str) -> bool:
    """Whether a version is known and no older; ``least`` empty: any, known or not."""
    return not least or (bool(version) and version_order(version) >= version_order(least))


def _like(text: str, pattern: str) -> bool:
    return not pattern or fnmatchcase(text.upper(), pattern.upper())
