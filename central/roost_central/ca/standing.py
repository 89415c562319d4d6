"""What is wrong with a signer, by what it says of itself. Pure.

A key without a successor and a full record both end all issuing on a day that is known long before.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from roost_central.signer.message import Facts
from roost_protocol.severity import Severity

DAY_S: Final = 86_400
ROTATE_SOON_S: Final = 30 * DAY_S  # the root is in a safe, and its holders have calendars
SILENT_S: Final = 600  # a restart is shorter; renewals have weeks
RECORD_TIGHT: Final = 0.8
RECORD_FULL: Final = 0.95

ANSWERS: Final = "answers"
ISSUERS: Final = "issuers"
RECORD: Final = "record"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; ``about`` is ANSWERS, ISSUERS or RECORD."""

    about: str
    severity: Severity
    reason: str


def silence(silent_s: int, why: str) -> list[Finding]:
    """Return what it means that nobody has answered for so long."""
    if silent_s < SILENT_S:
        return []
    reason = f"No answer for {silent_s // 60} min, so nothing is issued or renewed: {why}"
    return [Finding(ANSWERS, Severity.MAJOR, reason)]


def findings(facts: Facts, now_s: int) -> list[Finding]:
    """Return what is wrong with a signer that answers."""
    found = []
    due = f"{datetime.fromtimestamp(facts.rotate_by_s, UTC):%Y-%m-%d}"
    if now_s >= facts.rotate_by_s:
        reason = f"An issuing CA was to have its successor by {due}"
        found.append(Finding(ISSUERS, Severity.MAJOR, reason))
    elif now_s >= facts.rotate_by_s - ROTATE_SOON_S:
        reason = f"An issuing CA is to have its successor by {due}"
        found.append(Finding(ISSUERS, Severity.MINOR, reason))
    share = facts.log_bytes / facts.log_bytes_max
    if share >= RECORD_TIGHT:
        severity = Severity.MAJOR if share >= RECORD_FULL else Severity.MINOR
        reason = f"The record of signatures is {share:.0%} full; when it is full nothing is signed"
        found.append(Finding(RECORD, severity, reason))
    return found
