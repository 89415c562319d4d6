"""Which controllers are due, what their sensors mean, and what is done about it. Pure.

Leaves to others: talking to controllers, alarms, the disk, whether this node's turn it is.

Invariants:
- a reading acts on a machine only when it was critical twice in a row, a poll apart;
- no act without its count kept first; acts on machines of a site are COOL_MS apart, at most
  ACTS_MAX an hour; after ACTS_MAX of one machine a power-cycle becomes one power-off, for good
  (StarlingX), and a reset nothing;
- a controller has SENSORS_MAX sensors, whatever it names: those missing longest are forgotten;
- a controller that fails keeps its sensors' last levels: what is not read is not decided;
- what is suppressed or ignored raises nothing and does nothing;
- what was learned goes with a relearning, and settings and counts stay.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from roost_agent.alarm_types import BMC_TYPES
from roost_agent.alarms.rules import Finding, Round, Sample
from roost_agent.bmc.board import Board
from roost_agent.bmc.sensor import Level, Sensor, crossed
from roost_agent.bmc.talk import Answer, Known, LogRecord, Power, Verb
from roost_protocol.bmc_report import BmcReport, SensorSaid
from roost_protocol.boards import INTERVAL_S, SENSORS_MAX, Action, Group
from roost_protocol.catalogue import cut
from roost_protocol.codec import VERSION
from roost_protocol.entity import escape
from roost_protocol.limits import ENTITY_BYTES_MAX
from roost_protocol.severity import Severity

UNREACHABLE: Final = "200.010"
UNLEARNED: Final = "200.014"
GROUP: Final = "200.015"
SENSOR: Final = "200.813"
FAILURES: Final = 5  # accesses in a row that failed, until it is told (StarlingX)
MISSING: Final = 3  # reads in a row without a sensor, until that counts
CONFIRM: Final = 2  # readings in a row that are critical, until something is done to the machine
MANY: Final = 100  # sensors, above which the usual interval is
MANY_MS: Final = 900_000
STAGGER_MS: Final = 2_000  # between the first polls of two controllers
COOL_MS: Final = 300_000
ACTS_MAX: Final = 3
HOUR_MS: Final = 3_600_000
TRIED_MS: Final = 2 * HOUR_MS  # so long a power-cycle counts as one that did not help
EARLY_MS: Final = (
    2_000  # a poll so much before a group is due counts for it: looks are a second apart
)
_SEVERITY: Final = {
    Level.MINOR: Severity.MINOR,
    Level.MAJOR: Severity.MAJOR,
    Level.CRITICAL: Severity.CRITICAL,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """Now: by the boot clock, and UTC for what a restart must not forget."""

    ms: int
    wall_ms: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Look what is due; ``is_ours``: this node's turn it is; None: nobody knows yet whose."""

    is_ours: bool | None


@dataclass(frozen=True, slots=True)
class Answered:
    """A poll came back."""

    answer: Answer


Event: TypeAlias = Tick | Answered


@dataclass(frozen=True, slots=True)
class Poll:
    """Ask these controllers together: those that answer well, or those that do not."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """Do this to a machine; ``acts`` is to be on the disk before it is."""

    node: str
    verb: Verb
    why: str
    acts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Write a sentence to the log of the agent."""

    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a controller's own log."""

    node: str
    record: LogRecord


Effect: TypeAlias = Poll | Act | Note | Record


@dataclass(slots=True)
class _Seen:
    """A sensor as it was read last."""

    sensor: Sensor
    missing: int = 0
    critical: int = 0
    noted: Level = Level.OK

    @property
    def is_offline(self) -> bool:
        return self.missing >= MISSING


@dataclass(slots=True)
class _One:
    """A controller."""

    board: Board
    known: Known
    due_ms: int
    acts: tuple[int, ...] = ()
    is_asked: bool = False
    answer: Answer | None = None
    read_ms: int = 0  # UTC
    asked_ms: int = 0  # boot clock, as the next
    power_ms: int = 0  # when the poll began that its answer is of
    why: str = ""
    unkept: str = ""
    sensors: dict[str, _Seen] = field(default_factory=dict)
    groups_ms: dict[Group, int] = field(default_factory=dict)  # when each was decided last


