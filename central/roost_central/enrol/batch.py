"""What was decided of boxes in one transaction: noted one after the other, written at once.

Invariant: the transaction holds the claims (storage/claims.py ``named``), so that how many boxes
each has let in is what was read and what was noted since.
"""

import logging
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.access.signatures import KEYS
from roost_central.enrol import core
from roost_central.enrol.caller import Caller, seen
from roost_central.enrol.ledger import Ledger
from roost_central.enrol.states import State
from roost_central.storage import audit, claims, enrolments
from roost_central.storage.enrolments import EnrolmentRecord

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Batch:
    """Claims that were spent, boxes as they are now and acts, none of them written yet."""

    ledger: Ledger
    _spent: set[str] = field(default_factory=set)
    _boxes: list[EnrolmentRecord] = field(default_factory=list)
    _acts: list[Act] = field(default_factory=list)

    def note(
        self, caller: Caller, action: core.Queue | core.Admit | core.Resume
    ) -> EnrolmentRecord:
        """Note what was decided of a box; return it as it is now."""
        box = seen(caller, self.ledger.boxes.get(caller.key_hash))
        spent: tuple[str, ...] = ()
        if not isinstance(action, core.Resume):
            spent = action.spend
            box = _placed(box, action, caller)
        if isinstance(action, core.Admit):
            box = replace(
                box,
                node=action.node,
                state=State.APPROVED,
                decided_ms=caller.now_ms,
                decided_by=action.by,
            )
            self._acts.append(_act(box, action, caller))
        elif isinstance(action, core.Queue):
            logger.info("a box waits at %s: %s", action.site or "no site", action.reason)
            box = replace(box, reason=action.reason, decided_by=action.by)
        self._spent.update(spent)
        self._boxes.append(box)
        self.ledger.note(box, spent)
        return box

    async def write(self, connection: AsyncConnection) -> None:
        """Write what was noted since the last time."""
        await claims.use(connection, {id_: self.ledger.claims[id_].used for id_ in self._spent})
        await enrolments.save(connection, *self._boxes)
        if self._acts:
            await audit.add(connection, *self._acts)
        self._spent, self._boxes, self._acts = set(), [], []


def _placed(
    box: EnrolmentRecord, action: core.Queue | core.Admit, caller: Caller
) -> EnrolmentRecord:
    vouched = caller.proven.vouched
    claim = box.claim if vouched is None else vouched.claim
    if action.spend:
        claim = action.spend[0]
    return replace(box, site=action.site, claim=claim, broker=action.broker)


def _act(box: EnrolmentRecord, action: core.Admit, caller: Caller) -> Act:
    """Return the audit row that explains what is signed for a box."""
    detail: dict[str, Any] = {
        "enrolment": box.id,
        "key": box.key_hash.hex(),
        KEYS: list(caller.proven.certified),
        "claims": list(action.spend),
    }
    if action.replaces:
        detail |= {"replaces": action.replaces}
    return Act(
        at_ms=caller.now_ms,
        actor=action.by,
        role="",
        action="enrol.approve",
        object=box.node_id,
        detail=detail,
        via=f"enrol:{box.kind}",
        source=box.address,
    )
