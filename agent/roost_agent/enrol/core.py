"""When a box that nobody attends looks about for its centre, and when it asks. Pure.

Leaves looking and asking to unattended.py. Invariants:
- nothing is asked without a pin;
- who said no is asked again after a minute, then less and less often, never more than RETRY_MS;
- a medium that comes, or a configuration that changes, counts within LOOK_MS.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from roost_agent.enrol.invitation import Choice, Invitation, Lacking

LOOK_MS: Final = 10_000  # between looks: a few folders, and DNS as often as its shell asks


class Setback(StrEnum):
    """Why there is no identity yet."""

    UNDECIDED = "undecided"  # the centre answers, and nobody there has decided
    AWAY = "away"  # the centre cannot be asked now
    REFUSED = "refused"  # it said no, or is not the centre of this fleet


RETRY_MS: Final = {  # first and longest wait
    Setback.UNDECIDED: (0, 0),  # the join has waited as the centre told it to
    Setback.AWAY: (5_000, 300_000),
    Setback.REFUSED: (60_000, 3_600_000),
}


@dataclass(frozen=True, slots=True)
class Saw:
    """All places were looked at."""

    choice: Choice


@dataclass(frozen=True, slots=True)
class Failed:
    """The last attempt came to nothing; ``dice`` in [0, 1) spreads the next one."""

    why: Setback
    text: str
    dice: float


@dataclass(frozen=True, slots=True)
class Tell:
    """A line for the log."""

    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Join by this invitation now."""

    invitation: Invitation


@dataclass(frozen=True, slots=True)
class Rest:
    """Look again after so long."""

    ms: int


Event = Saw | Failed
Action = Tell | Ask | Rest


@dataclass(slots=True)
class Vigil:
    """What a box that waits for its identity has seen and tried."""

    _told: Choice | None = None
    _asked: Invitation | None = None
    _setback: Setback | None = None
    _failures: int = 0
    _not_before_ms: int = field(default=0)

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Return what to do; ``now_ms`` never steps."""
        if isinstance(event, Failed):
            return self._failed(event, now_ms)
        actions: list[Action] = []
        choice = event.choice
        if choice != self._told:
            self._told = choice
            actions += [Tell(text) for text in _lines(choice)]
        outcome = choice.outcome
        if isinstance(outcome, Lacking) or not outcome.is_automatic:
            return [*actions, Rest(LOOK_MS)]
        if outcome != self._asked:  # another medium, another word: its own count
            self._asked, self._setback, self._failures, self._not_before_ms = outcome, None, 0, 0
        if now_ms < self._not_before_ms:
            return [*actions, Rest(min(LOOK_MS, self._not_before_ms - now_ms))]
        return [*actions, Ask(outcome)]

    def _failed(self, event: Failed, now_ms: int) -> list[Action]:
        if event.why is not self._setback:
            self._setback, self._failures = event.why, 0
        first_ms, longest_ms = RETRY_MS[event.why]
        most_ms = min(longest_ms, first_ms << min(self._failures, 16))
        self._failures += 1
        wait_ms = most_ms - round(most_ms * event.dice / 2)  # at least half: who said no is spared
        self._not_before_ms = now_ms + wait_ms
        again = f"; again in {wait_ms / 1000:.0f} s, or when something changes" if wait_ms else ""
        return [Tell(f"{event.text}{again}")]


def _lines(choice: Choice) -> list[str]:
    outcome = choice.outcome
    if isinstance(outcome, Lacking):
        return [*choice.passed_over, outcome.hint]
    if not outcome.is_automatic:
        hint = f"{outcome.place} says where the centre is, and nothing says whom to trust"
        how = "a token, or a pin (roost ca show), in [join] or in roost-claim.json"
        return [*choice.passed_over, f"{hint}: bring {how}; or run roost-agent join by hand"]
    return [
        *choice.passed_over,
        f"{', '.join(outcome.urls)} by {outcome.place}, trusted by {outcome.trust}",
    ]
