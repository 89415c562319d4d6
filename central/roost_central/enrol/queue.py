"""What people decide: who of those that wait is let in, and which claims there are.

Invariants: each decision and its audit row are one transaction; a box without a claim is approved
only with the six words that it shows; a slot that is filled is given away only when asked to; what
is decided of many at once is decided of as many as the caller expected, or of none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.signatures import KEYS
from roost_central.enrol.hardware import hardware_of
from roost_central.enrol.proof import certified
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.slots import box_of, empty_slots
from roost_central.enrol.states import Event, State, after
from roost_central.errors import NotFoundError
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock, Entropy
from roost_central.storage import claims, enrolments, identities, nodes
from roost_central.storage.claims import ClaimRecord, ClaimType
from roost_central.storage.engine import Database
from roost_central.storage.enrolments import EnrolmentRecord
from roost_protocol.enrol import ClaimKind
from roost_protocol.hardware import score
from roost_protocol.join_token import CLAIM_BYTES, SECRET_BYTES, JoinToken, claim_id, secret_hash
from roost_protocol.topics import node_id

LIST_MAX: Final = 1_000
SILENT_MS_MIN: Final = 900_000  # a box that was heard later may be at work: a reason is asked for

# Writes the audit row of an act: action, what it is about, what it says; no secret.
Note = Callable[[AsyncConnection, str, str, dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Approval:
    """What a human says yes to.

    Attributes:
        words: the six words of the box, compared; needed where it brought no claim.
        replace: the slot is filled, and the box in it goes.
    """

    site: str
    node: str
    words: str = ""
    broker: bool = False
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Matching:
    """Which boxes of the queue, by what they brought and what they say they are.

    Attributes:
        sites: that whoever asks may decide for; None: all.
    """

    site: str = ""
    claim: str = ""
    vendor: str = ""
    product: str = ""
    serials: frozenset[str] = frozenset()
    sites: frozenset[str] | None = None

    def of(self, box: EnrolmentRecord) -> bool:
        """Whether a box is one of them; one without a claim never is: it is looked at alone."""
        if box.kind in {ClaimKind.BARE, ClaimKind.EXPIRED}:
            return False
        said = hardware_of(box.hardware)
        return (
            (self.sites is None or box.site in self.sites)
            and self.site in {"", box.site}
            and self.claim in {"", box.claim}
            and self.vendor in {"", said.vendor}
            and self.product in {"", said.product}
            and (not self.serials or said.serial in self.serials)
        )


@dataclass(frozen=True, slots=True)
class NewClaim:
    """A claim as an operator wants it."""

    site: str
    node: str = ""
    broker: bool = False
    nodes_max: int = 1
    auto_approve: bool = False
    cidr: str = ""
    life_ms: int = 86_400_000
    kind: ClaimType = ClaimType.TOKEN
    subject: str = ""
    replaces: int = 0


@dataclass(frozen=True, slots=True)
class Nearest:
    """The known box that is most like one that waits."""

    node: str
    points: int


@dataclass(slots=True)
class _Slots:
    """The slots that a batch of approvals makes; shown in the view after COMMIT."""

    made: list[tuple[str, str, str]] = field(default_factory=list)


class Queue:
    """Who waits, and what was decided."""

    def __init__(self, database: Database, view: FleetView, clock: Clock, entropy: Entropy) -> None:
        self._database = database
        self._view = view
        self._clock = clock
        self._entropy = entropy

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
            RefusedError: ``words``, ``slot-filled``, ``slot-promised``.
            TransitionError: it was decided before.
        """
        slots = _Slots()
        async with self._database.write() as connection:
            box = await _found(connection, id_)
            if box.kind == ClaimKind.BARE and _spoken(wanted.words) != box.words:
                raise RefusedError("words", "the box shows other words: compare all six again")
            decided = await self._approved(connection, box, wanted, by, slots)
            detail = {**_about(box), "replace": wanted.replace}
            await note(connection, "enrol.approve", decided.node_id, detail)
        self._show(slots)
        return decided

    async def approve_all(
        self, matching: Matching, expected: int, by: str, note: Note
    ) -> list[EnrolmentRecord]:
        """Let in every box that matches, each into an empty slot of its site, or none of them.

        Raises:
            RefusedError: ``expected`` where others match than the caller saw, ``no-slot``.
        """
        slots = _Slots()
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
        self._show(slots)
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

    async def make_claims(
        self, wanted: Sequence[NewClaim], by: str, note: Note
    ) -> list[tuple[ClaimRecord, bytes]]:
        """Make claims; return each with its secret, which is kept nowhere.

        Raises:
            NotFoundError: there is no such site.
        """
        now_ms = self._clock.wall_ms()
        slots = _Slots()
        made = []
        async with self._database.write() as connection:
            for each in wanted:
                self._check_site(each.site)
                if each.node:
                    await self._have_slot(connection, each.site, each.node, slots)
                secret = self._entropy.token(SECRET_BYTES)
                made.append((self._claim(each, secret, by, now_ms), secret))
            await claims.add(connection, *(claim for claim, _ in made))
            for claim, _ in made:
                await note(connection, "claim.create", claim.id, claim_facts(claim))
        self._show(slots)
        return made

    async def replace(
        self, wanted: NewClaim, silent_ms: int | None, by: str, reason: str, note: Note
    ) -> tuple[ClaimRecord, bytes]:
        """Make the claim by which the next box takes the place of the one in a slot.

        Args:
            wanted: of one slot.
            silent_ms: for how long the box there was not heard; None: never.
            by: who wants it.
            reason: of the operator; needed where it may still be at work.
            note: writes the audit row.

        Raises:
            NotFoundError: there is no box in the slot.
            RefusedError: ``heard``, ``slot-promised``.
        """
        if silent_ms is not None and silent_ms < SILENT_MS_MIN and not reason:
            seconds = silent_ms // 1000
            hint = "turn it off, or say why with a reason"
            raise RefusedError("heard", f"its box was heard {seconds} s ago: {hint}")
        async with self._database.read() as connection:
            if wanted.node in await enrolments.promised(connection, wanted.site):
                raise RefusedError("slot-promised", f"another box is about to fill {wanted.node}")
            box = await box_of(connection, wanted.site, wanted.node)
        if not box:
            slot = node_id(wanted.site, wanted.node)
            raise NotFoundError("box in the slot", field="node", got=slot)

        async def noted(
            connection: AsyncConnection, _action: str, about: str, detail: dict[str, Any]
        ) -> None:
            detail = {**detail, "claim": about, "reason": reason}
            await note(connection, "node.replace", node_id(wanted.site, wanted.node), detail)

        [made] = await self.make_claims([replace(wanted, replaces=box)], by, noted)
        return made

    async def claims(self) -> list[ClaimRecord]:
        """Return claims, the newest first."""
        async with self._database.read() as connection:
            return await claims.load_all(connection, limit=LIST_MAX)

    async def claim(self, id_: str) -> ClaimRecord:
        """Return a claim.

        Raises:
            NotFoundError: there is none.
        """
        async with self._database.read() as connection:
            found = await claims.find(connection, id_)
        if found is None:
            raise NotFoundError("claim", field="claim", got=id_)
        return found

    async def revoke_claim(self, id_: str, note: Note) -> None:
        """Let nobody use a claim any more.

        Raises:
            NotFoundError: there is none that is not revoked.
        """
        async with self._database.write() as connection:
            if not await claims.revoke(connection, id_, now_ms=self._clock.wall_ms()):
                raise NotFoundError("claim", field="claim", got=id_)
            await note(connection, "claim.revoke", id_, {})

    async def _approved(
        self,
        connection: AsyncConnection,
        box: EnrolmentRecord,
        wanted: Approval,
        by: str,
        slots: _Slots,
    ) -> EnrolmentRecord:
        state = after(box.state, Event.APPROVE)
        self._check_site(wanted.site)
        if wanted.node in await enrolments.promised(connection, wanted.site):
            raise RefusedError("slot-promised", f"another box is about to fill {wanted.node}")
        slot = await self._have_slot(connection, wanted.site, wanted.node, slots)
        if await identities.filled(connection, [slot]) and not wanted.replace:
            raise RefusedError("slot-filled", f"{slot} has a box: say replace, or another node")
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

    async def _first_empty(self, connection: AsyncConnection, site: str) -> str:
        self._check_site(site)
        empty = await empty_slots(connection, self._view, site)
        if not empty:
            raise RefusedError("no-slot", f"{site} has fewer empty slots than boxes: make some")
        return empty[0]

    async def _have_slot(
        self, connection: AsyncConnection, site: str, name: str, slots: _Slots
    ) -> str:
        """Return a slot's node id, made where there is none yet."""
        id_ = node_id(site, name)
        if id_ not in self._view.nodes:
            record = nodes.NodeRecord(id_, site, name, created_ms=self._clock.wall_ms())
            await nodes.save(connection, [record])
            slots.made.append((id_, site, name))
        return id_

    def _show(self, slots: _Slots) -> None:
        for id_, site, name in slots.made:
            if site in self._view.sites:  # it may have been removed just now
                self._view.add_node(id_, site, name)

    def _check_site(self, site: str) -> None:
        if site not in self._view.sites:
            raise NotFoundError("site", field="site", got=site)

    def _claim(self, wanted: NewClaim, secret: bytes, by: str, now_ms: int) -> ClaimRecord:
        is_token = wanted.kind is ClaimType.TOKEN
        return ClaimRecord(
            id=claim_id(self._entropy.token(CLAIM_BYTES)),
            kind=wanted.kind,
            site=wanted.site,
            node=wanted.node,
            broker=wanted.broker,
            nodes_max=wanted.nodes_max,
            auto_approve=wanted.auto_approve,
            cidr=wanted.cidr,
            made_by=by,
            made_ms=now_ms,
            not_after_ms=now_ms + wanted.life_ms,
            subject=wanted.subject,
            replaces=wanted.replaces,
            secret_hash=secret_hash(secret) if is_token else None,
        )


def token_text(claim: ClaimRecord, secret: bytes, pin: bytes) -> str:
    """Return the token of a claim, to be shown once."""
    return str(JoinToken(claim.id, secret, pin))


def claim_facts(claim: ClaimRecord) -> dict[str, Any]:
    """Return what may be told of a claim: all but its secret."""
    facts: Mapping[str, Any] = {
        name: getattr(claim, name)
        for name in (
            "kind",
            "site",
            "node",
            "broker",
            "nodes_max",
            "auto_approve",
            "cidr",
            "subject",
            "replaces",
        )
    }
    return {**facts, "not_after_ms": claim.not_after_ms}


def _about(box: EnrolmentRecord) -> dict[str, Any]:
    return {"enrolment": box.id, "key": box.key_hash.hex(), KEYS: certified(box)}


def _spoken(words: str) -> str:
    return " ".join(words.lower().replace("-", " ").split())


async def _found(connection: AsyncConnection, id_: str) -> EnrolmentRecord:
    found = await enrolments.find(connection, id_)
    if found is None:
        raise NotFoundError("enrolment", field="enrolment", got=id_)
    return found
