"""When a sampled condition counts: limits with hysteresis, hold-off and off-delay.

Each severity of each thing is one debounced switch: it closes when the condition has been at least
that bad for ``raise_after``, and opens when it has been better for ``clear_after``. So major can be
raised while critical still waits, and a dip shorter than the delay is nothing.

Leaves to others: reading samples, what an alarm is called, flap damping (table).

Invariants:
- a severity is raised only with every lower one, so the level has no hole;
- a sample that could not be read changes nothing: what is not observed is not decided;
- a thing that is no longer in its round counts as well, and clears after its delay;
- state is kept for things that are raised or about to be, and for no others.

Rule of the delays: design, faults section 3. An alarm that was raised before a restart keeps its
level until its rule has been evaluated.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from roost_protocol.alarm import Scalar
from roost_protocol.severity import Severity

Key: TypeAlias = tuple[str, str]  # type, entity after node=

RAISED: Final = tuple(severity for severity in Severity if severity is not Severity.CLEARED)


class Rule(msgspec.Struct, frozen=True):
    """One type's limits and delays; ``hysteresis`` is in the unit of the limits."""

    limits: Mapping[Severity, float] = {}
    raise_after_ms: int = 0
    clear_after_ms: int = 0
    hysteresis: float = 0.0


class Reading(msgspec.Struct, frozen=True):
    """A value to hold against limits.

    Attributes:
        value: None where it could not be read.
        limits: of the thing itself, such as a sensor's; None: those of its type.
        is_low_bad: it is bad to be at the limit or below it, not above.
    """

    type: str
    entity: str
    value: float | None
    params: Mapping[str, Scalar] = {}
    limits: Mapping[Severity, float] | None = None
    is_low_bad: bool = False


class Finding(msgspec.Struct, frozen=True):
    """A state that says its severity itself; None where it could not be read.

    ``is_ordered``: somebody's order brought it about, so that its coming and going is no flap.
    """

    type: str
    entity: str
    severity: Severity | None
    params: Mapping[str, Scalar] = {}
    is_ordered: bool = False


Sample: TypeAlias = Reading | Finding


class Round(msgspec.Struct, frozen=True):
    """All that there is of some types now."""

    types: frozenset[str]
    samples: tuple[Sample, ...]


class Verdict(msgspec.Struct, frozen=True):
    """The level of one thing changed; cleared where it is over."""

    type: str
    entity: str
    severity: Severity
    params: Mapping[str, Scalar]
    is_ordered: bool = False


class _Switches(msgspec.Struct):
    """The switches of one thing: which are closed, and since when one wants to turn."""

    closed: Severity
    turning_ms: dict[Severity, int] = {}


class Rules:
    """Every thing that is raised, or about to be.

    Args:
        rules: by type; a type that is not there has no limits and no delays.
        levels: what was raised before a restart.
    """

    def __init__(self, rules: Mapping[str, Rule], levels: Mapping[Key, Severity]) -> None:
        self._rules = rules
        self._things = {key: _Switches(level) for key, level in levels.items()}

    def handle(self, seen: Round, now_ms: int) -> list[Verdict]:
        """Take in one round and return whose level changed.

        Args:
            seen: samples of ``seen.types``, one for each thing.
            now_ms: the boot clock.
        """
        gone = {key for key in self._things if key[0] in seen.types}
        gone.difference_update((sample.type, sample.entity) for sample in seen.samples)
        absent = [Finding(type_, entity, Severity.CLEARED) for type_, entity in sorted(gone)]
        verdicts = [self._judge(sample, now_ms) for sample in (*seen.samples, *absent)]
        return [verdict for verdict in verdicts if verdict is not None]

    def change(self, rules: Mapping[str, Rule]) -> None:
        """Judge by other limits and delays from the next round on."""
        self._rules = rules

    def level(self, key: Key) -> Severity:
        """Return what a thing is raised at."""
        thing = self._things.get(key)
        return Severity.CLEARED if thing is None else thing.closed

    @property
    def size(self) -> int:
        """How many things it keeps."""
        return len(self._things)

    def _judge(self, sample: Sample, now_ms: int) -> Verdict | None:
        key = (sample.type, sample.entity)
        rule = self._rules.get(sample.type, Rule())
        thing = self._things.get(key) or _Switches(Severity.CLEARED)
        target = _target(sample, rule, thing.closed)
        if target is None:
            return None
        before = thing.closed
        for severity in RAISED:
            _turn(thing, severity, target >= severity, rule, now_ms)
        if thing.closed or thing.turning_ms:
            self._things[key] = thing
        else:
            self._things.pop(key, None)
        if thing.closed == before:
            return None
        is_ordered = isinstance(sample, Finding) and sample.is_ordered
        return Verdict(*key, thing.closed, _params(sample, rule, thing.closed), is_ordered)


def _turn(thing: _Switches, severity: Severity, wants: bool, rule: Rule, now_ms: int) -> None:
    """Turn one severity's switch when it has wanted to for long enough."""
    if wants == (thing.closed >= severity):
        thing.turning_ms.pop(severity, None)
        return
    since_ms = thing.turning_ms.setdefault(severity, now_ms)
    delay_ms = rule.raise_after_ms if wants else rule.clear_after_ms
    if now_ms - since_ms >= delay_ms:
        del thing.turning_ms[severity]
        thing.closed = severity if wants else min(thing.closed, Severity(severity - 1))


def _target(sample: Sample, rule: Rule, closed: Severity) -> Severity | None:
    """Return how bad it is now, None where nobody knows."""
    if isinstance(sample, Finding):
        return sample.severity
    if sample.value is None:
        return None
    limits = rule.limits if sample.limits is None else sample.limits
    sign = -1 if sample.is_low_bad else 1
    reached = (
        severity
        for severity, limit in limits.items()
        if sign * sample.value >= sign * limit - (rule.hysteresis if closed >= severity else 0.0)
    )
    return max(reached, default=Severity.CLEARED)


def _params(sample: Sample, rule: Rule, severity: Severity) -> Mapping[str, Scalar]:
    if isinstance(sample, Finding):
        return sample.params
    limits = rule.limits if sample.limits is None else sample.limits
    value = None if sample.value is None else round(sample.value, 2)
    return {"value": value, "limit": limits.get(severity), **sample.params}