class Boards:
    """See the module.

    Args:
        boards: of this node's file.
        known: what was learned, by node.
        acts: when machines were acted on, UTC ms by node.
        now_ms: the boot clock.
    """

    def __init__(
        self,
        boards: Iterable[Board],
        known: Mapping[str, Known],
        acts: Mapping[str, Sequence[int]],
        now_ms: int,
    ) -> None:
        self._ones = {
            board.node: _One(
                board,
                known.get(board.node, Known()),
                now_ms + index * STAGGER_MS,
                tuple(acts.get(board.node, ())),
            )
            for index, board in enumerate(boards)
        }
        self._is_ours: bool | None = None

    @property
    def nodes(self) -> tuple[str, ...]:
        """Whose controllers are known."""
        return tuple(self._ones)

    def known(self) -> dict[str, Known]:
        """Return what was learned."""
        return {node: one.known for node, one in self._ones.items()}

    def acts(self) -> dict[str, tuple[int, ...]]:
        """Return when machines were acted on."""
        return {node: one.acts for node, one in self._ones.items() if one.acts}

    def learned(self, node: str, known: Known) -> None:
        """Take in what an act learned."""
        if node in self._ones:
            self._ones[node].known = known

    def power(self, node: str) -> tuple[bool, int] | None:
        """Return whether a machine has power, and since when that is known by the boot clock.

        None: nobody read it, or it was neither.
        """
        one = self._ones.get(node)
        if one is None or one.answer is None or one.answer.fault:
            return None
        power = one.answer.power
        return None if power is Power.UNKNOWN else (power is Power.ON, one.power_ms)

    def hurry(self, node: str, now_ms: int) -> None:
        """Have a controller read at the next look, whenever it would be due."""
        if (one := self._ones.get(node)) is not None:
            one.due_ms = min(one.due_ms, now_ms)

    def relearn(self, node: str, now_ms: int) -> bool:
        """Forget what was learned of a controller, also its certificate; False: there is none.

        Settings stay, and so does the count of what was done to the machine.
        """
        one = self._ones.get(node)
        if one is None:
            return False
        self._ones[node] = _One(one.board, Known(record=one.known.record), now_ms, one.acts)
        return True

    def redefine(self, boards: Iterable[Board], now_ms: int) -> None:
        """Go by other boards from now on, without their passwords; all are asked soon.

        What was learned of a controller stays where it is reached as before, and counts always.
        """
        before = self._ones
        self._ones = {}
        for index, board in enumerate(boards):
            due_ms, one = now_ms + index * STAGGER_MS, before.get(board.node)
            if one is not None and one.board.access == board.access:
                one.board, one.due_ms = board, due_ms
                self._ones[board.node] = one
                continue
            acts = () if one is None else one.acts
            known = Known() if one is None else Known(record=one.known.record)
            self._ones[board.node] = _One(board, known, due_ms, acts)

    def due_ms(self) -> int:
        """Return when the next look is due."""
        waiting = [one.due_ms for one in self._ones.values() if not one.is_asked]
        return min(waiting, default=HOUR_MS)

    def handle(self, event: Event, now: Moment) -> list[Effect]:
        """Take in an event and return what is to be done."""
        if isinstance(event, Tick):
            return self._tick(is_ours=event.is_ours, now=now)
        return self._answered(event.answer, now)

    def round(self) -> Round | None:
        """Return how all of it stands, for the alarms; None: nobody knows yet.

        Of another node's turn nothing stands here. Until each controller was asked once, what
        sensors said before a restart stays as it was.
        """
        if self._is_ours is None:
            return None
        if not self._is_ours:
            return Round(BMC_TYPES, ())
        ones = self._ones.values()
        samples = tuple(sample for one in ones for sample in _samples(one))
        if all(one.answer is not None for one in ones):
            return Round(BMC_TYPES, samples)
        kept = tuple(each for each in samples if each.type == UNREACHABLE)
        return Round(frozenset({UNREACHABLE}), kept)

    def reports(self) -> list[BmcReport]:
        """Return what the centre is told; of controllers that were asked."""
        if not self._is_ours:
            return []
        return [_report(one) for one in self._ones.values() if one.answer is not None]

    def _tick(self, *, is_ours: bool | None, now: Moment) -> list[Effect]:
        self._is_ours = is_ours
        if not is_ours:
            for one in self._ones.values():
                one.due_ms = max(one.due_ms, now.ms + STAGGER_MS)
            return []
        due = [one for one in self._ones.values() if not one.is_asked and one.due_ms <= now.ms]
        for one in due:
            one.is_asked, one.asked_ms = True, now.ms
        well = tuple(one.board.node for one in due if not one.known.failures)
        ill = tuple(one.board.node for one in due if one.known.failures)
        return [Poll(nodes) for nodes in (well, ill) if nodes]

    def _answered(self, answer: Answer, now: Moment) -> list[Effect]:
        one = self._ones.get(answer.node)
        if one is None:
            return []
        one.is_asked, one.known = False, answer.known
        one.due_ms = now.ms + _interval_ms(one.board, len(answer.sensors))
        was_well = one.answer is None or not one.answer.fault
        if answer.fault:
            one.why = f"{answer.fault}: {answer.why}"
            one.answer = answer
            return [Note(f"{answer.node}: {one.why}")] if was_well else []
        effects: list[Effect] = [] if was_well else [Note(f"{answer.node}: it answers again")]
        one.answer, one.why, one.read_ms = answer, "", now.wall_ms
        one.power_ms = one.asked_ms
        if answer.unkept not in {"", one.unkept}:
            effects.append(Note(f"{answer.node}: its readings are not kept: {answer.unkept}"))
        one.unkept = answer.unkept
        effects += [Record(answer.node, each) for each in answer.log]
        _take(one, answer.sensors, now.ms)
        for seen in one.sensors.values():
            effects += _judged(one, seen)
        effects += _acts(one, self._site_acts(now), now)
        return effects

    def _site_acts(self, now: Moment) -> list[int]:
        """Return when machines of the site were acted on within the hour, the last one last.

        A time to come is one as well: a clock that was set back forgets nothing.
        """
        found = (at for one in self._ones.values() for at in one.acts)
        return sorted(at for at in found if now.wall_ms - at < HOUR_MS)


