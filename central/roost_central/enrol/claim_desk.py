"""Claims that people make and revoke: by what boxes are let in.

Invariants: each act and its audit row are one transaction; of a token only the hash of its secret
is kept; a box at work is replaced for a reason only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.enrol.note import Note
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.silence import check_silence
from roost_central.enrol.slots import NewSlots, check_site, present_boxes
from roost_central.errors import NotFoundError
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock, Entropy
from roost_central.storage import claims, enrolments
from roost_central.storage.claims import ClaimRecord, ClaimType
from roost_central.storage.engine import Database
from roost_protocol.join_token import CLAIM_BYTES, SECRET_BYTES, JoinToken, claim_id, secret_hash
from roost_protocol.topics import node_id

LIST_MAX: Final = 1_000


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


class ClaimDesk:
    """Makes, shows and revokes claims."""

    def __init__(self, database: Database, view: FleetView, clock: Clock, entropy: Entropy) -> None:
        self._database = database
        self._view = view
        self._clock = clock
        self._entropy = entropy

    async def make(
        self, wanted: Sequence[NewClaim], by: str, note: Note
    ) -> list[tuple[ClaimRecord, bytes]]:
        """Make claims; return each with its secret, which is kept nowhere.

        Raises:
            NotFoundError: there is no such site.
        """
        now_ms = self._clock.wall_ms()
        slots = NewSlots(self._view, self._clock)
        made = []
        async with self._database.write() as connection:
            for each in wanted:
                check_site(self._view, each.site)
                if each.node:
                    await slots.have(connection, each.site, each.node)
                secret = self._entropy.token(SECRET_BYTES)
                made.append((self._record(each, secret, by, now_ms), secret))
            await claims.add(connection, *(claim for claim, _ in made))
            for claim, _ in made:
                await note(connection, "claim.create", claim.id, claim_facts(claim))
        slots.show()
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
        check_silence(silent_ms, reason)
        slot = node_id(wanted.site, wanted.node)
        async with self._database.read() as connection:
            if slot in await enrolments.promised(connection, [wanted.site]):
                raise RefusedError("slot-promised", f"another box is about to fill {wanted.node}")
            box = (await present_boxes(connection, [slot])).get(slot, 0)
        if not box:
            raise NotFoundError("box in the slot", field="node", got=slot)

        async def noted(
            connection: AsyncConnection, _action: str, about: str, detail: dict[str, Any]
        ) -> None:
            detail = {**detail, "claim": about, "reason": reason}
            await note(connection, "node.replace", slot, detail)

        [made] = await self.make([replace(wanted, replaces=box)], by, noted)
        return made

    async def newest(self) -> list[ClaimRecord]:
        """Return claims, the newest first."""
        async with self._database.read() as connection:
            return await claims.load_all(connection, limit=LIST_MAX)

    async def find(self, id_: str) -> ClaimRecord:
        """Return a claim.

        Raises:
            NotFoundError: there is none.
        """
        async with self._database.read() as connection:
            found = await claims.find(connection, id_)
        if found is None:
            raise NotFoundError("claim", field="claim", got=id_)
        return found

    async def revoke(self, id_: str, note: Note) -> None:
        """Let nobody use a claim any more.

        Raises:
            NotFoundError: there is none that is not revoked.
        """
        async with self._database.write() as connection:
            if not await claims.revoke(connection, id_, now_ms=self._clock.wall_ms()):
                raise NotFoundError("claim", field="claim", got=id_)
            await note(connection, "claim.revoke", id_, {})

    def _record(self, wanted: NewClaim, secret: bytes, by: str, now_ms: int) -> ClaimRecord:
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
