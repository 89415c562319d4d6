"""What people decide: who of those that wait is let in.

Invariants: each decision and its audit row are one transaction; a box without a claim is approved
only with the six words that it shows; a slot that is filled is given away only when asked to; what
is decided of many at once is decided of as many as the caller expected, or of none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.signatures import KEYS
from roost_central.enrol.hardware import hardware_of
from roost_central.enrol.matching import Matching
from roost_central.enrol.note import Note
from roost_central.enrol.proof import certified_keys
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.rules import Rule
from roost_central.enrol.silence import check_silence, silent_ms
from roost_central.enrol.slots import NewSlots, check_site, empty_slots
from roost_central.enrol.states import Event, State, after
from roost_central.errors import NotFoundError
from roost_central.fleet import node_labels
from roost_central.fleet.labels import LabelChange
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock
from roost_central.storage import enrolments, identities
from roost_central.storage.engine import Database
from roost_central.storage.enrolments import EnrolmentRecord
from roost_protocol.enrol import ClaimKind
from roost_protocol.hardware import score

LIST_MAX: Final = 1_000
OTHER_WORDS: Final = "the box shows other words: compare all six again"
NO_WORDS: Final = "it brought no token: compare the six words with those on the box, and say them"


@dataclass(frozen=True, slots=True)
class Approval:
    """What a human says yes to.

    Attributes:
        words: the six words of the box, compared; needed where it brought no claim.
        replace: the slot is filled, and the box in it goes.
        reason: why that one goes; needed where it may be at work.
    """

    site: str
    node: str
    words: str = ""
    broker: bool = False
    replace: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The known box that is most like one that waits."""

    node: str
    points: int


