"""What of the repositories ends soon, and who is to do something about it. Pure.

When signatures have ended, nodes install nothing: so holders are told a month before, and of what
the signer renews by itself it is told as soon as it should long have done so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from roost_protocol.severity import Severity

DAY_MS: Final = 86_400_000
TARGETS, IMAGE_ROOT, DIRECTOR_ROOT, ONLINE = "targets", "image-root", "director-root", "timestamp"
DAYS: Final[Mapping[str, tuple[int, int]]] = {  # left at which it is minor, and major
    TARGETS: (30, 7),
    IMAGE_ROOT: (60, 14),
    DIRECTOR_ROOT: (60, 14),
}
_DO: Final[Mapping[str, str]] = {
    TARGETS: "`roost release prolong`, then two holders sign",
    IMAGE_ROOT: "`roost release rotate image root` with the same keys, then its holders sign",
    DIRECTOR_ROOT: "`roost release rotate director root` with the same keys, then its holders sign",
    ONLINE: "is roost-signer running, and does it sign releases?",
}


@dataclass(frozen=True, slots=True)
class Life:
    """From when until when something counts, UTC."""

    since_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be told."""

    about: str
    severity: Severity
    reason: str


def findings(lives: Mapping[str, Life], now_ms: int) -> list[Finding]:
    """Return what ends soon, by its name."""
    found = []
    for about, life in lives.items():
        left_ms = life.until_ms - now_ms
        minor_ms, major_ms = _bounds(about, life)
        if left_ms > minor_ms:
            continue
        severity = Severity.MAJOR if left_ms <= major_ms else Severity.MINOR
        days = left_ms // DAY_MS
        when = "has ended: nodes install nothing" if left_ms <= 0 else f"ends in {days} days"
        found.append(Finding(about, severity, f"{about} {when}; {_DO[about]}"))
    return found


def _bounds(about: str, life: Life) -> tuple[int, int]:
    """Return how much is left when it is told; what is renewed daily, by its own length."""
    if about in DAYS:
        minor, major = DAYS[about]
        return minor * DAY_MS, major * DAY_MS
    whole_ms = life.until_ms - life.since_ms
    return whole_ms // 2, whole_ms // 4