def _interval_ms(board: Board, sensors: int, group: Group | None = None) -> int:
    """Return how long after a read the next one is, of a controller or of one of its groups."""
    if group is not None and board.of(group).interval_s:
        return board.of(group).interval_s * 1000
    return MANY_MS if sensors > MANY and board.interval_s == INTERVAL_S else board.interval_s * 1000


def _take(one: _One, sensors: Sequence[Sensor], now_ms: int) -> None:
    """Take in the readings of the groups that are due, and say when the next one is.

    A controller is read whole, as often as the group that is read most; the others are decided at
    their own interval. A sensor that is not among the readings is missing, not gone.
    """
    read = {each.key: each for each in sensors}
    groups = {each.group for each in sensors} | {seen.sensor.group for seen in one.sensors.values()}
    every_ms = {group: _interval_ms(one.board, len(sensors), group) for group in groups}
    due = {
        group
        for group in groups
        if group not in one.groups_ms or now_ms - one.groups_ms[group] >= every_ms[group] - EARLY_MS
    }
    for key, seen in one.sensors.items():
        if seen.sensor.group in due:
            seen.missing = 0 if key in read else seen.missing + 1
    for key, sensor in read.items():
        if sensor.group in due:
            seen = one.sensors.setdefault(key, _Seen(sensor))
            seen.sensor = sensor
            seen.critical = seen.critical + 1 if sensor.level is Level.CRITICAL else 0
    if len(one.sensors) > SENSORS_MAX:
        kept = sorted(one.sensors.items(), key=lambda each: each[1].missing)[:SENSORS_MAX]
        one.sensors = dict(kept)
    one.groups_ms |= dict.fromkeys(due, now_ms)
    one.due_ms = min(
        (one.groups_ms[group] + every_ms[group] for group in groups), default=one.due_ms
    )


def _action(board: Board, sensor: Sensor, level: Level) -> Action:
    """Return what is to be done about a level of a sensor."""
    settings = board.of(sensor.group)
    if level is Level.OK or settings.suppress or sensor.key in board.suppress:
        return "ignore"
    action: Action = getattr(settings, level.word)
    return action


def _judged(one: _One, seen: _Seen) -> list[Effect]:
    """Note a level that is another than before, where it is to be noted."""
    level = seen.sensor.level
    if level is seen.noted:
        return []
    action = _action(one.board, seen.sensor, max(level, seen.noted))
    seen.noted = level
    if action == "ignore":
        return []
    return [Note(f"{one.board.node}: {seen.sensor.name} is {level.word}: {_reading(seen.sensor)}")]


def _acts(one: _One, of_site: Sequence[int], now: Moment) -> list[Effect]:
    """Return the act on a machine that its sensors ask for, at most one.

    Args:
        one: whose.
        of_site: when machines of the site were acted on within the hour.
        now: both clocks.
    """
    wanted: dict[Action, Sensor] = {}
    for seen in one.sensors.values():
        if seen.critical >= CONFIRM and not seen.missing:
            wanted.setdefault(_action(one.board, seen.sensor, Level.CRITICAL), seen.sensor)
    action = next((each for each in ("power-cycle", "reset") if each in wanted), None)
    if action is None or one.answer is None or one.answer.power is not Power.ON:
        return []
    if len(of_site) >= ACTS_MAX or (of_site and now.wall_ms - of_site[-1] < COOL_MS):
        return []
    recent = tuple(each for each in one.acts if now.wall_ms - each < TRIED_MS)
    if len(recent) >= ACTS_MAX and action == "reset":
        return []
    verb = Verb.RESET if action == "reset" else Verb.CYCLE
    if len(recent) >= ACTS_MAX:
        verb = Verb.OFF
    one.acts = (*recent, now.wall_ms)[-2 * ACTS_MAX :]
    sensor = wanted["power-cycle" if action == "power-cycle" else "reset"]
    why = f"{sensor.name} is critical in {CONFIRM} readings: {_reading(sensor)}"
    return [Act(one.board.node, verb, why, one.acts)]


