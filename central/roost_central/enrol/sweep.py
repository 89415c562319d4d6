"""What time does to identities and to who waits: half lives, ends, and queues nobody looked at.

Invariant: what time takes away, it takes together with a row of the audit log.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.enrol.states import Event, State, after
from roost_central.errors import StorageUnavailableError
from roost_central.ports import Clock
from roost_central.storage import audit, enrolments, identities
from roost_central.storage.engine import Database
from roost_central.storage.identities import IdentityRecord, Term

logger = logging.getLogger(__name__)

SWEEP_S: Final = 60.0
BATCH_MAX: Final = 1_000  # of one transaction
DAY_MS: Final = 86_400_000
WAIT_MS_MAX: Final = 7 * DAY_MS  # in the queue; as long as a box waits for an answer
UNDECIDED: Final = "nobody decided in 7 days"
UNHEARD_MS_MAX: Final = 7 * DAY_MS  # handed out and never heard
AUDITED: Final = {Event.FORGET: "identity.revoke", Event.EXPIRE: "identity.expire"}


def due(identity: IdentityRecord | Term, now_ms: int) -> tuple[Event, str] | None:
    """Return what time does to an identity now, and why; None: nothing."""
    ended = now_ms >= identity.not_after_ms
    match identity.state:
        case State.ISSUED if now_ms - identity.issued_ms >= UNHEARD_MS_MAX:
            return Event.FORGET, "never heard in 7 days"
        case State.ACTIVE | State.RENEWAL_DUE | State.QUARANTINED if ended:
            return Event.EXPIRE, "the certificate ended"
        case State.ACTIVE if now_ms >= (identity.issued_ms + identity.not_after_ms) // 2:
            return Event.FALL_DUE, "half of its life is over"
        case _:
            return None


class Sweep:
    """Looks once a minute."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                await self.once()
            except StorageUnavailableError as err:
                logger.warning("enrolment: not swept: %s", err)
            await asyncio.sleep(SWEEP_S)

    async def once(self) -> None:
        """Let time do what it does; nobody's write waits for it where nothing is due."""
        now_ms = self._clock.wall_ms()
        async with self._database.read() as connection:
            live = await identities.load_live(connection)
            boxes = await enrolments.idle_since(connection, now_ms - WAIT_MS_MAX, limit=BATCH_MAX)
        moved = [each for each in live if due(each, now_ms) is not None]
        if not moved and not boxes:
            return
        async with self._database.write() as connection:
            for identity in moved[:BATCH_MAX]:
                await _move(connection, identity, now_ms)
            for box in boxes:
                await _lapse(connection, box, now_ms)


async def _lapse(connection: AsyncConnection, id_: str, now_ms: int) -> None:
    """Let go a box that waits, where it still does: it may have asked or been decided meanwhile."""
    box = await enrolments.find(connection, id_)
    if box is None or box.state not in enrolments.WAITING:
        return
    if now_ms - max(box.seen_ms, box.decided_ms or 0) < WAIT_MS_MAX:
        return
    denied = after(box.state, Event.LAPSE)
    is_promised = box.state is State.APPROVED  # a slot, which is free again
    reason = "it did not come for its identity in 7 days" if is_promised else UNDECIDED
    now = replace(box, state=denied, reason=reason, decided_ms=now_ms, decided_by=audit.CENTRE)
    await enrolments.save(connection, now)
    detail = {"key": box.key_hash.hex(), "site": box.site}
    await audit.add(connection, _act("enrol.deny", id_, detail, reason, now_ms))


async def _move(connection: AsyncConnection, known: Term, now_ms: int) -> None:
    """Move an identity, where it is still due: it may have been renewed meanwhile."""
    identity = await identities.find(connection, known.node, known.generation)
    what = due(identity, now_ms) if identity else None
    if identity is None or what is None:
        return
    event, reason = what
    await identities.happen(connection, identity, event, now_ms=now_ms, reason=reason)
    if event in AUDITED:
        detail = {"generation": identity.generation}
        act = _act(AUDITED[event], identity.node, detail, reason, now_ms)
        await audit.add(connection, act)
    logger.info("%s, generation %d: %s", identity.node, identity.generation, reason)


def _act(action: str, about: str, detail: Mapping[str, object], reason: str, now_ms: int) -> Act:
    return Act(now_ms, audit.CENTRE, "", action, about, detail, reason=reason)