class Queue:
    """Who waits, and what was decided.

    Args:
        database: of boxes and slots.
        view: of the fleet.
        clock: of decisions.
        rules: of its configuration: a box that one of them means gets its labels, whoever says yes.
    """

    def __init__(
        self, database: Database, view: FleetView, clock: Clock, rules: Sequence[Rule] = ()
    ) -> None:
        self._rules = {rule.author: rule for rule in rules}
        self._database = database
        self._view = view
        self._clock = clock

    async def boxes(self, states: Sequence[State]) -> list[EnrolmentRecord]:
        """Return boxes in these states, who came first first."""
        async with self._database.read() as connection:
            return await enrolments.in_states(connection, states, limit=LIST_MAX)

    async def find(self, id_: str) -> EnrolmentRecord:
        """Return a box.

        Raises:
            NotFoundError: there is none.
        """
        async with self._database.read() as connection:
            return await _found(connection, id_)

    async def nearest(self, box: EnrolmentRecord) -> Nearest | None:
        """Return the known box that is most like one; None: none is at all."""
        async with self._database.read() as connection:
            known = await identities.load_hardware(connection)
        said = hardware_of(box.hardware)
        others = (each for each in known if each.key_hash != box.key_hash)
        best = max(
            (Nearest(each.node, score(hardware_of(each.hardware), said)) for each in others),
            key=lambda near: near.points,
            default=None,
        )
        return best if best is not None and best.points else None

    async def approve(self, id_: str, wanted: Approval, by: str, note: Note) -> EnrolmentRecord:
        """Let a box in; it gets its identity when it asks next.

        Raises:
            NotFoundError: there is no such box or site.
            RefusedError: ``words``, ``slot-filled``, ``slot-promised``, ``heard``.
            TransitionError: it was decided before.
        """
        slots = NewSlots(self._view, self._clock)
        async with self._database.write() as connection:
            box = await _found(connection, id_)
            after(box.state, Event.APPROVE)  # or it was decided, whatever words it shows
            if box.kind == ClaimKind.BARE and _spoken(wanted.words) != box.words:
                raise RefusedError("words", OTHER_WORDS if wanted.words else NO_WORDS)
            decided = await self._approved(connection, box, wanted, by, slots)
            detail = {**_about(box), "replace": wanted.replace, "reason": wanted.reason}
            await note(connection, "enrol.approve", decided.node_id, detail)
            labels = await self._label(connection, [(box, decided)])
        slots.show()
        node_labels.show(self._view, labels)
        return decided

    async def approve_all(
        self, matching: Matching, expected: int, by: str, note: Note
    ) -> list[EnrolmentRecord]:
        """Let in every box that matches, each into an empty slot of its site, or none of them.

        Raises:
            RefusedError: ``expected`` where others match than the caller saw, ``no-slot``.
        """
        slots = NewSlots(self._view, self._clock)
        decided: list[EnrolmentRecord] = []
        async with self._database.write() as connection:
            waiting = await enrolments.in_states(connection, [State.PENDING], limit=LIST_MAX)
            chosen = [box for box in waiting if matching.of(box)]
            if len(chosen) != expected:
                raise RefusedError("expected", f"{len(chosen)} boxes match, not {expected}: look")
            for box in chosen:
                node = await self._first_empty(connection, box.site)
                wanted = Approval(box.site, node, broker=box.broker)
                decided.append(await self._approved(connection, box, wanted, by, slots))
                detail = {**_about(box), "matched": len(chosen)}
                await note(connection, "enrol.approve", decided[-1].node_id, detail)
            labels = await self._label(connection, list(zip(chosen, decided, strict=True)))
        slots.show()
        node_labels.show(self._view, labels)
        return decided

    async def deny(self, id_: str, reason: str, by: str, note: Note) -> EnrolmentRecord:
        """Refuse a box; its key is never let in.

        Raises:
            NotFoundError: there is none.
            TransitionError: it has its identity already.
        """
        async with self._database.write() as connection:
            box = await _found(connection, id_)
            decided = replace(
                box,
                state=after(box.state, Event.DENY),
                decided_ms=self._clock.wall_ms(),
                decided_by=by,
                reason=reason,
            )
            await enrolments.save(connection, decided)
            detail = {"key": box.key_hash.hex(), "reason": reason}
            await note(connection, "enrol.deny", id_, detail)
        return decided

    async def _approved(
        self,
        connection: AsyncConnection,
        box: EnrolmentRecord,
        wanted: Approval,
        by: str,
        slots: NewSlots,
    ) -> EnrolmentRecord:
        state = after(box.state, Event.APPROVE)
        check_site(self._view, wanted.site)
        slot = await slots.have(connection, wanted.site, wanted.node)
        if slot in await enrolments.promised(connection, [wanted.site]):
            raise RefusedError("slot-promised", f"another box is about to fill {wanted.node}")
        if await identities.filled(connection, [slot]):
            if not wanted.replace:
                raise RefusedError("slot-filled", f"{slot} has a box: say replace, or another node")
            now_ms = self._clock.wall_ms()
            check_silence(silent_ms(self._view, slot, now_ms), wanted.reason)
        decided = replace(
            box,
            state=state,
            site=wanted.site,
            node=wanted.node,
            broker=wanted.broker or box.broker,
            decided_ms=self._clock.wall_ms(),
            decided_by=by,
        )
        await enrolments.save(connection, decided)
        return decided

    async def _label(
        self,
        connection: AsyncConnection,
        boxes: Sequence[tuple[EnrolmentRecord, EnrolmentRecord]],
    ) -> node_labels.Labels:
        """Write the labels that boxes get by the rules that mean them; return all they have then.

        Args:
            connection: of the decision.
            boxes: each as it waited, and as it was let in: a rule is of one site.
        """
        labels: dict[str, dict[str, str]] = {}
        for box, decided in boxes:
            rule = self._rules.get(box.decided_by)
            if rule is not None and rule.labels and rule.site == decided.site:
                row = self._view.nodes.get(decided.node_id)
                before = {} if row is None else row.labels
                labels[decided.node_id] = LabelChange(dict(rule.labels)).applied(before)
        if labels:
            await node_labels.write(connection, labels)
        return labels

    async def _first_empty(self, connection: AsyncConnection, site: str) -> str:
        check_site(self._view, site)
        empty = await empty_slots(connection, self._view, site)
        if not empty:
            raise RefusedError("no-slot", f"{site} has fewer empty slots than boxes: make some")
        return empty[0]


def _about(box: EnrolmentRecord) -> dict[str, Any]:
    return {"enrolment": box.id, "key": box.key_hash.hex(), KEYS: certified_keys(box)}


def _spoken(words: str) -> str:
    return " ".join(words.lower().replace("-", " ").split())


async def _found(connection: AsyncConnection, id_: str) -> EnrolmentRecord:
    found = await enrolments.find(connection, id_)
    if found is None:
        raise NotFoundError("enrolment", field="enrolment", got=id_)
    return found