def _samples(one: _One) -> Iterable[Sample]:
    node = one.board.node
    bmc = f"bmc={escape(node)}"
    is_dead = one.known.failures >= FAILURES
    unknown = one.answer is None and not is_dead
    severity = Severity.WARNING if is_dead else None if unknown else Severity.CLEARED
    yield Finding(UNREACHABLE, bmc, severity, {"reason": cut(one.why or "it does not answer")})
    if one.answer is None:
        return
    yield _learned(one, bmc)
    unread = _unread(one)
    for group in unread:
        severity = None if one.answer.fault else Severity.MAJOR
        yield Finding(GROUP, f"{bmc},group={group}", severity)
    names: set[str] = set()
    for seen in one.sensors.values():
        sensor = seen.sensor
        name = sensor.name if sensor.name not in names else f"{sensor.name} {sensor.key}"
        names.add(name)
        entity = f"{bmc},sensor={escape(name)}"
        level = Level.MINOR if seen.is_offline else sensor.level
        if one.answer.fault:
            yield Finding(SENSOR, entity, None)
            continue
        if level is Level.OK or len(entity.encode()) > ENTITY_BYTES_MAX:
            continue
        if sensor.group in unread or _action(one.board, sensor, level) in {"ignore", "log"}:
            continue
        value = None if seen.is_offline else sensor.value
        params = {"value": value, "limit": crossed(sensor), "unit": sensor.unit}
        yield Finding(SENSOR, entity, _SEVERITY[level], params)


def _learned(one: _One, bmc: str) -> Finding:
    """Say whether a controller that answers has told any sensor; of one that fails nobody knows."""
    assert one.answer is not None  # noqa: S101 - the caller looked
    if one.answer.fault or (not one.sensors and one.answer.power is not Power.ON):
        return Finding(UNLEARNED, bmc, None)
    reason = one.answer.unread or "it tells none"
    severity = Severity.CLEARED if one.sensors else Severity.MINOR
    return Finding(UNLEARNED, bmc, severity, {"reason": cut(reason)})


def _unread(one: _One) -> list[Group]:
    """Return groups none of whose sensors is read any more, where that is to be told."""
    seen = [each for each in one.sensors.values() if each.sensor.key not in one.board.suppress]
    groups = {each.sensor.group: True for each in seen}
    for each in seen:
        groups[each.sensor.group] &= each.is_offline
    told = (group for group, is_unread in groups.items() if is_unread)
    return sorted(
        group
        for group in told
        if not one.board.of(group).suppress and one.board.of(group).major == "alarm"
    )


def _report(one: _One) -> BmcReport:
    answer, known = one.answer, one.known
    assert answer is not None  # noqa: S101 - the caller looked
    return BmcReport(
        v=VERSION,
        node=one.board.node,
        by=known.type,
        maker=known.maker,
        model=known.model,
        firmware=known.firmware,
        uuid=known.uuid,
        power=answer.power.value if not answer.fault else Power.UNKNOWN.value,
        fault=cut(one.why),
        failures=known.failures,
        read_ms=max(one.read_ms, 0),
        took_ms=answer.took_ms,
        dropped=answer.dropped,
        sensors=[_said(one.board, seen) for seen in one.sensors.values()],
    )


def _said(board: Board, seen: _Seen) -> SensorSaid:
    sensor, limits = seen.sensor, seen.sensor.limits
    told = [getattr(limits, name) for name in limits.__struct_fields__]
    return SensorSaid(
        sensor.key,
        sensor.name,
        sensor.group.value,
        sensor.unit,
        "offline" if seen.is_offline else sensor.level.word,
        None if seen.is_offline else sensor.value,
        [] if all(each is None for each in told) else told,
        sensor.key in board.suppress or board.of(sensor.group).suppress,
    )


def _reading(sensor: Sensor) -> str:
    if sensor.value is None:
        return "it has no reading"
    limit = crossed(sensor)
    bound = "" if limit is None else f", limit {limit:g}"
    return f"reads {sensor.value:g} {sensor.unit}{bound}"
