"""Which controllers are due, what their sensors mean, and what is done about it. Pure.

Leaves to others: talking to controllers, alarms, the disk, whether this node's turn it is, what a
reading asks for (acting), how all of it stands (standing).

Invariants:
- no act without its count kept first, and none where the hour of the site is full (budget);
- what was learned goes with a relearning, and settings and counts stay.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from roost_agent.alarm_types import BMC_TYPES
from roost_agent.alarms.rules import Round, Sample
from roost_agent.bmc.acting import acts_wanted, ill_by, noted
from roost_agent.bmc.board import Board
from roost_agent.bmc.effect import Answered, Effect, Event, Moment, Note, Poll, Record, Tick
from roost_agent.bmc.readings import One, interval_ms, take
from roost_agent.bmc.standing import UNREACHABLE, report_of, samples_of
from roost_agent.bmc.talk import Known, Power
from roost_protocol.bmc_report import BmcReport

STAGGER_MS: Final = 2_000  # between the first polls of two controllers, where they are few
SPREAD_MS: Final = 120_000  # over which the first polls of many are
IDLE_MS: Final = 3_600_000  # where nothing is due


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
        found = list(boards)
        step_ms = _step_ms(len(found))
        self._ones = {
            board.node: One(
                board,
                known.get(board.node, Known()),
                now_ms + index * step_ms,
                tuple(acts.get(board.node, ())),
            )
            for index, board in enumerate(found)
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

    def host(self, node: str) -> str:
        """Return where a controller is."""
        return self._ones[node].board.host

    def power(self, node: str) -> tuple[bool, int] | None:
        """Return whether a machine has power, and since when that is known by the boot clock.

        None: nobody read it, or it was neither.
        """
        one = self._ones.get(node)
        if one is None or one.answer is None or one.answer.fault:
            return None
        power = one.answer.power
        return None if power is Power.UNKNOWN else (power is Power.ON, one.power_ms)

    def ill(self, node: str) -> str:
        """Return which sensor of a machine is critical, and its reading; empty: none."""
        one = self._ones.get(node)
        return "" if one is None else ill_by(one)

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
        self._ones[node] = One(one.board, Known(record=one.known.record), now_ms, one.acts)
        return True

    def redefine(self, boards: Iterable[Board], now_ms: int) -> None:
        """Go by other boards from now on, without their passwords; what is new is asked soon.

        What was learned of a controller stays where it is reached as before, and counts always.
        """
        before, found = self._ones, list(boards)
        self._ones = {}
        step_ms = _step_ms(len(found))
        for index, board in enumerate(found):
            due_ms, one = now_ms + index * step_ms, before.get(board.node)
            if one is not None and one.board.access == board.access:
                if one.board != board:
                    one.board, one.due_ms = board, due_ms
                self._ones[board.node] = one
                continue
            acts = () if one is None else one.acts
            known = Known() if one is None else Known(record=one.known.record)
            self._ones[board.node] = One(board, known, due_ms, acts)

    def due_ms(self) -> int:
        """Return when the next look is due."""
        waiting = [one.due_ms for one in self._ones.values() if not one.is_asked]
        return min(waiting, default=IDLE_MS)

    def handle(self, event: Event, now: Moment) -> list[Effect]:
        """Take in an event and return what is to be done."""
        if isinstance(event, Tick):
            return self._tick(is_ours=event.is_ours, now=now)
        return self._answered(event, now)

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
        samples = tuple(sample for one in ones for sample in samples_of(one))
        if all(one.answer is not None for one in ones):
            return Round(BMC_TYPES, samples)
        kept = tuple(each for each in samples if each.type == UNREACHABLE)
        return Round(frozenset({UNREACHABLE}), kept)

    def reports(self) -> list[BmcReport]:
        """Return what the centre is told; of controllers that were asked."""
        if not self._is_ours:
            return []
        return [report_of(one) for one in self._ones.values() if one.answer is not None]

    def stands(self, node: str) -> tuple[BmcReport, tuple[Sample, ...]] | None:
        """Return how one controller stands; None: there is none, or it was not asked yet."""
        one = self._ones.get(node)
        if one is None or one.answer is None:
            return None
        return report_of(one), tuple(samples_of(one))

    def late(self, now_ms: int) -> int:
        """Return how many controllers were to be asked a whole interval ago, and were not yet."""
        return sum(
            one.is_asked and now_ms - one.asked_ms > one.board.interval_s * 1000
            for one in self._ones.values()
        )

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

    def _answered(self, event: Answered, now: Moment) -> list[Effect]:
        answer = event.answer
        one = self._ones.get(answer.node)
        if one is None:
            return []
        one.is_asked, one.known = False, answer.known
        one.due_ms = now.ms + interval_ms(one.board, len(answer.sensors))
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
        take(one, answer.sensors, now.ms)
        for seen in one.sensors.values():
            effects += noted(one, seen)
        effects += acts_wanted(one, event.spent, now)
        return effects


def _step_ms(count: int) -> int:
    """Return the time between the first polls of two of so many controllers."""
    return min(STAGGER_MS, SPREAD_MS // max(count, 1))
