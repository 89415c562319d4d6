"""What a target is told, when it is tried again, and when it counts as unreachable.

Pure: ``now_ms`` and the dice are arguments. Invariants: a target hears the end of what it heard
the beginning of; attempts and waiting sets are bounded; every wait has jitter, so that targets
which fell together are not tried together.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from roost_central.alarms.transition import Transition

FAILURES_MAX: Final = 3  # failed attempts until 210.804 (faults.md section 7)
FAILING_MS_MAX: Final = 60_000  # or failing for so long
WITHHELD_MAX: Final = 100_000  # keys a target was not told of; beyond it may hear a needless clear
CAUSES_MAX: Final = 1_000  # incidents whose cause as last told is remembered
JITTER: Final = 0.2  # share of a wait

WEBHOOK_RETRIES_S: Final = (5.0, 30.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
LINE_RETRIES_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)  # a receiver that is tried for ever


@dataclass(slots=True)
class Bucket:
    """A token bucket: ``rate`` a second, at most ``burst`` at once."""

    rate: float
    burst: float
    tokens: float = -1.0
    at_ms: int = 0

    def take(self, now_ms: int) -> bool:
        """Take a token, if there is one."""
        self._fill(now_ms)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def wait_ms(self, now_ms: int) -> int:
        """Return how long until there is a token."""
        self._fill(now_ms)
        return 0 if self.tokens >= 1 else max(1, round((1 - self.tokens) / self.rate * 1000))

    def _fill(self, now_ms: int) -> None:
        if self.tokens < 0:
            self.tokens = self.burst
        else:
            more = (now_ms - self.at_ms) * self.rate / 1000
            self.tokens = min(self.burst, self.tokens + more)
        self.at_ms = now_ms


def retry_ms(schedule_s: tuple[float, ...], failures: int, dice: float) -> int:
    """Return the wait after so many failures in a row, with jitter.

    Args:
        schedule_s: the waits in turn; the last one repeats.
        failures: 1 or more.
        dice: in [0, 1).
    """
    wait_s = schedule_s[min(failures, len(schedule_s)) - 1]
    return round(wait_s * 1000 * (1 - JITTER + 2 * JITTER * dice))


@dataclass(slots=True)
class Health:
    """Whether a target takes what it is sent."""

    failures: int = 0
    since_ms: int = 0
    is_unreachable: bool = False
    last_error: str = ""

    def failed(self, why: str, now_ms: int) -> bool:
        """Note a failed attempt; true when the target counts as unreachable from now on."""
        if not self.failures:
            self.since_ms = now_ms
        self.failures += 1
        self.last_error = why
        return self.review(now_ms)

    def review(self, now_ms: int) -> bool:
        """Look whether it has been failing for too long; true when that is new."""
        lasts = self.failures and now_ms - self.since_ms >= FAILING_MS_MAX
        if self.is_unreachable or not (lasts or self.failures >= FAILURES_MAX):
            return False
        self.is_unreachable = True
        return True

    def worked(self) -> bool:
        """Note that it took something; true when it had counted as unreachable."""
        was, self.is_unreachable, self.failures = self.is_unreachable, False, 0
        return was


@dataclass(slots=True)
class Audience:
    """Which transitions one target is told of: not what is masked, shelved or of an incident."""

    _withheld: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _causes: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def tells(self, event: str, key_id: str, *, is_suppressed: bool) -> str:
        """Return the event to tell of an alarm's transition; empty: the target hears nothing.

        A clear is told unless its raise was withheld: an alarm that was told before an incident
        took it must not stand at the receiver for ever. A change of what was withheld is its raise.
        """
        if event == "clear":
            was_withheld = key_id in self._withheld
            self._withheld.pop(key_id, None)
            return "" if was_withheld else event
        if is_suppressed:
            if event == "raise":
                self.withhold(key_id)
            return ""
        is_first = event == "change" and key_id in self._withheld
        self._withheld.pop(key_id, None)
        return "raise" if is_first else event

    def pass_over(self, steps: Sequence[Transition]) -> None:
        """Note that the target was told of none of an alarm's steps, the first its raise."""
        for step in steps:
            if step.alarm is not None:
                self.tells(step.event, step.alarm.key_id, is_suppressed=True)

    def withhold(self, key_id: str) -> None:
        """Note that the target was not told of an alarm."""
        self._withheld[key_id] = None
        if len(self._withheld) > WITHHELD_MAX:
            self._withheld.popitem(last=False)

    def admits_incident(
        self, event: str, incident: str, cause: str, *, is_held: bool = False
    ) -> bool:
        """Whether to tell of an incident: its beginning, its end, a cause that is new.

        Nothing while it is held: it begins for a receiver when its cause is known.
        """
        if is_held:
            return False
        known = self._causes.get(incident)
        if event == "close":
            self._causes.pop(incident, None)
            return True
        self._causes[incident] = cause
        if len(self._causes) > CAUSES_MAX:
            self._causes.popitem(last=False)
        return event == "open" or known != cause
